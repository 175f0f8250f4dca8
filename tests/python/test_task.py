# SPDX-License-Identifier: Apache-2.0
"""Arrays in and out, tasks, manifolds, scores: the numbers of the program, without copies, with its messages."""
import json
import math
import time

import numpy as np
import pytest
from conftest import program, script

import onmanifold as om
from onmanifold._arrays import as_points


class Foreign:
    """Memory that only __array_interface__ tells of."""

    def __init__(self, array):
        self._array = array
        self.__array_interface__ = array.__array_interface__


class OnGpu:
    def __dlpack_device__(self):
        return (2, 0)

    def __dlpack__(self):
        raise AssertionError("memory of another device must not be read")


def test_arrays_are_not_copied_where_they_need_not_be():
    x = np.arange(12.0).reshape(4, 3)
    assert as_points(x, "x") is x
    assert np.shares_memory(as_points(Foreign(x), "x"), x)
    # What must be converted is: another type, another order, gaps.
    for other in (x.astype(np.float32), np.asfortranarray(x), np.repeat(x, 2, axis=1)[:, ::2], x.astype(int), x.tolist()):
        converted = as_points(other, "x")
        assert not np.shares_memory(converted, x) and converted.dtype == np.float64
        assert np.array_equal(converted, x)


@pytest.mark.parametrize(("given", "message"), [
    (np.zeros(3), r"^x: shape \(3,\), expected \(N, D\)$"),
    (np.zeros((2, 2), complex), "^x: numbers of type complex128, expected real ones$"),
    ([["a", "b"]], "^x: numbers of type <U1, expected real ones$"),
    ([[1.0, 2.0], [3.0]], "^x: "),
    (OnGpu(), r"^x: lies on another device than the processor \(DLPack device 2\); copy it first$"),
])
def test_what_is_no_table_of_numbers_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        as_points(given, "x")


def test_tensors_of_torch_share_their_memory():
    torch = pytest.importorskip("torch")
    tensor = torch.arange(12, dtype=torch.float64).reshape(4, 3).requires_grad_()
    assert np.shares_memory(as_points(tensor, "x"), tensor.detach().numpy())


def test_version_and_import():
    assert program("--version").split()[-1] == om.__version__
    # NumPy comes with the first array.
    done = script("import sys, onmanifold; sys.exit('numpy' in sys.modules)")
    assert done.returncode == 0, done.stderr


def test_python_adds_little_to_a_score(sphere):
    x = sphere.validation(10_000)
    spent = []
    for _ in range(20):
        began = time.process_time()
        sphere.score(x, metrics="constraint_max")
        spent.append(time.process_time() - began)
    assert min(spent) < 0.010


def test_data_are_those_of_the_program(sphere, tmp_path):
    for words, ours in ((("--seed", 3), sphere.train(500, replicate=3)), (("--reference",), sphere.reference(500))):
        program("export", "sphere-vmf6", "-n", 500, *words, "-o", tmp_path / "points.npy")
        assert np.array_equal(np.load(tmp_path / "points.npy"), ours)
    assert not np.array_equal(sphere.train(500), sphere.train(500, replicate=1))
    assert not np.array_equal(sphere.train(500), sphere.validation(500))
    assert "did you mean 'sphere-vmf6'" in str(pytest.raises(ValueError, om.task, "sphere-vmf").value)
    with pytest.raises(ValueError, match="^n: 0 is not positive$"):
        sphere.train(0)
    with pytest.raises(ValueError, match="^replicate: -1 is negative$"):
        sphere.train(5, replicate=-1)


def test_every_epoch_has_new_noise_along_normals_only(sphere):
    x = sphere.train(2000)
    source = sphere.source(x, "normal:sigma=0.1")
    first, again, next_one = source.epoch(3), sphere.lifted(x, "normal:sigma=0.1", epoch=3), source.epoch(4)
    assert np.array_equal(first, again) and not np.array_equal(first, next_one)
    assert len(source) == 2000 and np.array_equal(source.clean, x)
    assert np.allclose(source.mean, x.mean(0), atol=1e-12)
    assert source.scale == pytest.approx(math.sqrt(x.var(0).mean()), rel=1e-12)
    moved = sphere.manifold.project(first)
    assert moved.distance.std() > 0.04 and moved.converged.all()
    # Back on the sphere they are the points themselves, in another order; isotropic noise leaves others.
    gap = lambda y: np.abs(np.sort(y, axis=0) - np.sort(x, axis=0)).max()
    assert gap(moved.points) < 1e-12
    assert gap(sphere.manifold.project(sphere.lifted(x, "isotropic:sigma=0.1")).points) > 1e-3
    with pytest.raises(ValueError, match="did you mean 'normal'"):
        sphere.lifted(x, "norml")


def test_geometry(sphere):
    m = sphere.manifold
    y, z = m.random_points(50, seed=1), m.random_points(50, seed=2)
    assert (m.dimension, m.codimension, m.ambient_dimension, m.reach) == (2, 1, 3, 1.0)
    t, n = m.tangent_basis(y), m.normal_basis(y)
    assert t.shape == (50, 2, 3) and n.shape == (50, 1, 3)
    frames = np.concatenate([t, n], axis=1)
    assert np.allclose(frames @ frames.transpose(0, 2, 1), np.eye(3), atol=1e-12)
    assert np.allclose(np.abs((n[:, 0] * y).sum(1)), 1, atol=1e-12)
    v = m.log(y, z)
    assert np.allclose(m.exp(y, v), z, atol=1e-9)
    assert np.allclose(np.linalg.norm(v, axis=1), np.arccos((y * z).sum(1)), atol=1e-9)
    assert np.allclose(m.residual(1.5 * y), 0.5, atol=1e-12)
    with pytest.raises(ValueError, match="^points: rows have 2 numbers, but sphere:dim=2,radius=1 has 3$"):
        m.project(np.zeros((4, 2)))
    with pytest.raises(ValueError, match="^vectors: 49 rows for 50 points$"):
        m.exp(y, v[1:])
    with pytest.raises(ValueError, match="no closed form: no exp and log"):
        om.manifold("ellipsoid:axes=1:1:2").log(y, z)


def test_scores_are_those_of_the_program(sphere, tmp_path):
    train, samples = sphere.train(2000), sphere.validation(2000)
    np.save(tmp_path / "samples.npy", samples)
    np.save(tmp_path / "train.npy", train)
    program("score", "--task", "sphere-vmf6", "--samples", tmp_path / "samples.npy", "--train", tmp_path / "train.npy",
            "--json", tmp_path / "score.json")
    theirs = json.loads((tmp_path / "score.json").read_text())
    ours = sphere.score(samples, train=train)
    assert theirs["samples_hash"] == ours.to_dict()["samples_hash"]
    assert theirs["reference_hash"] == ours.to_dict()["reference_hash"]
    key = lambda row: (row["name"], row["samples"], row["value"], row["null"], row["null_sd"], row["se"], row["parameters"])
    assert [key(row) for row in theirs["metrics"]] == [key(row) for row in ours.rows]
    # Constraints are read on raw samples, the rest on projected ones.
    assert ours.value("constraint_mean") == ours.value("constraint_mean", "raw")
    assert ours.value("tvd") == ours.value("tvd", "projected")
    assert ours.value("tvd") != sphere.score(train).value("tvd")
    with pytest.raises(ValueError, match="^no value of metric 'tv' "):
        ours.value("tv")


def test_places_say_whether_a_value_is_good(sphere):
    train = sphere.train(4000)
    rng = np.random.default_rng(0)
    gaussian = rng.multivariate_normal(train.mean(0), np.cov(train.T), 4000)
    row = lambda r: [i for i, row in enumerate(r.rows) if (row["name"], row["samples"]) == ("tvd", "projected")][0]
    bad = sphere.score(gaussian, train=train, metrics="tvd")
    good = sphere.score(sphere.validation(4000), train=train, metrics="tvd")
    assert abs(bad.place[row(bad)]) < 0.1
    assert abs(good.place[row(good)] - 1) < 0.1
    text = repr(good)
    assert "perfect model" in text and "gaussian" in text and "tvd" in text
    assert "<td>tvd</td>" in good._repr_html_()
    pandas = pytest.importorskip("pandas")
    frame = good.to_frame()
    assert isinstance(frame, pandas.DataFrame) and len(frame) == len(good.rows)
    assert set(frame["direction"]) == {"lower"} and frame["place"].tolist() == good.place


def test_bad_samples_are_told_in_one_line(sphere):
    x = sphere.validation(50)
    x[7, 1] = np.nan
    with pytest.raises(ValueError, match=r"^samples: row 7 \(counted from 0\) is not finite$"):
        sphere.score(x)
    counted = sphere.score(x, metrics="constraint_mean", allow_nonfinite=True)
    assert counted.rows[0]["n_nonfinite"] == 1
    with pytest.raises(ValueError, match="^samples: rows have 2 numbers, but the task sphere-vmf6 has 3$"):
        sphere.score(x[:, :2])
    with pytest.raises(ValueError, match="did you mean 'tvd'"):
        sphere.score(sphere.validation(50), metrics="tvdd")
    with pytest.raises(ValueError, match="^n_reference: 1 is below 2$"):
        sphere.score(sphere.validation(50), n_reference=1)


MEMORY = """
import sys
import numpy as np
import onmanifold as om

def resident(key):
    return [int(line.split()[1]) * 1024 for line in open("/proc/self/status") if line.startswith(key)][0]

task = om.task("sphere-vmf6")
task.score(task.validation(1000), metrics="constraint_mean,fd")   # what every call needs
x = np.empty((2_000_000, 3), sys.argv[1])
for rows in np.array_split(x, 100):
    rows[:] = np.random.default_rng(0).standard_normal(rows.shape)
open("/proc/self/clear_refs", "w").write("5")  # the peak starts anew
before = resident("VmHWM")
task.score(x, metrics="constraint_mean,fd")
print((resident("VmHWM") - before) / (x.size * 8))
"""


def test_large_arrays_are_not_copied():
    def growth(dtype):
        done = script("import sys; sys.argv = ['', '%s']\n%s" % (dtype, MEMORY))
        assert done.returncode == 0, done.stderr
        return float(done.stdout)

    assert growth("float64") < 0.3   # of the array: pieces and their projections
    assert growth("float32") > 0.9   # a copy is seen


def test_ctrl_c_ends_a_score_between_two_metrics(sphere):
    done = script("""
import os, signal, threading, time
import onmanifold as om
task = om.task("sphere-vmf6")
x = task.validation(20000)
task.score(x[:100])
threading.Timer(0.2, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
began = time.monotonic()
try:
    for _ in range(1000):
        task.score(x)
except KeyboardInterrupt:
    print(time.monotonic() - began)
""")
    assert done.returncode == 0, done.stderr
    assert 0.1 < float(done.stdout) < 30


def test_own_points_are_a_task():
    so3 = om.manifold("so3")
    x = so3.random_points(400)
    task = om.points_task(x, manifold="so3", name="mine")
    train, reference = task.train(1000), task.reference(1000)
    assert len(train) == 320 and len(reference) == 40 and len(task.validation(40)) == 40
    rows = lambda *parts: {row.tobytes() for part in parts for row in part}
    assert rows(train, reference, task.validation(40)) == rows(x)
    assert rows(train).isdisjoint(rows(reference))
    assert task.score(task.validation(40), train=train).value("constraint_max", "raw") < 1e-9
    x[5] *= 1.01
    with pytest.raises(ValueError, match=r"^mine: row 5 \(counted from 0\) is 0\.\d+ off the manifold so3"):
        om.points_task(x, manifold=so3, name="mine")
    with pytest.raises(ValueError, match="^points: 20 points, but three parts need 30 or more$"):
        om.points_task(so3.random_points(20), manifold=so3)

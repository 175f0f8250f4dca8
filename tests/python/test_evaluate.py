# SPDX-License-Identifier: Apache-2.0
"""Functions as methods, suites, results and comparisons: ordinary cells, whatever made them."""
import csv
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from conftest import program

import onmanifold as om

SIZES = {"n_train": 400, "n_samples": 300, "n_reference": 400}


def resampled(cell):
    """A method that is easy to recognise: training points of one epoch, again."""
    rng = np.random.default_rng(cell.seed)
    points = cell.training.epoch(0)
    return lambda n, seed: points[np.random.default_rng(seed).integers(len(points), size=n)] + 0 * rng.random()


def test_a_function_leaves_cells_beside_the_built_in_ones(tmp_path):
    seen = []

    def mine(cell):
        seen.append((cell.task, cell.lift, cell.sigma, cell.replicate, cell.settings["width"]))
        assert cell.manifold.ambient_dimension == cell.training.clean.shape[1] == 3
        return resampled(cell)

    done = om.evaluate(mine, ["sphere-vmf6", om.task("plane-gmm9")], lifts=["none", "normal:sigma=0.05"], seeds=range(2),
                       out=tmp_path / "mine", settings={"width": 3}, place="sampling", beside=["oracle", "gaussian"], **SIZES)
    assert (done.computed, done.failed, done.skipped, done.complete) == (16, 0, 0, True), done
    assert sorted(set(seen)) == sorted((task, lift, sigma, seed, 3) for task in ("plane-gmm9", "sphere-vmf6")
                                       for lift, sigma in (("none", 0.0), ("normal", 0.05)) for seed in (0, 1))
    pandas = pytest.importorskip("pandas")
    frame = done.results().frame()
    assert isinstance(frame, pandas.DataFrame)
    assert set(frame["method"]) == {"mine", "oracle", "gaussian"}
    own = frame[frame["method"] == "mine"]
    assert set(own["role"]) == {"learner"} and set(own["place"]) == {"sampling"} and set(own["seed"]) == {0, 1}
    assert set(own["lift"]) == {"none", "normal-sigma-0.05"}
    # What it was given was lifted or not: .05 times the mean of a normal number's size.
    off = own[(own["metric"] == "constraint_mean") & (own["samples"] == "raw")].groupby("lift")["value"].mean()
    assert off["none"] < 1e-12 and abs(off["normal-sigma-0.05"] - 0.05 * 0.798) < 0.005
    assert {"unit", "direction", "null", "n_samples"} <= set(frame.columns) and set(frame["n_samples"]) == {300}
    assert len(done.results().cells()) == 16

    program("report", tmp_path / "mine", "-o", tmp_path / "pages", "--format", "md,tex,csv")
    for name in ("report.md", "report.tex"):
        text = (tmp_path / "pages" / name).read_text()
        assert "mine" in text and "oracle" in text, name
    with open(tmp_path / "pages" / "report.csv", encoding="utf-8") as file:
        assert len([row for row in csv.reader(file) if "mine" in row]) == len(own)
    program("verify", tmp_path / "mine")


def test_what_goes_wrong_is_a_cell_of_its_own(tmp_path):
    def broken(cell):
        if cell.replicate == 0:
            raise KeyError("weights")
        if cell.replicate == 1:
            raise NotImplementedError("only even dimensions")
        if cell.replicate == 2:
            raise FloatingPointError("loss is nan")
        if cell.replicate == 3:
            return np.zeros((7, 3))
        if cell.replicate == 4:
            return np.full((cell.n_samples, 3), np.inf)
        return cell.training.clean[:cell.n_samples]

    with pytest.warns(RuntimeWarning, match="KeyError: 'weights' "):
        done = om.evaluate(broken, ["plane-gmm9"], seeds=range(6), out=tmp_path, beside=[], **SIZES)
    states = {cell.rsplit("-", 1)[1]: (state, message) for cell, state, message in done.troubles}
    assert {seed: state for seed, (state, _) in states.items()} == {
        "0": "failed", "1": "unsupported", "2": "diverged", "3": "failed", "4": "diverged"}
    assert "test_evaluate.py:" in states["0"][1] and "\n" not in states["0"][1]
    assert states["3"][1] == "the samples are 7×3, expected 300×3"
    assert (done.computed, done.failed, done.unsupported) == (1, 4, 1)


def test_a_stopped_evaluation_goes_on(tmp_path):
    calls = []

    def mine(cell):
        calls.append(cell.replicate)
        if cell.replicate == 2 and len(calls) == 3:
            raise KeyboardInterrupt
        return cell.training.clean[:cell.n_samples]

    again = lambda **more: om.evaluate(mine, ["sphere-vmf6"], seeds=range(4), out=tmp_path, beside=[], **SIZES, **more)
    with pytest.raises(KeyboardInterrupt):
        again()
    assert len(om.results(tmp_path)) == 2  # not a failed cell: none
    done = again()
    assert (done.skipped, done.computed) == (2, 2) and calls == [0, 1, 2, 2, 3]
    assert again().skipped == 4
    with pytest.raises(ValueError, match="has another configuration .*method.settings.steps"):
        again(settings={"steps": 5})
    assert again(settings={"steps": 5}, force=True).computed == 4


KILLED = """
import sys, time, warnings
import onmanifold as om
def mine(cell):
    if cell.replicate == 1 and sys.argv[1] == "slow":
        print("second", flush=True)
        time.sleep(60)
    return cell.training.clean[:cell.n_samples]
done = om.evaluate(mine, ["sphere-vmf6"], seeds=range(3), out=sys.argv[2], beside=[], n_train=400, n_samples=300, n_reference=400)
print(done.skipped, done.computed)
"""


def test_a_killed_evaluation_goes_on(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(KILLED)
    out = tmp_path / "out"
    first = subprocess.Popen([sys.executable, file, "slow", out], stdout=subprocess.PIPE, text=True)
    assert first.stdout.readline() == "second\n"
    first.kill()
    first.wait()
    second = subprocess.run([sys.executable, file, "fast", out], capture_output=True, text=True)
    assert second.stdout == "1 2\n", second.stderr


def test_another_function_is_another_configuration(tmp_path):
    def mine(cell):
        return cell.training.clean[:cell.n_samples]

    evaluate = lambda function: om.evaluate(function, ["plane-gmm9"], seeds=range(1), out=tmp_path, beside=[], name="mine", **SIZES)
    evaluate(mine)

    def mine(cell):  # noqa: F811
        return cell.training.clean[-cell.n_samples:]

    with pytest.raises(ValueError, match="has another configuration .*method.inputs.source"):
        evaluate(mine)


@pytest.mark.parametrize(("arguments", "message"), [
    ({"seeds": [0, 2]}, r"^seeds: \[0, 2\] is no range of replicates without gaps, such as range\(5\)$"),
    ({"lifts": ["normal", "normal"]}, "^lifts: 'normal' appears twice$"),
    ({"lifts": ["norml"]}, "did you mean 'normal'"),
    ({"place": "nowere"}, "did you mean 'nowhere'"),
    ({"name": "ddpm"}, "^method 'ddpm' is registered twice$"),
    ({"name": "a/b"}, "'a/b' cannot be a part of a path"),
    ({"beside": ["oracel"]}, "did you mean 'oracle'"),
    ({"settings": {"f": len}}, "^settings.f: builtin_function_or_method is no number, text, list or dictionary$"),
    ({"tasks": []}, "^evaluate: tasks: there are none$"),
])
def test_what_cannot_be_evaluated_is_told(tmp_path, arguments, message):
    asked = {"tasks": ["plane-gmm9"], "out": tmp_path, "beside": [], **SIZES, **arguments}
    with pytest.raises(ValueError, match=message):
        om.evaluate(resampled, **asked)


def test_training_data_end_with_their_cell(tmp_path):
    kept = []
    om.evaluate(lambda cell: (kept.append(cell), cell.training.clean[:cell.n_samples])[1], ["plane-gmm9"], seeds=range(1),
                out=tmp_path, name="keeper", beside=[], **SIZES)
    assert kept[0].task == "plane-gmm9"
    with pytest.raises(ValueError, match="^training: the cell that these data belong to is over$"):
        kept[0].training.epoch(0)


def test_suites_run_and_compare(tmp_path):
    only = "sphere-vmf6/*/none/seed-0"
    done = om.run("smoke", out=tmp_path / "a", jobs=2, only=only)
    assert done.computed > 3 and done.failed == 0, done
    assert om.run("smoke", out=tmp_path / "a", jobs=1, only=only).skipped == done.computed
    program("run", "smoke", "-o", tmp_path / "b", "-j", "1", "--only", only)
    same = om.compare(tmp_path / "a", tmp_path / "b", exact=True)
    assert not same.regression and not same.incomplete, same
    # Its broken twin: a candidate that lacks a method.
    shutil.rmtree(tmp_path / "b" / "sphere-vmf6" / "gaussian")
    assert om.compare(tmp_path / "a", tmp_path / "b").incomplete
    with pytest.raises(ValueError, match="smokey"):
        om.run("smokey", out=tmp_path / "c")
    with pytest.raises(ValueError, match="nowhere"):
        om.compare(tmp_path / "nowhere", tmp_path / "b")
    with pytest.raises(ValueError, match="nowhere"):
        om.results(tmp_path / "nowhere")


def test_an_interrupted_run_leaves_no_process(tmp_path):
    text = f"import onmanifold as om\nom.run('quick', out={str(tmp_path / 'q')!r}, jobs=1)"
    running = subprocess.Popen([sys.executable, "-c", text], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 30
    children = lambda pid: open(f"/proc/{pid}/task/{pid}/children", encoding="ascii").read().split()
    while not (children(running.pid) and children(children(running.pid)[0])):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    child = children(running.pid)[0]
    workers = children(child)
    running.send_signal(signal.SIGINT)  # this process only, as a notebook does
    assert running.wait(timeout=30) != 0
    for pid in (child, *workers):
        while os.path.exists(f"/proc/{pid}"):
            assert time.monotonic() < deadline + 30
            time.sleep(0.05)

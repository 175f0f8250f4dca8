# SPDX-License-Identifier: Apache-2.0
"""Diagnostics of scores that functions give: those of the exact ones, and of a network where PyTorch is there."""
import numpy as np
import pytest
from conftest import plane_score, sphere_score

import onmanifold as om

SETTINGS = {"score_norm": {"points": 100}, "lyapunov": {"points": 20, "condition_points": 10},
            "support_robustness": {"points": 50}, "intrinsic_dimension": {"points": 30}}
EXACT = {"plane-gmm9": plane_score, "sphere-vmf6": sphere_score}


def is_slope_of_rounding(numbers, series):
    """On a plane errors along it move nothing across it: the slope of log(rounding) is not a number of the score."""
    gain = numbers.get(series.removesuffix("_slope") + "_gain", 1.0)
    return series.endswith("_slope") and gain < 1e-9


def largest_difference(a, b):
    """Relative to the size of a series, over all numbers of all diagnostics."""
    assert a.keys() == b.keys() and all(a[name].keys() == b[name].keys() for name in a)
    worst = 0.0
    for name in a:
        for series, value in a[name].items():
            if is_slope_of_rounding(a[name], series) and is_slope_of_rounding(b[name], series):
                continue
            x, y = np.atleast_1d(value), np.atleast_1d(b[name][series])
            assert np.array_equal(np.isnan(x), np.isnan(y)), (name, series)
            if np.isfinite(x).any():
                worst = max(worst, np.nanmax(np.abs(x - y)) / max(1.0, np.nanmax(np.abs(x))))
    return worst


@pytest.fixture(scope="module", params=list(EXACT))
def known(request):
    task = om.task(request.param)
    return task, EXACT[request.param], om.diagnose(task, settings=SETTINGS, n_train=500)


def test_exact_scores_give_the_built_in_numbers(known):
    task, score, built_in = known
    ours = om.diagnose(task, score, settings=SETTINGS, n_train=500)
    assert set(ours) == set(SETTINGS) and all(ours[name] for name in ours), ours
    assert largest_difference(ours, built_in) < 1e-6
    text = repr(ours)
    assert "score_norm" in text and "slope" in text


def test_a_wrong_score_is_seen(known):
    task, score, built_in = known
    wrong = om.diagnose(task, lambda x, s: 1.001 * score(x, s), settings=SETTINGS, n_train=500)
    assert largest_difference(wrong, built_in) > 1e-4


def test_jacobian_products_are_used(known):
    task, score, built_in = known
    h = 1e-4
    jvp = lambda x, v, s: (score(x + h * s * v, s) - score(x - h * s * v, s)) / (2 * h * s)
    asked = {"diagnostics": ["lyapunov"], "settings": {"lyapunov": SETTINGS["lyapunov"]}, "n_train": 500}
    only = {"lyapunov": built_in["lyapunov"]}
    assert largest_difference(dict(om.diagnose(task, score, jvp, **asked)), only) < 1e-6
    assert largest_difference(dict(om.diagnose(task, score, lambda x, v, s: 1.01 * jvp(x, v, s), **asked)), only) > 1e-4


def test_what_cannot_be_diagnosed_is_told():
    task = om.task("plane-gmm9")
    asked = {"diagnostics": ["score_norm"], "n_train": 100}
    with pytest.raises(ZeroDivisionError):
        om.diagnose(task, lambda x, s: 1 / 0, **asked)
    with pytest.raises(ValueError, match=r"^score field: the function gave 100 rows of 2 numbers for 100 points of 3$"):
        om.diagnose(task, lambda x, s: x[:, :2], **asked)
    with pytest.raises(ValueError, match="did you mean 'score_norm'"):
        om.diagnose(task, plane_score, diagnostics=["score_nrm"])
    with pytest.raises(ValueError, match="^score field: level 1 is 2: levels fall and are above 0$"):
        om.diagnose(task, plane_score, levels=[1, 2], **asked)
    with pytest.raises(ValueError, match="did you mean 'points'"):
        om.diagnose(task, plane_score, settings={"score_norm": {"point": 5}}, **asked)


def test_a_network_of_torch_is_diagnosed():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(4, 32), torch.nn.SiLU(), torch.nn.Linear(32, 3)).double()

    def score(x, s):
        x = torch.from_numpy(x)
        level = torch.full((len(x), 1), float(np.log(s)), dtype=torch.float64)
        with torch.no_grad():
            return -network(torch.cat([x, level], 1)) / s

    numbers = om.diagnose(om.task("sphere-vmf6"), score, settings=SETTINGS, n_train=500)
    assert np.isfinite(numbers["score_norm"]["slope"])

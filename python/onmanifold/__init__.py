# SPDX-License-Identifier: Apache-2.0
"""OnManifold: how well a generative model learns data that lives on a known manifold.

    import onmanifold as om
    task = om.task("sphere-vmf6")
    x = task.train(10_000)                       # (N, D) NumPy, float64
    print(task.score(my_samples, train=x))

Points are rows of N×D arrays. Bad input raises ValueError, a fault of the environment or of a computation RuntimeError, each
with one line. NumPy is imported when the first array is made; pandas and matplotlib where a frame or figure is asked for."""
from __future__ import annotations

import os as _os

_share = _os.path.join(_os.path.dirname(__file__), "share")
if _os.path.isdir(_share):  # a wheel carries data and suites; the build tree finds its own
    _os.environ.setdefault("ONMANIFOLD_SHARE", _share)

from ._core import __version__  # noqa: E402
from ._diagnose import Diagnosis, diagnose  # noqa: E402
from ._evaluate import Cell, Evaluation, Run, evaluate, run  # noqa: E402
from ._plot import plot  # noqa: E402
from ._results import Comparison, Results, compare, results  # noqa: E402
from ._task import Manifold, Projection, Score, Task, TrainingSource, manifold, points_task, task  # noqa: E402

__all__ = ["Cell", "Comparison", "Diagnosis", "Evaluation", "Manifold", "Projection", "Results", "Run", "Score", "Task",
           "TrainingSource", "__version__", "compare", "diagnose", "evaluate", "manifold", "plot", "points_task", "results",
           "run", "task"]

# SPDX-License-Identifier: Apache-2.0
"""Diagnostics of a score that comes from anywhere."""
from __future__ import annotations

from typing import Any, Callable, Mapping, Sequence

from . import _core, _table
from ._task import Task


class Diagnosis(Mapping[str, "dict[str, Any]"]):
    """Numbers by diagnostic: floats, and arrays with one entry a noise level. See docs/diagnostics.md for what they mean."""

    def __init__(self, record: dict[str, tuple[str, dict[str, Any]]]) -> None:
        self._numbers = {name: numbers for name, (_, numbers) in record.items()}
        self.status = {name: status for name, (status, _) in record.items()}

    def __getitem__(self, name: str) -> dict[str, Any]:
        return self._numbers[name]

    def __iter__(self) -> Any:
        return iter(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)

    def _rows(self) -> list[list[str]]:
        rows = []
        for name, numbers in self._numbers.items():
            if not numbers:
                rows.append([name, "", self.status[name]])
            rows += [[name, series, _table.number(value)] for series, value in numbers.items() if isinstance(value, float)]
        return rows

    def __repr__(self) -> str:
        return _table.as_text(["diagnostic", "number", "value"], self._rows())

    def _repr_html_(self) -> str:
        return _table.as_html("diagnostics", ["diagnostic", "number", "value"], self._rows())


def diagnose(task: Task, score: Callable[[Any, float], Any] | None = None, jvp: Callable[[Any, Any, float], Any] | None = None,
             lift: str = "none", levels: Sequence[float] = (), diagnostics: Sequence[str] = (), n_train: int = 10_000,
             replicate: int = 0, settings: Mapping[str, Mapping[str, Any]] | None = None) -> Diagnosis:
    """Asks the diagnostics of a suite of any score.

    `score(x, sigma)` takes N×D float64 points and a noise level in data units and returns the N×D gradients of the log-density
    of x0 + sigma z, z ~ N(0, I); without it, the exact score of the task is asked. `jvp(x, v, sigma)` returns the N×D products
    of its Jacobian with one vector a point; without it they come from central differences, which needs a score in double
    precision or levels that are not small. A denoiser D(x; sigma) has the score (D - x)/sigma², a noise prediction -epsilon/sigma.

    `lift`: what the training data of the score went through. `levels`: falling noise levels in data units; otherwise 40 from ten
    standard deviations of the data down to the task's smallest noise. `diagnostics`: names, otherwise all that need nothing but
    a score. `settings`: by diagnostic, as a [[diagnostic]] table of a suite has them. What `score` raises, this raises. Raises
    ValueError for unknown names or answers of another shape."""
    names = list(diagnostics) or _core.score_diagnostics()
    asked = {name: dict(values) for name, values in (settings or {}).items()}
    return Diagnosis(_core.diagnose(task._core, score, jvp, lift, [float(level) for level in levels], n_train, replicate,
                                    asked, names))

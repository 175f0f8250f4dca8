# SPDX-License-Identifier: Apache-2.0
"""Results directories as data frames, and comparisons of two."""
from __future__ import annotations

import os
from typing import Any, Sequence

from . import _core, _table


class Results:
    """What a results directory holds, without the samples."""

    def __init__(self, directory: str, numbers: dict[str, list[Any]], cells: dict[str, list[Any]]) -> None:
        self.directory = directory
        self._numbers = numbers
        self._cells = cells

    def to_columns(self) -> dict[str, list[Any]]:
        """Long form, one row a number: task, method, lift, seed, samples, metric, value, unit, direction, target, null, …"""
        return self._numbers

    def frame(self) -> Any:
        """A pandas data frame of `to_columns`. Raises RuntimeError without pandas."""
        return _table.frame(self._numbers)

    def cells(self) -> Any:
        """A pandas data frame with one row a cell, failed ones included: state, message, seconds and bytes."""
        return _table.frame(self._cells)

    def __len__(self) -> int:
        """Cells."""
        return len(self._cells.get("task", []))

    def __repr__(self) -> str:
        tasks = sorted(set(self._cells.get("task", [])))
        return f"<results {self.directory}: {len(self)} cells of {', '.join(tasks)}>"


def results(directory: "str | os.PathLike[str]") -> Results:
    """Reads a results directory. Raises ValueError where there is none."""
    return Results(os.fspath(directory), *_core.load(os.fspath(directory)))


class Comparison:
    """A candidate's results against a baseline's, as `onmanifold compare` judges them."""

    def __init__(self, record: dict[str, Any]) -> None:
        self._record = record

    @property
    def regression(self) -> bool:
        """Whether something that is judged became worse."""
        return bool(self._record["regression"])

    @property
    def incomplete(self) -> bool:
        """Whether the candidate lacks what the baseline has."""
        return bool(self._record["incomplete"])

    @property
    def missing(self) -> list[str]:
        return list(self._record["missing"])

    @property
    def added(self) -> list[str]:
        return list(self._record["added"])

    @property
    def warnings(self) -> list[str]:
        return list(self._record["warnings"])

    def to_columns(self) -> dict[str, list[Any]]:
        """One row a metric of a configuration. mark: x failed, - worse, ! not comparable, + better, ~ the same."""
        return dict(self._record["changes"])

    def frame(self) -> Any:
        """A pandas data frame of `to_columns`. Raises RuntimeError without pandas."""
        return _table.frame(self.to_columns())

    def _table(self) -> tuple[str, list[str], list[list[str]]]:
        columns = self.to_columns()
        rows = []
        for i, judged in enumerate(columns.get("gated", [])):
            if judged:
                rows.append([f"{columns['task'][i]} {columns['method'][i]} {columns['lift'][i]}", columns["metric"][i],
                             columns["mark"][i], _table.number(columns["baseline"][i]),
                             _table.number(columns["candidate"][i]), _table.number(columns["adjusted_p"][i], 2)])
        verdict = "regression" if self.regression else "incomplete" if self.incomplete else "no regression"
        title = f"{verdict}: {self._record['judged']} judged of {self._record['compared']} compared"
        return title, ["configuration", "metric", "", "baseline", "candidate", "p"], rows

    def __repr__(self) -> str:
        title, head, rows = self._table()
        return "\n".join([title, _table.as_text(head, rows), *self.warnings])

    def _repr_html_(self) -> str:
        return _table.as_html(*self._table())


def compare(baseline: "str | os.PathLike[str]", candidate: "str | os.PathLike[str]", alpha: float = 0.05, time: bool = False,
            exact: bool = False, allow_missing: bool = False, metrics: Sequence[str] = ()) -> Comparison:
    """Judges a candidate's results directory against a baseline's, at a family-wise error rate `alpha`.

    `time`: seconds and memory too; `exact`: samples and metrics must agree bit for bit; `metrics`: those that are judged
    instead of each task's primary one. Raises ValueError where a directory is missing."""
    return Comparison(_core.compare(os.fspath(baseline), os.fspath(candidate), alpha, time, exact, allow_missing,
                                    list(metrics)))

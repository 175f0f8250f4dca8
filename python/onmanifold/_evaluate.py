# SPDX-License-Identifier: Apache-2.0
"""Functions as methods, and suites."""
from __future__ import annotations

import hashlib
import inspect
import json
import os
import signal
import subprocess
import sys
import warnings
from typing import Any, Callable, Iterable, Mapping, Sequence

from . import _core
from ._results import Results, results
from ._task import Manifold, Task, TrainingSource, task as _task


class Cell:
    """What a function is told of the cell that it computes. Valid until the cell is done."""

    def __init__(self, core: _core.Cell) -> None:
        self._core = core

    @property
    def task(self) -> str:
        """Name of the task."""
        return self._core.task

    @property
    def lift(self) -> str:
        """What was done to the training points: "none", "normal" or "isotropic"."""
        return self._core.lift

    @property
    def sigma(self) -> float:
        """Level of the lift, data units; 0 without one."""
        return self._core.sigma

    @property
    def replicate(self) -> int:
        return self._core.replicate

    @property
    def seed(self) -> int:
        """Below 2^31; depends on suite, cell and replicate. Seed all random numbers with it, and results are reproducible."""
        return self._core.seed

    @property
    def n_samples(self) -> int:
        """Samples that are wanted."""
        return self._core.n_samples

    @property
    def smallest_noise(self) -> float:
        """Smallest noise level of diffusions on this task, in units of training.scale."""
        return self._core.smallest_noise

    @property
    def lift_scale(self) -> float:
        """Pre-registered lift level of the task, data units."""
        return self._core.lift_scale

    @property
    def training(self) -> TrainingSource:
        """The training points, with new lift noise in every epoch."""
        return TrainingSource(self._core.training)

    @property
    def manifold(self) -> Manifold:
        return Manifold(self._core.manifold)

    @property
    def settings(self) -> dict[str, Any]:
        """The settings of `evaluate`."""
        return self._core.settings


class Run:
    """What became of the cells of a run."""

    def __init__(self, directory: str, record: dict[str, Any]) -> None:
        self.directory = directory
        self._record = record

    @property
    def computed(self) -> int:
        """Cells trained and sampled."""
        return int(self._record["computed"])

    @property
    def skipped(self) -> int:
        """Cells that were there."""
        return int(self._record["skipped"])

    @property
    def failed(self) -> int:
        """Cells that failed, diverged or ran out of time."""
        return int(self._record["failed"])

    @property
    def unsupported(self) -> int:
        return int(self._record["unsupported"])

    @property
    def complete(self) -> bool:
        """Whether no signal stopped it."""
        return bool(self._record["complete"])

    @property
    def troubles(self) -> list[tuple[str, str, str]]:
        """(cell, state, message) of cells that did not end well."""
        return [(cell, state, message) for cell, state, message in self._record["troubles"]]

    def results(self) -> Results:
        """What the directory holds now."""
        return results(self.directory)

    def __repr__(self) -> str:
        counts = {"computed": self.computed, "measured anew": self._record["measured"], "already there": self.skipped,
                  "failed": self.failed, "unsupported": self.unsupported, "busy elsewhere": self._record["busy"]}
        told = ", ".join(f"{count} {what}" for what, count in counts.items() if count) or "nothing to do"
        lines = [f"{self.directory}: {self._record['selected']} cells: {told}"]
        lines += [f"  {cell}: {state}: {message}" for cell, state, message in self.troubles]
        return "\n".join(lines)


class Evaluation(Run):
    """What became of the cells of a function."""


def _source_hash(function: Callable[..., Any]) -> str:
    """16 digits of the SHA-256 of a function's source; "" where there is none to read."""
    try:
        text = inspect.getsource(function)
    except (OSError, TypeError):
        return ""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _warn(record: dict[str, Any]) -> None:
    for cell, state, message in record["troubles"]:
        warnings.warn(f"{cell}: {state}: {message}", RuntimeWarning, stacklevel=3)


def evaluate(function: Callable[[Cell], Any], tasks: Iterable["str | Task"], lifts: Sequence[str] = ("none",),
             seeds: "range | Sequence[int]" = range(5), out: "str | os.PathLike[str]" = "results/evaluation", name: str = "",
             n_train: int = 10_000, n_samples: int = 10_000, n_reference: int = 10_000,
             beside: Sequence[str] = ("oracle", "gaussian"), settings: Mapping[str, Any] | None = None,
             role: str = "learner", place: str = "nowhere", force: bool = False) -> Evaluation:
    """Evaluates a Python function as a method: one cell for each task × lift × seed, in this process.

    `function(cell)` trains on `cell.training` and returns (n_samples, D) samples, or a function `(n, seed) -> samples`, so
    that training and sampling are timed apart. What it raises is a failed cell and a RuntimeWarning; NotImplementedError says
    that it cannot work there (state "unsupported"), FloatingPointError that it diverged. Ctrl-C ends the run.

    `out` then holds the same files as a suite: `python3 -m onmanifold report OUT` writes tables, `om.results(OUT)` frames.
    Finished cells are skipped, so that the same call goes on where another was stopped. The source of the function and its
    `settings` are part of the configuration: where they changed, ValueError says so, and `force` computes again.

    `lifts`: "none", "normal", "isotropic", with a level "normal:sigma=0.1". `beside`: built-in methods to run on the same data
    with their defaults. `place`: where the method handles the dimension mismatch ("data", "noise", "loss", "penalty", "target",
    "sampling", "intrinsic", "two steps", or "nowhere"). Raises ValueError for what cannot be used."""
    seeds = list(seeds)
    if not seeds or seeds != list(range(seeds[0], seeds[0] + len(seeds))) or seeds[0] < 0:
        raise ValueError(f"seeds: {seeds} is no range of replicates without gaps, such as range(5)")
    found = [_task(item) if isinstance(item, str) else item for item in tasks]
    label = name or getattr(function, "__name__", "")
    record = _core.evaluate(lambda core: function(Cell(core)), label, [item._core for item in found], list(lifts),
                            (seeds[0], seeds[-1]), (n_train, n_samples, n_reference), list(beside), os.fspath(out),
                            dict(settings or {}), _source_hash(function), role, place, force, "evaluation")
    _warn(record)
    return Evaluation(os.fspath(out), record)


def run(suite: str, out: "str | os.PathLike[str] | None" = None, jobs: int | None = None, seeds: "range | None" = None,
        only: str = "*", force: bool = False) -> Run:
    """Runs a suite, by the name of a shipped one or the path of a TOML file, on worker processes of its own.

    `out`: results/<suite> unless given; `jobs`: workers, one a core unless given; `seeds`: a range instead of the suite's
    own; `only`: a shell glob on <task>/<method>/<lift>/seed-<k>. Finished cells are skipped. Progress goes to standard error
    on a terminal. Ctrl-C ends it; finished cells are kept. Raises ValueError for what cannot be used."""
    workers = jobs if jobs is not None else len(os.sched_getaffinity(0))
    span = ""
    if seeds is not None:
        if not len(seeds) or seeds.step != 1:
            raise ValueError(f"seeds: {seeds} is no range of replicates without gaps, such as range(5)")
        span = f"{seeds[0]}..{seeds[-1]}"
    asked = [suite, "" if out is None else os.fspath(out), workers, span, only, force]
    child = subprocess.Popen([sys.executable, os.path.join(os.path.dirname(__file__), "_child.py")], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, text=True)
    try:
        answer, _ = child.communicate(json.dumps(asked))
    except BaseException:
        child.send_signal(signal.SIGINT)  # a notebook interrupts this process only
        child.wait()
        raise
    if child.returncode != 0 or not answer:
        raise RuntimeError(f"suite {suite}: the process that runs it ended with code {child.returncode}")
    told = json.loads(answer)
    if "invalid" in told:
        raise ValueError(told["invalid"])
    if "failed" in told:
        raise RuntimeError(told["failed"])
    record = told["summary"]
    for line in record["left_out"]:
        warnings.warn(f"left out: {line}", RuntimeWarning, stacklevel=2)
    _warn(record)
    return Run(record["directory"], record)

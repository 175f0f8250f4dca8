# SPDX-License-Identifier: Apache-2.0
"""Tasks, manifolds, training data and scores."""
from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from . import _core, _table
from ._arrays import as_points

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]


class Projection(NamedTuple):
    """Nearest points of a manifold."""

    points: "Array"  #: (N, D); the point itself where the projection did not converge
    distance: "Array"  #: (N,), in units of the data; NaN where it did not converge
    converged: "Array"  #: (N,), bool


class Manifold:
    """A constraint set M of dimension d in R^D. Points are rows; y is a point of M, x any point.

    All methods take N×D arrays and raise ValueError on another shape."""

    def __init__(self, core: _core.Manifold) -> None:
        self._core = core

    def __repr__(self) -> str:
        return f"<manifold {self.spec}: dimension {self.dimension} in R^{self.ambient_dimension}>"

    @property
    def spec(self) -> str:
        """The manifold in the notation of the command line, e.g. "sphere:dim=2,radius=1"."""
        return self._core.spec

    @property
    def dimension(self) -> int:
        """d"""
        return self._core.dimension

    @property
    def ambient_dimension(self) -> int:
        """D"""
        return self._core.ambient_dimension

    @property
    def codimension(self) -> int:
        """D - d"""
        return self._core.codimension

    @property
    def reach(self) -> float:
        """Every point nearer than this has one nearest point; inf for flat M, 0 for a polyhedron. Data units."""
        return self._core.reach

    @property
    def tolerance(self) -> float:
        """Largest residual that counts as being on M, data units."""
        return self._core.tolerance

    def project(self, x: Any) -> Projection:
        """Nearest points of M, with their distances and whether they were found."""
        return Projection(*self._core.project(as_points(x, "points")))

    def residual(self, x: Any) -> "Array":
        """(N, m) values of the constraints in data units: 0 exactly on M, NaN for rows that are not finite."""
        return self._core.residual(as_points(x, "points"))

    def tangent_basis(self, y: Any) -> "Array":
        """(N, d, D): d orthonormal tangent vectors a point."""
        return self._core.tangent_basis(as_points(y, "points"))

    def normal_basis(self, y: Any) -> "Array":
        """(N, D - d, D): orthonormal normal vectors a point."""
        return self._core.normal_basis(as_points(y, "points"))

    def normal_component(self, y: Any, v: Any) -> "Array":
        """(N, D): what of the vectors `v` is normal to M at `y`."""
        return self._core.normal_component(as_points(y, "points"), as_points(v, "vectors"))

    def exp(self, y: Any, v: Any) -> "Array":
        """(N, D): ends of the geodesics that start at `y` with the tangent vectors `v`. Raises ValueError where they have no
        closed form."""
        return self._core.exp(as_points(y, "points"), as_points(v, "vectors"))

    def log(self, y: Any, z: Any) -> "Array":
        """(N, D): shortest tangent vectors v at `y` with exp(y, v) = z. Raises ValueError as exp."""
        return self._core.log(as_points(y, "points"), as_points(z, "ends"))

    def random_points(self, n: int, seed: int = 0) -> "Array":
        """(n, D): uniform on M where its area is finite, else a unit Gaussian on it."""
        return self._core.random_points(n, seed)


class TrainingSource:
    """Training points of a cell with its lift: new noise in every epoch, as built-in methods get it."""

    def __init__(self, core: _core.TrainingSource) -> None:
        self._core = core

    def __len__(self) -> int:
        return len(self._core)

    def epoch(self, number: int) -> "Array":
        """(N, D): all points in the random order and with the lift noise of this pass. Equal numbers give equal arrays."""
        return self._core.epoch(number)

    @property
    def clean(self) -> "Array":
        """(N, D): the points before the lift."""
        return self._core.clean()

    @property
    def mean(self) -> "Array":
        """(D,): mean of the clean points."""
        return self._core.standardisation()[0]

    @property
    def scale(self) -> float:
        """Root of the mean variance of the clean points: (x - mean) / scale is what built-in methods train on."""
        return self._core.standardisation()[1]


@dataclass(frozen=True)
class _ScoreRequest:
    task: "Task"
    samples: "Array"
    train: "Array | None"
    metrics: str
    n_reference: int


class Score:
    """The metrics of a sample set, with what a perfect model shows at these sizes.

    `rows` is a list of dictionaries, one a number: name, samples ("raw" or "projected"), value, unit, direction, target,
    null and null_sd (of a perfect model), se, status, read_here (whether the metric is read on these samples), … The first use of `floor`, `ceiling` or `place` measures two controls
    at the same sizes: a Gaussian of the training points, and fresh draws of the truth."""

    def __init__(self, core: _core.Score, request: _ScoreRequest) -> None:
        self._core = core
        self._record = core.record()
        self._request = request
        self._scale: list[tuple[float, float, float]] | None = None

    @property
    def rows(self) -> list[dict[str, Any]]:
        return list(self._record["metrics"])

    @property
    def task(self) -> "Task":
        return self._request.task

    @property
    def samples(self) -> "Array":
        """(N, D): what was scored."""
        return self._request.samples

    def to_dict(self) -> dict[str, Any]:
        """What `onmanifold score --json` writes."""
        return self._record

    def value(self, metric: str, samples: str | None = None) -> float:
        """The value of a metric, on raw or projected samples; by default on those that the metric is read on. Raises
        ValueError where it was not measured."""
        for row in self.rows:
            wanted = row["read_here"] if samples is None else row["samples"] == samples
            if row["name"] == metric and wanted and not math.isnan(row["value"]):
                return float(row["value"])
        known = ", ".join(sorted({row["name"] for row in self.rows}))
        raise ValueError(f"no value of metric '{metric}'{f' on {samples} samples' if samples else ''} (measured: {known})")

    def _ends(self) -> list[tuple[float, float, float]]:
        if self._scale is None:
            asked = self._request
            self._scale = asked.task._core.scale(self._core, asked.train, asked.metrics, asked.n_reference)
        return self._scale

    @property
    def floor(self) -> list[float]:
        """By row, what a Gaussian with mean and covariance of the training points gets."""
        return [end[0] for end in self._ends()]

    @property
    def ceiling(self) -> list[float]:
        """By row, what fresh draws of the truth get."""
        return [end[1] for end in self._ends()]

    @property
    def place(self) -> list[float]:
        """By row, where the value lies: 0 as good as the Gaussian, 1 as a perfect model; NaN where the metric does not tell
        the two apart."""
        return [end[2] for end in self._ends()]

    def to_columns(self) -> dict[str, list[Any]]:
        """Columns of equal length, one row a number."""
        keys = ("name", "samples", "value", "unit", "direction", "target", "null", "null_sd", "se", "p", "n_samples",
                "n_reference", "n_nonfinite", "version", "status", "read_here")
        columns: dict[str, list[Any]] = {"metric" if key == "name" else key: [row[key] for row in self.rows] for key in keys}
        for key in ("target", "null", "null_sd", "se", "p"):
            columns[key] = [math.nan if value is None else value for value in columns[key]]
        columns["gaussian"], columns["oracle"], columns["place"] = self.floor, self.ceiling, self.place
        return columns

    def to_frame(self) -> Any:
        """A pandas data frame of `to_columns`. Raises RuntimeError without pandas."""
        return _table.frame(self.to_columns())

    def _table(self) -> tuple[str, list[str], list[list[str]]]:
        head = ["metric", "samples", "value", "perfect model", "gaussian", "oracle", "place", ""]
        rows = []
        for row, (floor, ceiling, place) in zip(self.rows, self._ends()):
            null = _table.number(row["null"])
            if row["null_sd"] is not None:
                null += f" ± {_table.number(row['null_sd'], 2)}"
            rows.append([row["name"], row["samples"], _table.number(row["value"]), null, _table.number(floor),
                         _table.number(ceiling), _table.number(place, 2), "" if row["status"] == _core.status_ok else row["status"]])
        title = f"{self._record['task']}: {self._record['n_samples']} samples, {self._record['n_reference']} reference points"
        return title, head, rows

    def __repr__(self) -> str:
        title, head, rows = self._table()
        return f"{title}\n{_table.as_text(head, rows)}\nplace: 0 as a Gaussian of the training points, 1 as a perfect model"

    def _repr_html_(self) -> str:
        return _table.as_html(*self._table())


class Task:
    """A distribution on a manifold with its reference, metrics and settings."""

    def __init__(self, core: _core.Task) -> None:
        self._core = core

    def __repr__(self) -> str:
        return f"<task {self.name}: {self.description}>"

    @property
    def name(self) -> str:
        return self._core.name

    @property
    def version(self) -> int:
        return self._core.version

    @property
    def description(self) -> str:
        return self._core.description

    @property
    def data_hash(self) -> str:
        """SHA-256 of what fixes the distribution."""
        return self._core.data_hash

    @property
    def metrics(self) -> str:
        """The metrics by which it is judged, in the notation of `--metrics`."""
        return self._core.metrics

    @property
    def manifold(self) -> Manifold:
        return Manifold(self._core.manifold)

    @property
    def preregistered_sigma(self) -> float:
        """Level of the lift "normal" or "isotropic" where none is given, data units."""
        return self._core.preregistered_sigma

    @property
    def sigma_grid(self) -> list[float]:
        """Lift levels of the task's sweep, data units."""
        return self._core.sigma_grid

    @property
    def smallest_noise(self) -> float:
        """Smallest noise level of diffusions, in units of TrainingSource.scale."""
        return self._core.smallest_noise

    @property
    def entropy(self) -> float:
        """Differential entropy on the manifold in nats; NaN where it is not known."""
        return self._core.entropy

    def train(self, n: int, replicate: int = 0) -> "Array":
        """(n, D): training points of a replicate as suites with seed 0 draw them, without lift. Of a data set with fewer
        points, all of them."""
        return self._core.train(n, replicate)

    def validation(self, n: int, replicate: int = 0) -> "Array":
        """(n, D): further draws, independent of training and reference points; of a data set, its validation split."""
        return self._core.validation(n, replicate)

    def reference(self, n: int = 10_000) -> "Array":
        """(n, D): the reference that scores compare with. Not to train on."""
        return self._core.reference(n)

    def source(self, x: Any, lift: str = "none", replicate: int = 0) -> TrainingSource:
        """Minibatch data of the points `x` on the manifold, lifted anew in every epoch: "none", "normal", "isotropic", or
        with a level, "normal:sigma=0.1"."""
        return TrainingSource(self._core.source(as_points(x, "points"), lift, replicate))

    def lifted(self, x: Any, lift: str, epoch: int = 0, replicate: int = 0) -> "Array":
        """(N, D): `x` in the order and with the lift noise of one epoch. Keep a `source` to ask for many."""
        return self.source(x, lift, replicate).epoch(epoch)

    def level(self, lift: str) -> float:
        """Standard deviation of the noise of a lift on this task, data units."""
        return self._core.level(lift)

    def score(self, samples: Any, train: Any = None, metrics: str = "", n_reference: int = 10_000,
              allow_nonfinite: bool = False) -> Score:
        """Scores N×D `samples` with the metrics of the task, raw and projected, or with a list like "tvd(bins=20),fd".

        `train`: the unlifted training points, for metrics that ask whether samples are copies. Rows that are not finite
        raise ValueError, or are counted and left out with `allow_nonfinite`. Ctrl-C ends it between two metrics."""
        points = as_points(samples, "samples")
        training = None if train is None else as_points(train, "train")
        core = self._core.score(points, training, "samples", metrics, n_reference, allow_nonfinite)
        return Score(core, _ScoreRequest(self, points, training, metrics, n_reference))


def task(name: str) -> Task:
    """A task by its name, or with settings: "flux-mnist14(data=made)". Raises ValueError that lists what there is."""
    return Task(_core.task(name))


def manifold(spec: str) -> Manifold:
    """A manifold in the notation of the command line: "so3", "sphere:dim=2,radius=1". Raises ValueError."""
    return Manifold(_core.manifold(spec))


def points_task(x: Any, manifold: "str | Manifold", name: str = "points") -> Task:
    """A task of one's own data: N×D points `x` on a manifold. 80 % of them are to train on, 10 % stand for fresh draws and
    10 % are the reference. Raises ValueError where a point is off the manifold, or there are fewer than 30."""
    where = _core.manifold(manifold) if isinstance(manifold, str) else manifold._core
    return Task(_core.points_task(as_points(x, "points"), where, name))

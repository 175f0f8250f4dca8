# SPDX-License-Identifier: Apache-2.0
"""Figures, where matplotlib is there."""
from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from ._task import Score

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def _pyplot() -> Any:
    try:
        import matplotlib.pyplot as pyplot
    except ImportError as error:
        raise RuntimeError("a figure needs matplotlib, which is not installed (Debian: python3-matplotlib)") from error
    return pyplot


def _draw_places(axes: Any, score: Score) -> None:
    """Every metric on the samples that it is read on: between the Gaussian (0) and a perfect model (1), with two spreads of a
    perfect model around 1."""
    shown = [(row, place, floor) for row, place, floor in zip(score.rows, score.place, score.floor)
             if row["read_here"] and not math.isnan(place)]
    for height, (row, place, floor) in enumerate(reversed(shown)):
        null, spread = row["null"], row["null_sd"]
        if null is not None and spread is not None and floor != null:
            width = 2 * spread / abs(floor - null)
            axes.plot([1 - width, 1 + width], [height, height], color="#4c8c4a", linewidth=6, alpha=0.35, solid_capstyle="butt")
        axes.plot([place], [height], "o", color="#1f3a5f")
    axes.axvline(0, color="#999999", linestyle="--", linewidth=1)
    axes.axvline(1, color="#4c8c4a", linestyle="--", linewidth=1)
    axes.set_yticks(range(len(shown)), [f"{row['name']} ({row['samples']})" for row, _, _ in reversed(shown)])
    axes.set_ylim(-0.6, len(shown) - 0.4)
    # What is far below the floor would leave no room for the rest.
    lowest = min([place for _, place, _ in shown], default=0.0)
    highest = max([place for _, place, _ in shown], default=1.0)
    axes.set_xlim(min(0.0, max(lowest, -1.5)) - 0.1, max(1.2, highest + 0.1))
    axes.set_xlabel("0: Gaussian of the training points    1: perfect model")
    axes.set_title(f"{score.task.name}, {len(score.samples)} samples")


def _draw_points(axes: Any, score: Score, most: int) -> None:
    """Samples and reference points, in space where they have three coordinates, else their first two."""
    reference = score.task.reference(most)
    samples = score.samples[:most]
    columns = 3 if samples.shape[1] == 3 else min(2, samples.shape[1])
    surface = score.task._core.surface() if columns == 3 else None
    if surface is not None:
        vertices, faces = surface
        axes.plot_trisurf(*vertices.T, triangles=faces.astype(int), color="#d9d9d9", alpha=0.25, linewidth=0)
    for points, colour, size, label in ((reference, "#8aa9c8", 5, "reference"), (samples, "#c44e52", 2, "samples")):
        where = [points[:, c] for c in range(columns)]
        if columns == 1:
            where.append(0 * points[:, 0])
        axes.scatter(*where, s=size, color=colour, label=label, alpha=0.6, linewidths=0)
    if columns == 3:
        axes.set_box_aspect((1, 1, 1))
        centre, half = (reference.max(0) + reference.min(0)) / 2, 0.55 * (reference.max(0) - reference.min(0)).max()
        axes.set_xlim(centre[0] - half, centre[0] + half)
        axes.set_ylim(centre[1] - half, centre[1] + half)
        axes.set_zlim(centre[2] - half, centre[2] + half)
    elif columns == 2:
        axes.set_aspect("equal")
    axes.set_title("samples on the reference" if samples.shape[1] <= 3 else "first two coordinates")
    axes.legend(loc="upper left", markerscale=4, frameon=False)


def plot(score: Score, most: int = 2000) -> "Figure":
    """A figure of a score: where its values lie between the Gaussian and a perfect model, and up to `most` samples on the
    reference. Raises RuntimeError without matplotlib."""
    pyplot = _pyplot()
    figure = pyplot.figure(figsize=(12, 5), layout="constrained")
    places = figure.add_subplot(1, 2, 1)
    in_space = score.samples.shape[1] == 3
    points = figure.add_subplot(1, 2, 2, projection="3d" if in_space else None)
    _draw_places(places, score)
    _draw_points(points, score, most)
    return figure

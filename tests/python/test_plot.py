# SPDX-License-Identifier: Apache-2.0
"""Figures: every number that has a place is drawn at it."""
import math

import pytest

import onmanifold as om

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")


def test_values_stand_at_their_places(sphere, tmp_path):
    score = sphere.score(sphere.validation(1000), train=sphere.train(1000))
    figure = om.plot(score, most=300)
    places, points = figure.axes[:2]
    shown = [place for row, place in zip(score.rows, score.place) if row["read_here"] and not math.isnan(place)]
    assert len(shown) < len(score.rows)
    drawn = [line.get_xdata()[0] for line in places.lines if line.get_marker() == "o"]
    assert drawn == list(reversed(shown)) and len(drawn) > 3
    assert [text.get_text() for text in places.get_yticklabels()][-1].startswith(score.rows[0]["name"])
    assert [len(cloud._offsets3d[0]) for cloud in points.collections] == [300, 300]
    figure.savefig(tmp_path / "score.png")
    assert (tmp_path / "score.png").stat().st_size > 20_000

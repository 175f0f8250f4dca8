# SPDX-License-Identifier: Apache-2.0
"""The Python blocks of the pages, run one after the other as a reader would, with small sizes."""
import functools
import importlib.util
import os
import re
from pathlib import Path

import pytest

import onmanifold as om

SOURCE = Path(__file__).parents[2]
SMALL = {"10_000": "300", '"epochs": 30': '"epochs": 1', "range(3)": "range(1)"}


def run_blocks(text):
    """All ```python blocks in one namespace; what comes after a mark of a module that is missing is left out. How many ran."""
    names, count = {}, 0
    for needs, block in re.findall(r"(?:<!-- test: needs: (\w+) -->\n)?```python\n(.*?)```", text, re.S):
        if needs and importlib.util.find_spec(needs) is None:
            continue
        for large, small in SMALL.items():
            block = block.replace(large, small)
        exec(compile(block, "a page", "exec"), names)  # noqa: S102
        count += 1
    return count


@pytest.fixture
def small(monkeypatch, tmp_path):
    """Evaluations of 300 points, in a scratch directory."""
    monkeypatch.setattr(om, "evaluate", functools.partial(om.evaluate, n_train=300, n_samples=300, n_reference=300))
    monkeypatch.chdir(tmp_path)
    matplotlib = importlib.util.find_spec("matplotlib")
    if matplotlib is not None:
        monkeypatch.setenv("MPLBACKEND", "Agg")


@pytest.mark.parametrize("page", ["docs/python.md", "README.md", "python/README.md"])
def test_pages_say_what_works(page, small):
    assert run_blocks((SOURCE / page).read_text(encoding="utf-8")) > 0
    if os.path.isdir("mine"):  # what the page evaluates has its rows
        assert {"oracle", "gaussian"} < set(om.results("mine").to_columns()["method"])


def test_a_block_that_does_not_work_is_found(small):
    with pytest.raises(ValueError, match="did you mean"):
        run_blocks('```python\nimport onmanifold as om\nom.task("sphere-vmf")\n```')

# SPDX-License-Identifier: Apache-2.0
"""Tables as text and as HTML."""
from __future__ import annotations

import html
import math
from typing import Any, Sequence


def number(value: float | None, digits: int = 4) -> str:
    """Short text of a number; a dash where there is none."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "–"
    return f"{value:.{digits}g}"


def as_text(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns aligned: the first two to the left, numbers to the right."""
    widths = [max(len(row[c]) for row in [head, *rows]) for c in range(len(head))]
    lines = []
    for row in [head, *rows]:
        cells = [cell.ljust(width) if c < 2 else cell.rjust(width) for c, (cell, width) in enumerate(zip(row, widths))]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def as_html(caption: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The same for a notebook."""
    top = "".join(f"<th>{html.escape(cell)}</th>" for cell in head)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><caption>{html.escape(caption)}</caption><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


def frame(columns: dict[str, Any]) -> Any:
    """A pandas data frame. Raises RuntimeError where pandas is not installed."""
    try:
        import pandas
    except ImportError as error:
        raise RuntimeError("a data frame needs pandas, which is not installed (Debian: python3-pandas)") from error
    return pandas.DataFrame(columns)

"""Up to which cell a line is painted again, which is what goes over the wire."""

from __future__ import annotations

import pytest

from oomtop.tui.process_table import cells as table_line
from oomtop.tui.process_table.cells import Frame, LineLook
from oomtop.tui.process_table.columns import BY_ID, MARKER_WIDTH
from oomtop.tui.style.text import Text
from oomtop.tui.widgets import panel

FRAME = Frame((BY_ID["pid"], BY_ID["growth"], BY_ID["adj"]), 80, False)
WIDTHS = [column.width for column in FRAME.columns]
LOOK = LineLook("  ", ("    1", "      0", "    0"), frozenset(), None)


@pytest.mark.parametrize(
    ("after", "width"),
    [
        (LOOK, 0),
        (LOOK._replace(cells=("    2", "      0", "    0")), MARKER_WIDTH + WIDTHS[0]),
        (LOOK._replace(cells=("    1", "     +1", "    0")), MARKER_WIDTH + sum(WIDTHS[:2]) + 1),
        (LOOK._replace(states=frozenset({"growing"})), MARKER_WIDTH + sum(WIDTHS[:2]) + 1),
        (LOOK._replace(cells=("    2", "      0", " -900")), MARKER_WIDTH + sum(WIDTHS) + 2),
        (LOOK._replace(states=frozenset({"cursor"})), 80),
        (LOOK._replace(marker="x "), 80),
        (LOOK._replace(match=(0, 2)), 80),
        (None, 80),
    ],
)
def test_a_row_is_painted_up_to_its_last_change(after: LineLook | None, width: int) -> None:
    assert table_line.changed_width(LOOK, after, FRAME) == width


@pytest.mark.parametrize(
    ("before", "after", "width"),
    [
        (Text("used 1.0G  12:00:01"), Text("used 1.0G  12:00:01"), 0),
        (Text("used 1.0G  12:00:01"), Text("used 1.0G  12:00:02"), 19),
        (Text("used 1.0G  12:00:01"), Text("used 1.1G  12:00:01"), 8),
        (Text("用 1.0G 12"), Text("用 1.1G 12"), 6),
        (Text("用 1"), Text("ab 1"), 60),
        (Text("a"), Text("ab"), 60),
        (Text("a"), Text("a", style="red"), 60),
        (Text("a"), Text("").append("a", style="red"), 60),
    ],
)
def test_a_panel_is_painted_up_to_its_last_change(before: Text, after: Text, width: int) -> None:
    assert panel.changed_width(before, after, 60) == width

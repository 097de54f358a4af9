"""What can be copied from the process table."""

from __future__ import annotations

from oomtop.analysis.model.assessment import ProcessRow
from oomtop.tui.process_table.columns import COLUMNS, ColumnContext, command_of
from oomtop.tui.process_table.widget import ProcessTable
from oomtop.tui.widgets.tab_screen import Copies, LongText
from oomtop.units import printable


def table_copies(table: ProcessTable) -> Copies:
    """Return (what it is, text): the line with all its columns, the cell sorted by, pid, command, all lines."""
    row, moment, column = table.selected_row, table.moment, table.view.column
    shown = [entry.row for entry in table.lines if not entry.members]
    titles = "  ".join(item.title for item in COLUMNS)
    lines = LongText(titles, len(shown), lambda: "\n".join([titles, *(_line(row, moment) for row in shown)]))
    whole = ("all lines", lines)
    if row is None:
        return (whole,)
    line = "  ".join(f"{item.title} {item.text(row, moment)}" for item in COLUMNS)
    return (
        ("line", printable(line)),
        ("cell", printable(column.text(row, moment))),
        ("pid", str(row.process.pid)),
        ("command", printable(command_of(row))),
        whole,
    )


def _line(row: ProcessRow, moment: ColumnContext) -> str:
    """Return all cells of a row; a newline in a command begins no line of its own."""
    return printable("  ".join(item.text(row, moment) for item in COLUMNS))

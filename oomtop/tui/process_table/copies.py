"""What can be copied from the process table."""

from __future__ import annotations

from oomtop.tui.process_table.columns import COLUMNS, command_of
from oomtop.tui.process_table.widget import ProcessTable


def table_copies(table: ProcessTable) -> tuple[tuple[str, str], ...]:
    """Return (what it is, text): the line with all its columns, the cell sorted by, pid, command, all lines."""
    row, moment, column = table.selected_row, table.moment, table.view.column
    every = "\n".join(
        "\t".join(item.text(entry.row, moment) for item in COLUMNS) for entry in table.lines if not entry.members
    )
    titles = "\t".join(item.title for item in COLUMNS)
    whole = ("all lines", f"{titles}\n{every}")
    if row is None:
        return (whole,)
    line = "  ".join(f"{item.title} {item.text(row, moment)}" for item in COLUMNS)
    return (
        ("line", line),
        ("cell", f"{column.text(row, moment)}"),
        ("pid", str(row.process.pid)),
        ("command", command_of(row)),
        whole,
    )

"""The menu of `F6`: every column with what it is."""

from __future__ import annotations

from oomtop.tui.actions.dialogs import Menu
from oomtop.tui.process_table.columns import COLUMNS
from oomtop.tui.process_table.widget import ProcessTable


def ask_sort(table: ProcessTable) -> None:
    """Ask for the sort column of a table; its order holds still meanwhile."""

    def chosen(at: int | None) -> None:
        table.hold_order = False
        if at is not None and COLUMNS[at] is not table.view.column:
            table.sort_by(COLUMNS[at].id)

    table.hold_order = True
    choices = [(at, f"{column.title:9} {column.help}") for at, column in enumerate(COLUMNS)]
    table.app.push_screen(Menu("Sort by", choices, COLUMNS.index(table.view.column)), chosen)

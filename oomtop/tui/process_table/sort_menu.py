"""The menu of `F6`: every column with what it is."""

from __future__ import annotations

from collections.abc import Callable

from oomtop.tui.process_table.columns import COLUMNS, Column
from oomtop.tui.widgets.menu import Menu


def sort_menu(current: Column) -> Menu:
    """Return the menu of all columns; the current one is preselected."""
    choices = [(at, f"{column.title:9} {column.field.help}") for at, column in enumerate(COLUMNS)]
    return Menu("Sort by", choices, COLUMNS.index(current))


def sort_chosen(sort_by: Callable[[str], object], current: Column, at: int | None) -> None:
    """Sort by the column at index `at` of the menu, unless it is the current one or none was chosen."""
    if at is not None and COLUMNS[at] is not current:
        sort_by(COLUMNS[at].id)

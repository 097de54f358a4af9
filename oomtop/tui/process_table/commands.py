"""Command palette entries of the process table: sort orders, groupings, common filters."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from oomtop.tui.process_table.columns import COLUMNS
from oomtop.tui.process_table.rows import Grouping
from oomtop.tui.process_table.widget import ProcessTable

FILTERS = (
    ("growing by more than 1 MiB a minute", "growth>1m", "leak grow"),
    ("more than 1 GiB resident", "rss>1g", "big large memory"),
    ("swapped out", "swap>0", "swap"),
    ("first to be killed", "adj>0", "sacrifice victim"),
    ("protected", "adj<0", "protect spare"),
    ("all processes", "", "no none reset clear remove"),
)
"""(what is shown, the filter, other words)."""


def table_commands(table: ProcessTable) -> Iterator[tuple[str, str, Callable[[], object]]]:
    """Yield (title, other words for it, what it does)."""
    for column in COLUMNS:
        yield (
            f"Sort by {column.title}: {column.field.help}",
            f"sort order {column.id}",
            partial(table.sort_by, column.id),
        )
    for kind in (*Grouping, None):
        name = "none (single processes)" if kind is None else kind.value
        yield f"Group by {name}", "group aggregate sum", partial(table.group_by, kind)
    for what, text, words in FILTERS:
        yield f"Filter: {what}", f"filter only show {words}", partial(table.set_filter, text)

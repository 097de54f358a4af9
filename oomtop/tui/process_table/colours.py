"""The default colours of the process table, as data."""

from __future__ import annotations

COMPONENTS = {
    f"table--{name}"
    for name in (
        "header", "sorted", "cursor", "tagged", "kernel", "gone", "group", "growing", "victim", "protected", "match",
    )
}  # fmt: skip

STYLES = """
ProcessTable {
    height: 1fr; overflow-x: hidden; overflow-y: scroll;
    scrollbar-size-vertical: 1; scrollbar-size-horizontal: 0;
}
ProcessTable .table--header { background: $panel; color: $foreground; text-style: bold; }
ProcessTable .table--sorted { text-style: bold underline; }
ProcessTable .table--cursor { background: $primary-muted; text-style: bold; }
ProcessTable:ansi .table--cursor { background: ansi_default; text-style: reverse; }
ProcessTable .table--tagged { color: $accent; text-style: bold; }
ProcessTable .table--kernel { color: $foreground 60%; }
ProcessTable .table--gone { text-style: dim strike; }
ProcessTable .table--group { text-style: bold; }
ProcessTable .table--victim { color: $error; text-style: bold; }
ProcessTable .table--growing { color: $warning; }
ProcessTable .table--protected { color: $success; }
ProcessTable .table--match { text-style: underline; }
"""

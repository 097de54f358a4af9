"""The keys and the default colours of the process table, as data."""

from __future__ import annotations

from textual.binding import Binding, BindingType

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
ProcessTable .table--sorted { text-style: bold reverse; }
ProcessTable .table--cursor { background: $primary 40%; text-style: bold; }
ProcessTable:focus .table--cursor { background: $primary; color: $background; text-style: bold; }
ProcessTable .table--tagged { color: $accent; text-style: bold; }
ProcessTable .table--kernel { color: $foreground 60%; }
ProcessTable .table--gone { text-style: dim strike; }
ProcessTable .table--group { text-style: bold; }
ProcessTable .table--victim { color: $error; text-style: bold; }
ProcessTable .table--growing { color: $warning; }
ProcessTable .table--protected { color: $success; }
ProcessTable .table--match { text-style: underline; }
"""


def _key(key: str, action: str, description: str, id: str) -> Binding:
    return Binding(key, action, description, show=False, id=f"table.{id}")


TABLE_BINDINGS: list[BindingType] = [
    _key("up", "move(-1)", "Up", "up"),
    _key("down", "move(1)", "Down", "down"),
    _key("pageup", "page(-1)", "Page up", "page_up"),
    _key("pagedown", "page(1)", "Page down", "page_down"),
    _key("home", "edge(False)", "First", "home"),
    _key("end", "edge(True)", "Last", "end"),
    _key("J", "accused", "Select the next victim of the danger on the strip", "accused"),
    _key("left", "pan(-1)", "Columns to the left", "pan_left"),
    _key("right", "pan(1)", "Columns to the right", "pan_right"),
    _key("enter", "activate", "Details", "details"),
    _key("space", "tag", "Tag", "tag"),
    _key("c", "tag_tree", "Tag with descendants", "tag_tree"),
    _key("U", "untag", "Untag all", "untag"),
    _key("M", "sort('memory')", "Sort by memory", "sort_memory"),
    _key("P", "sort('cpu')", "Sort by CPU", "sort_cpu"),
    _key("T", "sort('time')", "Sort by CPU time", "sort_time"),
    _key("I", "invert", "Invert the order", "invert"),
    _key("less_than_sign", "sort_beside(-1)", "Sort by the column on the left", "sort_left"),
    _key("greater_than_sign", "sort_beside(1)", "Sort by the column on the right", "sort_right"),
    _key("f6", "sort_menu", "Choose the sort column", "sort_menu"),
    _key("g", "group", "Group by program, user, cgroup", "group"),
    _key("t,f5", "tree", "Tree", "tree"),
    _key("F", "follow", "Follow the process", "follow"),
    _key("K", "kernel_threads", "Kernel threads", "kernel_threads"),
    _key("plus", "fold(True)", "Unfold", "unfold"),
    _key("minus", "fold(False)", "Fold", "fold"),
    *(_key(digit, f"jump('{digit}')", "Jump to a PID", f"jump_{digit}") for digit in "0123456789"),
]

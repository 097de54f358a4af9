"""The keys of the process table, as data."""

from __future__ import annotations

from textual.binding import Binding, BindingType


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
    _key("O", "pin_order", "Hold the order: figures stay fresh, new rows come last", "pin_order"),
    _key("K", "kernel_threads", "Kernel threads", "kernel_threads"),
    _key("plus", "fold(True)", "Unfold", "unfold"),
    _key("minus", "fold(False)", "Fold", "fold"),
    *(_key(digit, f"jump('{digit}')", "Jump to a PID", f"jump_{digit}") for digit in "0123456789"),
]

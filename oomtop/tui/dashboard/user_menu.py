"""The menu of `u`: every user with the number of processes and what they hold, the largest first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from oomtop.analysis.model.assessment import ProcessRow
from oomtop.tui.widgets.menu import Menu
from oomtop.units import format_bytes, printable


def user_menu(rows: Iterable[ProcessRow], chosen: str | None) -> tuple[Menu, Sequence[str | None]]:
    """Return the menu, and the user of each entry: None for all users."""
    sizes: dict[str | None, list[int]] = defaultdict(list)
    for row in rows:
        if not row.process.is_kernel_thread:
            sizes[row.user].append(row.process.rss_and_swap)
            sizes[None].append(row.process.rss_and_swap)
    users = sorted(sizes, key=lambda user: (user is not None, -sum(sizes[user])))
    lines = [f"{_name(user):20} {format_bytes(sum(sizes[user])):>6}  {_count(len(sizes[user]))}" for user in users]
    at = users.index(chosen) if chosen in sizes else 0
    return Menu("Whose processes (RSS and swap together)", list(enumerate(lines)), at), users


def _name(user: str | None) -> str:
    return "everyone" if user is None else printable(user)[:20]


def _count(number: int) -> str:
    return f"{number} process{'es' * (number != 1)}"

"""The help topics of a screen: actions, figures, keys, privileges, columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from textual.binding import Binding
from textual.screen import Screen

from oomtop.tui.base.session import State
from oomtop.tui.help.figure_help import BY_SCREEN, explain, explain_field
from oomtop.tui.process_table.columns import COLUMNS
from oomtop.tui.style.key_names import key_name


class Topic(NamedTuple):
    """A heading and its lines of (name, meaning)."""

    title: str
    lines: tuple[tuple[str, str], ...]


_UNPRIVILEGED = (
    ("seen", "memory, swap, pressure, cgroups, and size, score and growth of every process"),
    ("hidden", "mappings, environment and open files of other users' processes; the kernel log where "
                 "kernel.dmesg_restrict is 1: kills are then counted but not explained"),
    ("done", "signals, freezing and a higher oom_score_adj for your own processes"),
    ("not permitted", "a lower oom_score_adj, caches, swap, limits, kernel settings; locking oomtop in memory"),
    ("get more", "sudo oomtop; for the logs alone, membership in group adm or systemd-journal"),
)  # fmt: skip
_ROOT = (
    ("seen", "everything; anything unreadable is reported in the line above the keys"),
    ("done", "everything, after confirming its plan; --read-only disables all actions"),
)
_MARKS = (
    ("»", "the next victim of the kernel"),
    ("*", "tagged"),
    ("x", "exited, still listed while a dialog holds the list"),
    ("P", "protected: no action touches it (pid 1, kernel threads, oomtop and its parents, your list)"),
    ("≤ or <", "at most: sizes of several processes whose shared pages may count more than once"),
    ("F", "frozen: stopped by a signal or by its cgroup's freezer"),
)


def help_for(screen: Screen[None], state: State) -> tuple[Topic, ...]:
    """Return the topics for a screen, the nearest first."""
    figures = tuple((figure.name, explain(figure)) for figure in BY_SCREEN.get(screen.name or "", ()))
    actions, here, everywhere, replay = _keys(screen)
    topics = [
        Topic("Actions: each shows its plan first, Enter runs it", actions),
        Topic("Figures of this screen", figures),
        Topic("Keys of this screen", here),
        Topic("With these privileges", _ROOT if state.rights == "root" else _UNPRIVILEGED),
        Topic("Keys everywhere", everywhere),
        Topic("Recordings and comparison", replay),
        Topic("Marks in the table", _MARKS),
        Topic("Columns", tuple(_columns())),
    ]
    return tuple(topic for topic in topics if topic.lines)


def _columns() -> Iterator[tuple[str, str]]:
    for column in COLUMNS:
        yield column.title, explain_field(column.field)


_Lines = tuple[tuple[str, str], ...]
_MOVES = ("move(", "page(", "edge(", "pan(")


def _keys(screen: Screen[None]) -> tuple[_Lines, _Lines, _Lines, _Lines]:
    """Return the keys of actions, of the screen, of the app, and of recordings."""
    every = [active.binding for active in screen.active_bindings.values()]
    digits = [binding for binding in every if (binding.id or "").startswith("table.jump_")]
    here = [b for b in every if b not in digits and not _is_app(b) and not _is_action(b) and not _is_replay(b) and b.id]
    # The arrow keys need no help.
    here.sort(key=lambda binding: binding.action.startswith(_MOVES))
    jump = (("0-9", "Jump to a PID"),) if digits else ()
    return (
        tuple(_named(b for b in every if _is_action(b))),
        (*_named(here), *jump),
        tuple(_named(b for b in every if _is_app(b))),
        tuple(_named(_of_app(screen))),
    )


def _of_app(screen: Screen[None]) -> Iterator[Binding]:
    """Yield the keys of recordings, including those that work only there."""
    for binding in screen.app.BINDINGS:
        if isinstance(binding, Binding) and _is_replay(binding):
            yield binding


def _is_app(binding: Binding) -> bool:
    return (binding.id or "").startswith("app.")


def _is_action(binding: Binding) -> bool:
    return (binding.id or "").startswith("action.")


def _is_replay(binding: Binding) -> bool:
    return (binding.id or "").startswith("replay.")


def _named(bindings: Iterable[Binding]) -> Iterator[tuple[str, str]]:
    """Yield (keys, description); the keys of one binding are joined."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for binding in bindings:
        names = grouped.setdefault((binding.action, binding.description), [])
        names.extend(key_name(key) for key in binding.key.split(",") if key_name(key) not in names)
    for (_, description), names in grouped.items():
        if description:
            yield " ".join(names), description

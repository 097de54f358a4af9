"""What the setup screen offers, as lines that know their value and what changes it.  Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from oomtop.frozen import frozen, replace
from oomtop.tui.base.options import SECTIONS, Options, beside_interval
from oomtop.tui.process_table.columns import BY_ID, COLUMNS
from oomtop.tui.style.theme_file import DEFAULT

Change = Callable[[Options, int], Options]
"""(options, 1 for the next value or -1 for the one before) to the options with it."""


@frozen
class SetupLine:
    """One line: name, value and explanation."""

    name: str
    value: str
    note: str
    change: Change
    column: str | None = None
    """The column of the line, which can be moved."""
    heading: str = ""
    """The title above it, if it begins a new part."""


def choices_for(options: Options, themes: Sequence[str], shown: Sequence[str]) -> tuple[SetupLine, ...]:
    """Return all lines; `shown` are the columns on the screen while none are chosen."""
    return (
        SetupLine("Interval", f"{options.interval:g} s", "seconds between refreshes; also + and -", _interval,
               heading="Screen"),
        SetupLine("Theme", options.theme or DEFAULT, "colours; put your own theme files into ~/.config/oomtop/themes",
               lambda now, step: replace(now, theme=_beside(themes, now.theme or DEFAULT, step))),
        SetupLine("ASCII only", "yes" if options.ascii else "no", "no line or block characters",
               lambda now, _: replace(now, ascii=not now.ascii)),
        SetupLine("Sorted by", BY_ID[options.sort or "memory"].title,
               BY_ID[options.sort or "memory"].field.help,
               lambda now, step: replace(now, sort=_beside(list(BY_ID), now.sort or "memory", step))),
        *_sections(options),
        *_columns(options, shown),
    )  # fmt: skip


def _interval(now: Options, step: int) -> Options:
    return replace(now, interval=beside_interval(now.interval, step))


def _beside(names: Sequence[str], name: str, step: int) -> str:
    at = names.index(name) if name in names else -step
    return names[(at + step) % len(names)]


def _sections(options: Options) -> tuple[SetupLine, ...]:
    def toggle(id: str) -> Change:
        def change(now: Options, _: int) -> Options:
            rest = tuple(name for name in now.hidden if name != id)
            return replace(now, hidden=rest if id in now.hidden else (*now.hidden, id))

        return change

    return tuple(
        SetupLine(id.capitalize(), _box(id not in options.hidden), note, toggle(id), heading="" if at else "Sections")
        for at, (id, note) in enumerate(SECTIONS.items())
    )


def _columns(options: Options, shown: Sequence[str]) -> tuple[SetupLine, ...]:
    """Return a line for the automatic choice, the chosen columns in their order, and the others."""
    chosen = options.columns
    first = SetupLine(
        "Automatic", _box(not chosen), "the columns that fit the width, in the usual order",
        lambda now, _: replace(now, columns=tuple(shown) if not now.columns else ()), heading="Columns",
    )  # fmt: skip
    order = [*chosen, *(column.id for column in COLUMNS if column.id not in chosen)]
    marked = chosen or tuple(shown)
    return (first, *(SetupLine(BY_ID[id].title, _box(id in marked), BY_ID[id].field.help, _toggle(id, shown), id)
                     for id in order))  # fmt: skip


def _toggle(id: str, shown: Sequence[str]) -> Change:
    def change(now: Options, _: int) -> Options:
        chosen = now.columns or tuple(shown)
        if id in chosen:
            return replace(now, columns=tuple(name for name in chosen if name != id))
        # The command takes the rest of the line, so it must be last.
        at = len(chosen) - (chosen[-1:] == ("command",))
        return replace(now, columns=(*chosen[:at], id, *chosen[at:]))

    return change


def _box(on: bool) -> str:
    return "[x]" if on else "[ ]"


def move_column(options: Options, id: str, step: int, shown: Sequence[str]) -> Options:
    """Return the options with a shown column moved one place; the command stays last."""
    chosen = list(options.columns or shown)
    last = len(chosen) - ("command" in chosen)
    if id not in chosen or id == "command":
        return options
    at = chosen.index(id)
    to = at + step
    if not 0 <= to < last:
        return options
    chosen[at], chosen[to] = chosen[to], chosen[at]
    return replace(options, columns=tuple(chosen))

"""The header line: host, rights, tabs, modes, kills, clock; own protection only where it failed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from oomtop.analysis.model.assessment import Assessment
from oomtop.analysis.scope import scope_mark
from oomtop.tui.base.session import OwnState
from oomtop.tui.style.cell_width import cell_len
from oomtop.tui.style.palette import Look
from oomtop.tui.style.text import Text
from oomtop.tui.widgets.text_parts import Draw
from oomtop.units import format_count, format_duration, printable

TABS = (("processes", "Processes"), ("cgroups", "Cgroups"), ("events", "Events"), ("kernel", "Kernel"))
"""(id, title) of every tab, in the order of the Tab key and of the header."""
Part = tuple[tuple[str, ...], str]
"""(a text and its shorter forms, style)."""
_NEWS_SECONDS = 60.0
_RIGHTS: Mapping[str, tuple[str, ...]] = {
    "root with fewer rights": ("limited root", "limited"),
    "root of a user namespace": ("userns root", "userns"),
    "unprivileged": ("user",),
}
"""Shorter words for rights."""


def draw_header(standing: Callable[[], OwnState], tab: str | None = None) -> Draw:
    """Return the drawing function of the header for a source of standings, on the tab `tab` or on none."""

    def draw(assessment: Assessment, width: int, height: int, look: Look) -> list[Text]:
        own = standing()
        tabs = _tabs(tab, look)
        clock = _clock(assessment, own, width - tabs.cell_len - 1)
        room = width - tabs.cell_len - len(clock) - 2
        urgent, later = _news(assessment, own, room, look)
        news = _fitting(urgent, room)
        kills = _shortest(_kills(assessment)) if later else 0
        place = _place(assessment, own, room - news.cell_len, kills)
        rest = _fitting(later, room - cell_len(place) - news.cell_len)
        line = Text(f" {place}").append_text(tabs).append_text(news).append_text(rest)
        return [line.append(clock.rjust(max(0, width - line.cell_len)))]

    return draw


def _tabs(tab: str | None, look: Look) -> Text:
    """Return the titles of the tabs, the one in sight in brackets."""
    line = Text()
    for name, title in TABS:
        is_here = name == tab
        line.append(" " if line.cell_len else "")
        line.append(f"[{title}]" if is_here else title, look.style("accent", bold=True) if is_here else "")
    return line


def _clock(assessment: Assessment, own: OwnState, room: int) -> str:
    clock = time.strftime("%H:%M:%S", time.localtime(assessment.time))
    return next((text for text in (f"{own.interval:g}s {clock} ", f"{clock} ") if len(text) <= room), "")


def _place(assessment: Assessment, own: OwnState, room: int, kills: int) -> str:
    """Return host and rights before the tabs, the host alone, or neither; rights are shortened for old kills."""
    host = printable(assessment.machine.hostname)
    short = host.split(".")[0]
    wholes = [f"{host} {own.rights}  ", *(f"{short} {words}  " for words in (own.rights, *_RIGHTS.get(own.rights, ())))]
    beside = [text for text in wholes if cell_len(text) + kills <= room]
    return next((text for text in (*beside, *wholes, f"{short}  ") if cell_len(text) <= room), "")


def _shortest(forms: Sequence[str]) -> int:
    """Return the cells that the shortest form takes with the blanks before it."""
    return min((cell_len(form) + 2 for form in forms), default=0)


def _news(assessment: Assessment, own: OwnState, room: int, look: Look) -> tuple[list[Part], list[Part]]:
    """Return what is wanted before host and rights, most wanted first, and what after them: old kills, protection."""
    warn = look.style("warn", bold=True) or "bold"
    marks = [*own.modes, scope_mark(assessment.scope)]
    urgent: list[Part] = [((f"[{mark}]",), warn) for mark in marks if mark]
    urgent.append(((_alert(assessment, min(40, room - 2)),), warn))
    kills = (_kills(assessment), warn if _is_news(assessment) else look.style("dim"))
    guard = (_failed(own.guard), "")
    return ([*urgent, kills], [guard]) if _is_news(assessment) else (urgent, [kills, guard])


def _fitting(parts: Iterable[Part], room: int) -> Text:
    """Return of each part the longest form that there is room for."""
    line = Text()
    for forms, style in parts:
        text = next((text for text in forms if line.cell_len + cell_len(text) + 2 <= room), "")
        if text:
            line.append("  ").append(text, style)
    return line


def _is_news(assessment: Assessment) -> bool:
    age = assessment.pressure.last_kill_age
    return age is not None and age < _NEWS_SECONDS


def _kills(assessment: Assessment) -> tuple[str, ...]:
    """Return `2 killed, last 12s ago` and shorter forms; nothing where nobody was killed."""
    count, age = assessment.pressure.oom_kills, assessment.pressure.last_kill_age
    if not count and age is None:
        return ()
    killed = f"{format_count(count)} killed" if count else "killed"
    last = "" if age is None else f", last {_in_steps(age)} ago"
    return (f"{killed}{last}", killed) if last else (killed,)


def _in_steps(age: float) -> str:
    """Return an age in steps that are rare enough for a line that is always there, and no finer than they are."""
    if age < 60:
        return format_duration(age if age < 20 else age // 10 * 10)
    return f"{int(age) // 60}m" if age < 3600 else format_duration(age // 3600 * 3600).removesuffix("00m")


def _failed(guard: str) -> tuple[str, ...]:
    """Return what of oomtop's own protection failed, the whole or its beginning; nothing where all of it works."""
    if guard.startswith("not "):
        return (guard, guard.partition(":")[0])
    return (f"own {guard.partition('; ')[2]}",) if "; " in guard else ()


def _alert(assessment: Assessment, most: int) -> str:
    """Return the most severe alert that fires, and how many others do."""
    if not assessment.alerts:
        return ""
    others = len({alert.name for alert in assessment.alerts}) - 1
    more = f" +{others}" if others else ""
    return f"ALERT {printable(assessment.alerts[0].name)}"[: max(5, most - len(more))] + more

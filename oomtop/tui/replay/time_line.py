"""The time line of a replay: position, marks and keys; two lines."""

from __future__ import annotations

import time
from collections.abc import Sequence

from oomtop.frozen import frozen
from oomtop.tui.style.palette import Look
from oomtop.tui.style.text import Text

_DAY = 86400.0


@frozen
class TimeLineState:
    """What the time line shows; times are Unix times."""

    now: float
    first: float
    last: float
    playing: bool
    speed: int
    marks: Sequence[tuple[float, bool]] = ()
    """(time, whether an OOM event) of events and actions."""
    compared: float | None = None
    """The moment that was marked to compare with."""
    can_leave: bool = False


_KEYS = (
    ("p", "Play"), ("[ ]", "Step"), ("b n", "Event"), ("@", "Go to time"), ("H", "Highest PSI"), ("( )", "Speed"),
    ("m", "Mark"), ("=", "Compare"), ("?", "Help"),
)  # fmt: skip


def draw_time_line(standing: TimeLineState, width: int, look: Look) -> list[Text]:
    """Return the line and the keys, each at most `width` cells."""
    return [_line(standing, width, look), _keys(standing, width, look)]


def _line(standing: TimeLineState, width: int, look: Look) -> Text:
    form = "%H:%M:%S" if standing.last - standing.first < _DAY / 2 else "%b %d %H:%M:%S"
    state = f"{standing.speed}x" if standing.playing else "still"
    sign = (">" if look.ascii else "▶") if standing.playing else "="
    line = Text(f" {sign} {state:5} ", look.style("warn", bold=True) or "bold")
    line.append(time.strftime(form, time.localtime(standing.now)), "bold")
    end = time.strftime(" %H:%M ", time.localtime(standing.last))
    line.append(time.strftime("  %H:%M ", time.localtime(standing.first)), look.style("dim"))
    room = width - line.cell_len - len(end)
    if room >= 10:
        line.append_text(_rail(standing, room, look))
        line.append(end, look.style("dim"))
    return line


def _rail(standing: TimeLineState, room: int, look: Look) -> Text:
    """Return the rail: the played part, marks and position."""
    here = _cell(standing.now, standing, room)
    played, ahead = ("=", "-") if look.ascii else ("━", "─")
    cells = [(played if place <= here else ahead, "accent" if place <= here else "dim") for place in range(room)]
    if standing.compared is not None:
        cells[_cell(standing.compared, standing, room)] = ("m", "warn")
    # Events are drawn last, so that no action hides one.
    for when, is_event in sorted(standing.marks, key=lambda mark: mark[1]):
        if standing.first <= when <= standing.last + 60:
            cells[_cell(when, standing, room)] = ("!", "bad") if is_event else ("+", "good")
    rail = Text()
    for place, (glyph, colour) in enumerate(cells):
        style = look.style(colour, bold=colour in ("bad", "good", "warn"))
        rail.append(glyph, f"{style} reverse".strip() if place == here else style)
    return rail


def _cell(when: float, standing: TimeLineState, room: int) -> int:
    whole = standing.last - standing.first
    share = (when - standing.first) / whole if whole > 0 else 0.0
    return min(room - 1, max(0, round(share * (room - 1))))


def _keys(standing: TimeLineState, width: int, look: Look) -> Text:
    line = Text()
    for key, label in (*((("R", "Live"),) if standing.can_leave else ()), *_KEYS):
        shown = "Stop" if key == "p" and standing.playing else label
        if line.cell_len + len(key) + len(shown) + 2 > width:
            break
        line.append(key, look.style("accent", bold=True) or "bold").append(f" {shown} ")
    return line

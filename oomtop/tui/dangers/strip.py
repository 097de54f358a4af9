"""The danger strip: the one danger that the screen speaks of, who dies there and what helps; one line while calm.

```
 FULL IN 22s (20s-24s)  /web.service  129M of 300M 43% +8.0M/s          1 of 3  n
 [#########################====|................................]  full 14:20:30
 dies  oomtop-leak 11289 root, 129M, frees 123M          then nginx 902 (12M)
 do    k kill it   f freeze it   L limit +100M buys 12s   o spare it
```
"""

from __future__ import annotations

import time
from collections.abc import Callable

from oomtop.analysis.model.assessment import Assessment
from oomtop.analysis.model.danger import Danger, DangerKind, DangerState
from oomtop.tui.dangers.subject import headline, is_pressing, remedy_words, usage, victim_words, weight_of
from oomtop.tui.style.palette import Look
from oomtop.tui.style.text import Text
from oomtop.tui.widgets.text_parts import Draw, keep_end
from oomtop.units import format_about, format_bytes, format_duration, format_share, printable

FULL_HEIGHT = 4
_LEAST_NAME = 10
_CALM = {
    DangerState.STEADY: "steady",
    DangerState.FALLING: "falling",
    DangerState.EMPTY: "empty",
    DangerState.WATCHING: "",
}

Subject = Callable[[Assessment], "Danger | None"]


def height_of_strip(subject: Subject, assessment: Assessment, columns: int, rows: int) -> int:
    """Return the lines that the strip takes on a terminal of this size."""
    if not is_pressing(subject(assessment), assessment):
        return 1
    return 3 if rows < 16 else FULL_HEIGHT


def draw_strip(subject: Subject) -> Draw:
    """Return the drawing function of the strip for the danger that `subject` chooses."""

    def draw(assessment: Assessment, width: int, height: int, look: Look) -> list[Text]:
        danger = subject(assessment)
        if danger is None or not is_pressing(danger, assessment):
            return [_calm(danger, assessment, width, look)]
        lines = [_first(danger, assessment, width, look), _bar(danger, assessment, width, look)]
        lines += [_dies(danger, assessment, width, look), _do(danger, width, look)]
        return lines if height >= FULL_HEIGHT else [lines[0], *lines[2:]][:height]

    return draw


def _calm(danger: Danger | None, assessment: Assessment, width: int, look: Look) -> Text:
    watched = max((each.watched for each in assessment.dangers), default=0.0)
    if danger is None:
        return Text(" no limit is known to be near", look.style("dim"))
    begun = "watching for" if watched < 10 else "no danger in"
    ended = "" if watched < 10 else " of watching"
    line = Text(f" {begun} {format_duration(watched)}{ended}", look.style("dim") if watched >= 10 else "")
    line.append("; nearest: " if look.ascii else " · nearest: ", look.style("dim"))
    state = _CALM.get(danger.state, danger.state.value)
    tail = f", {format_share(danger.share)} of {format_bytes(danger.limit)}{state and ', '}{state}"
    line.append(keep_end(printable(danger.name), max(_LEAST_NAME, width - line.cell_len - len(tail)), look))
    return line.append(tail)


def _first(danger: Danger, assessment: Assessment, width: int, look: Look) -> Text:
    loud, more = headline(danger, assessment)
    weight = weight_of(danger, assessment)
    line = Text(" ").append(f" {loud} ", _block(weight.value, look))
    if more:
        line.append(f" {more}")
    places = [each.subject for each in assessment.dangers]
    tail = f"  {places.index(danger.subject) + 1} of {len(places)}  n" if len(places) > 1 else ""
    figures = f"  {usage(danger)}"
    room = width - line.cell_len - len(figures) - len(tail) - 2
    name = keep_end(printable(danger.name), max(_LEAST_NAME, room), look)
    line.append(f"  {name}", "bold").append(figures)
    gap = width - line.cell_len - len(tail)
    return line.append(" " * max(0, gap)).append(tail, look.style("dim")) if gap >= 0 else line


def _block(name: str, look: Look) -> str:
    colour = look.style(name)
    return f"bold reverse {colour}".strip()


def _bar(danger: Danger, assessment: Assessment, width: int, look: Look) -> Text:
    full = "" if danger.median is None else f" full {_clock(assessment.time + danger.median)}"
    cells = max(10, width - 3 - len(full))
    held = round(cells * danger.share)
    used = round(cells * min(1.0, danger.used / danger.limit))
    line = Text(" [").append("#" * held, look.style(weight_of(danger, assessment).value, bold=True))
    line.append("=" * max(0, used - held), look.style("cache"))
    rest = ("." if look.ascii else "·") * (cells - max(held, used))
    line.append(_with_brake(rest, danger, cells), look.style("dim"))
    return line.append("]").append(full)


def _with_brake(rest: str, danger: Danger, cells: int) -> str:
    """Put `|` where memory.high begins to throttle, if that is still ahead."""
    if danger.brake is None or danger.brake >= danger.limit:
        return rest
    at = round(cells * danger.brake / danger.limit) - (cells - len(rest))
    return f"{rest[:at]}|{rest[at + 1 :]}" if 0 <= at < len(rest) else rest


def _clock(when: float) -> str:
    return time.strftime("%H:%M:%S", time.localtime(when))


def _dies(danger: Danger, assessment: Assessment, width: int, look: Look) -> Text:
    words, after = victim_words(danger, assessment)
    line = Text(" dies  ", look.style("accent", bold=True) or "bold")
    line.append(words, "bold" if danger.kind is not DangerKind.COMMIT else "")
    if after and line.cell_len + len(after) + 2 <= width:
        line.append(" " * max(2, min(10, width - line.cell_len - len(after)))).append(after, look.style("dim"))
    return _cut(line, width, look)


def _do(danger: Danger, width: int, look: Look) -> Text:
    line = Text(" do    ", look.style("accent", bold=True) or "bold")
    for key, words in remedy_words(danger):
        if line.cell_len + len(key) + len(words) + 4 > width:
            break
        line.append(key, look.style("accent", bold=True) or "bold").append(f" {words}   ")
    return line


def _cut(line: Text, width: int, look: Look) -> Text:
    line.truncate(width, overflow="crop" if look.ascii else "ellipsis")
    return line


def draw_also(subject: Subject) -> Draw:
    """Return the drawing function of the other dangers, as many as fit: ` also  /cron 31M of 90M, full in 4m50s`."""

    def draw(assessment: Assessment, width: int, height: int, look: Look) -> list[Text]:
        chosen = subject(assessment)
        line = Text(" also  ", look.style("dim"))
        for each in assessment.dangers:
            text = _beside(each)
            if each is not chosen and line.cell_len + len(text) <= width:
                line.append(f"{text}   ")
        return [line]

    return draw


def _beside(danger: Danger) -> str:
    state = danger.state.value if danger.median is None else f"full in {format_about(danger.median)}"
    return f"{printable(danger.name)} {format_bytes(danger.held)} of {format_bytes(danger.limit)}, {state}"

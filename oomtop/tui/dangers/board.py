"""The board: every danger on one line, the nearest first.

```
» 22s      /web.service   129M [####=====.....] 300M  +8.0M/s  oomtop-leak 11289
  4m50s    /cron           31M [###==.........]  90M  +0.2M/s  backup 771
  steady   RAM            1.3G [=.............] 23.5G          qemu 11411
```
"""

from __future__ import annotations

from oomtop.analysis.model.assessment import Assessment
from oomtop.analysis.model.danger import Danger
from oomtop.tui.dangers.danger_words import Weight, signed_rate, weight_of
from oomtop.tui.dangers.strip import Subject
from oomtop.tui.style.palette import Look
from oomtop.tui.style.text import Text
from oomtop.tui.widgets.text_parts import Draw, keep_end
from oomtop.units import format_about, format_bytes, printable

_STATE, _RATE, _LEAST_NAME, _BAR = 9, 9, 12, 12


def board_height(assessment: Assessment, columns: int, rows: int) -> int:
    """Return the lines of the board: a title and the dangers, more on a larger terminal, none on a small one."""
    most = 0 if rows < 34 else 3 if columns < 140 else 6 if rows < 50 else 12
    return min(len(assessment.dangers), most)


def draw_board(subject: Subject) -> Draw:
    """Return the drawing function of the board; the subject of the strip is marked."""

    def draw(assessment: Assessment, width: int, height: int, look: Look) -> list[Text]:
        chosen = subject(assessment)
        shown = [each for each in assessment.dangers if each.limit][:height]
        return [_line(each, assessment, each is chosen, width, look) for each in shown]

    return draw


def _line(danger: Danger, assessment: Assessment, is_subject: bool, width: int, look: Look) -> Text:
    weight = weight_of(danger, assessment)
    state = danger.state.value if danger.median is None else format_about(danger.median)
    mark = (">" if look.ascii else "»") if is_subject else " "
    is_quiet = weight is Weight.NORMAL and not is_subject
    colour = "dim" if is_quiet else weight.value if is_subject else Weight.WARNING.value
    line = Text().append(f"{mark} {state[:_STATE]:{_STATE}}", look.style(colour, bold=not is_quiet))
    victim = "" if danger.victim is None else f"{printable(danger.victim.name)} {danger.victim.id.pid}"
    room = width - line.cell_len - (5 + 3 + _BAR + 6 + _RATE + 2)
    name_room = max(_LEAST_NAME, min(30, room - 18))
    name = keep_end(printable(danger.name), name_room, look)
    line.append(name.ljust(name_room), "" if is_subject else look.style("dim"))
    line.append(f"{format_bytes(danger.filled):>5} [").append_text(_bar(danger, look))
    line.append(f"] {format_bytes(danger.capacity):>5}{signed_rate(danger):>{_RATE}}")
    return line.append(f"  {victim}") if line.cell_len + len(victim) + 2 <= width else line


def _bar(danger: Danger, look: Look) -> Text:
    held = round(_BAR * danger.filled / danger.capacity)
    used = min(_BAR, held + round(_BAR * danger.cache / danger.capacity))
    rest = "." if look.ascii else "·"
    bar = Text("#" * held).append("=" * (used - held), look.style("cache"))
    return bar.append(rest * (_BAR - used), look.style("dim"))

"""The danger strip: the chosen danger, its victim and the remedies; one line while calm.

```
 FULL IN 22s (20s-24s) /web.service  129M of 300M 43% +8.0M/s   danger 1 of 3
 [#########################====|................................]  full 14:20:30
 dies  oomtop-leak 11289 root, 129M, frees 123M          then nginx 902 (12M)
 do    k kill it  f freeze it  L raise by 100M: +12s  o spare it  n next danger
```
With the cursor elsewhere the last line begins with what leads there: ` do    J select 11289, k kill it, f freeze it`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from oomtop.analysis.model.assessment import Assessment
from oomtop.analysis.model.danger import Armed, Danger, DangerKind, DangerState
from oomtop.tui.base.aim import Aim
from oomtop.tui.base.session import State
from oomtop.tui.dangers.danger_words import (
    Weight,
    headline,
    is_over,
    is_pressing,
    killed_words,
    nearer,
    recent_kill,
    unread_kill_words,
    usage,
    victim_words,
    weight_of,
)
from oomtop.tui.dangers.offers import OfferedKey, offers
from oomtop.tui.style.cell_width import cell_len
from oomtop.tui.style.palette import Look
from oomtop.tui.style.text import Text
from oomtop.tui.widgets.text_parts import Draw, keep_end, keep_start
from oomtop.units import format_about, format_bytes, format_duration, format_share, printable

FULL_HEIGHT = 4
_NAME = 18
"""Cells that a long name keeps before anything else is left out."""
_LEAST_NAME = 8
_WATCHED = 10.0
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


def draw_strip(state: State, aim: Callable[[Assessment], Aim]) -> Draw:
    """Return the drawing function of the strip for the danger that `state` chooses; `aim`: what the keys act on."""

    def draw(assessment: Assessment, width: int, height: int, look: Look) -> list[Text]:
        danger = state.subject(assessment)
        if danger is None or not is_pressing(danger, assessment):
            killed = _killed(assessment, state.may.is_root, width, look)
            return [killed or _calm(danger, assessment, width, look)]
        lines = [_first(danger, assessment, width, look), _bar(danger, assessment, width, look)]
        if state.replay:
            do = _then(danger, assessment, width, look)
        elif state.armed is not None:
            do = _armed(state.armed, danger, width, look)
        elif state.read_only:
            do = _do([OfferedKey("", "no action: oomtop runs with --read-only")], assessment, width, look)
        else:
            do = _do(offers(danger, assessment, aim(assessment), state.may), assessment, width, look)
        lines += [_dies(danger, assessment, width, look), do]
        return lines if height >= FULL_HEIGHT else [lines[0], *lines[2:]][:height]

    return draw


def _killed(assessment: Assessment, is_root: bool, width: int, look: Look) -> Text | None:
    """Return the line in place of an all-clear in the minute after a kill, also of one that no log tells of."""
    event = recent_kill(assessment)
    words = killed_words(event, assessment.time) if event is not None else unread_kill_words(assessment, is_root)
    if words is None:
        return None
    loud, forms = words
    line = Text(" ").append(f" {loud} ", _block(Weight.DANGER.value, look))
    return line.append(f" {_fitting(forms, width - line.cell_len - 1, look)}")


def _calm(danger: Danger | None, assessment: Assessment, width: int, look: Look) -> Text:
    if danger is None:
        return Text(" no limit is known to be near", look.style("dim"))
    heads, tails = _calm_words(danger, assessment)
    between = "; nearest: " if look.ascii else " · nearest: "
    name = printable(danger.name)
    least = 1 + len(between) + min(cell_len(name), _NAME)
    at = next((at for at in range(len(heads)) if least + len(heads[at] + tails[at]) <= width), len(heads) - 1)
    line = Text(f" {heads[at]}", look.style("dim") if danger.watched(assessment.time) >= _WATCHED else "")
    line.append(between if heads[at] else "nearest: ", look.style("dim"))
    line.append(keep_end(name, max(1, width - line.cell_len - len(tails[at])), look))
    return line.append(tails[at])


def _calm_words(danger: Danger, assessment: Assessment) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what is watched and how full the nearest limit is, each in ever shorter forms."""
    watched = max((each.watched(assessment.time) for each in assessment.dangers), default=0.0)
    share, state = format_share(danger.share), _CALM.get(danger.state, danger.state.value)
    if danger.median is not None:
        size, when = f", {share} of {format_bytes(danger.limit)}", f", full in {format_about(danger.median)}"
        return ("nothing is full soon", "", ""), (size + when, size + when, when)
    tails = (
        f", {share} of {format_bytes(danger.limit)}{state and ', '}{state}",
        f", {share} of {format_bytes(danger.limit)}",
        f", {share}",
    )
    if watched < _WATCHED:
        seen = format_duration(max(1.0, watched))
        return (f"watching for {seen}", f"watching for {seen}", "watching"), tails
    # In steps, so that a calm screen does not change.
    seen = format_duration(watched // 10 * 10 if watched < 60 else watched // 60 * 60)
    return (f"no danger in {seen} of watching", f"no danger in {seen}", "no danger"), tails


def _fitting(forms: Sequence[str], width: int, look: Look) -> str:
    """Return the longest form that fits, or the last one, cut."""
    return next((form for form in forms if cell_len(form) <= width), None) or keep_start(forms[-1], width, look)


def _first(danger: Danger, assessment: Assessment, width: int, look: Look) -> Text:
    loud, more = headline(danger, assessment)
    places = [each.subject for each in assessment.dangers]
    tails: tuple[str, ...] = ("",)
    if len(places) > 1:
        place = places.index(danger.subject) + 1
        tails = (f"  danger {place} of {len(places)}", f" danger {place}/{len(places)}")
    first, short = nearer(danger, assessment), ""
    if first is not None:
        news = headline(first, assessment)[0].lower()
        tails, short = (f"  Esc: {keep_end(printable(first.name), _NAME, look)} {news}",), f"  Esc: {news}"
    line = Text(" ").append(f" {loud} ", _block(weight_of(danger, assessment).value, look))
    more_text, figures, tail = _chosen(danger, more, tails, width - line.cell_len, short)
    line.append(more_text)
    name_room = width - line.cell_len - len(figures) - len(tail) - 1
    line.append(f" {keep_end(printable(danger.name), max(1, name_room), look)}", "bold").append(figures)
    return line.append(" " * max(0, width - line.cell_len - len(tail))).append(tail, look.style("dim"))


def _chosen(danger: Danger, more: Sequence[str], tails: Sequence[str], room: int, short: str) -> tuple[str, str, str]:
    """Return the figures beside time and name: the range is left out first, then the place, growth and share.

    A tail that has a short form, as it tells of a nearer danger, goes last.
    """
    name = min(cell_len(printable(danger.name)), _NAME) + 1
    sizes = [f"  {form}" for form in usage(danger)]
    words = [f" {form}" if form else "" for form in more]
    first = [(word, sizes[0], tail) for word in words for tail in tails]
    plain = [(words[-1], size, "") for size in (*sizes, "")]
    names = (name, _LEAST_NAME + 1)
    if short:
        kept = [("", size, form) for form in (*tails, short) for size in (*sizes, "")]
        tries = [(least, one) for least in names for one in (*first, *kept)] + [(0, plain[-1])]
    else:
        tries = [(least, one) for least in names for one in (*first, *plain)]
    return next((one for least, one in tries if least + sum(map(cell_len, one)) <= room), plain[-1])


def _block(name: str, look: Look) -> str:
    colour = look.style(name)
    return f"bold reverse {colour}".strip()


def _bar(danger: Danger, assessment: Assessment, width: int, look: Look) -> Text:
    full = "" if danger.median is None else f" full {_clock(assessment.time + danger.median)}"
    cells = max(10, width - 3 - len(full))
    held = round(cells * danger.filled / danger.capacity)
    used = min(cells, held + round(cells * danger.cache / danger.capacity))
    # Not in the colour of danger: only the time is red.
    line = Text(" [").append("#" * held, look.style("warn"))
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
    forms, after = victim_words(danger, assessment)
    label = " next  " if is_over(danger, assessment) else " dies  "
    line = Text().append(label, look.style("accent", bold=True) or "bold")
    # Who comes after is more than why the first one does not free all it holds.
    room = width - line.cell_len
    is_narrow = after and len(forms) > 1 and cell_len(forms[0] + after) + 2 > room
    words = _fitting(forms[1:] if is_narrow else forms, room, look)
    line.append(words, "bold" if danger.kind is not DangerKind.COMMIT else "")
    left = width - line.cell_len - cell_len(after)
    if after and left >= 2:
        line.append(" " * min(10, left)).append(after, look.style("dim"))
    return line


def _do(offered: Sequence[OfferedKey], assessment: Assessment, width: int, look: Look) -> Text:
    line = Text().append(" do    ", look.style("accent", bold=True) or "bold")
    for before, key, words in _chosen_keys(offered, len(assessment.dangers) > 1, width - line.cell_len):
        if line.cell_len + _cells_of((before, key, words)) > width:
            break
        line.append(before).append(key, look.style("accent", bold=True) or "bold").append(" " * bool(key) + words)
    return line


def _chosen_keys(offered: Sequence[OfferedKey], has_others: bool, room: int) -> list[tuple[str, str, str]]:
    """Return (what stands before it, key, words) of the keys that fit: the least wanted are left out first."""
    beside = [[*offered, OfferedKey("n", words)] for words in ("next danger", "next")] if has_others else []
    rows = [*beside, list(offered)]
    rows += [[each for each in row if not each.is_least] for row in rows]
    tries = [_spaced(row, gap) for row in rows for gap in (3, 2)]
    return next((row for row in tries if sum(map(_cells_of, row)) <= room), tries[-1])


def _cells_of(part: tuple[str, str, str]) -> int:
    before, key, words = part
    return cell_len(before + key + words) + bool(key)


def _spaced(offered: Sequence[OfferedKey], gap: int) -> list[tuple[str, str, str]]:
    """Return the keys with what stands before each: a comma after the key that has to be pressed first."""
    parts: list[tuple[str, str, str]] = []
    lead = None
    for each in offered:
        blanks = " " * gap if parts else ""
        if each.lead is not None and each.lead != lead:
            parts.append((blanks, *each.lead))
        parts.append((blanks if each.lead is None else ", ", each.key, each.words))
        lead = each.lead
    return parts


def _then(danger: Danger, assessment: Assessment, width: int, look: Look) -> Text:
    """Return what the recording has of the time after this moment: no action can change it."""
    line = Text().append(" then  ", look.style("accent", bold=True) or "bold")
    kill = danger.later_kills[-1] if danger.later_kills else None
    if kill is not None:
        who = f"{printable(kill.name)} {kill.pid}" if kill.pid else printable(kill.name)
        after = format_about(kill.time - assessment.time)
        forms = (f"{after} later, {_clock(kill.time)}, {who} was killed here", f"{after} later {who} was killed here")
        return line.append(_fitting(forms, width - line.cell_len, look), "bold")
    known = danger.truth.times[-1] - assessment.time if danger.truth.times else 0.0
    words = f"no kill here in the next {format_about(known)}" if known >= 1 else "nothing is recorded after this"
    return line.append(_fitting((words,), width - line.cell_len, look))


def _armed(armed: Armed, danger: Danger, width: int, look: Look) -> Text:
    """Return the armed action, with the seconds until it runs if it watches this danger."""
    line = Text(" armed ", look.style("warn", bold=True) or "bold")
    when = ""
    if armed.subject == danger.subject and danger.median is not None:
        when = f" in {format_about(max(0.0, danger.median - armed.before))}"
    forms = (f"{printable(armed.title)}{when}   A disarms", f"{printable(armed.title)}{when}")
    return line.append(_fitting(forms, width - line.cell_len, look))


def draw_also(subject: Subject) -> Draw:
    """Return the drawing function of the other dangers, as many as fit: ` also  /cron 31M of 90M, full in 4m50s`."""

    def draw(assessment: Assessment, width: int, height: int, look: Look) -> list[Text]:
        chosen = subject(assessment)
        others = [each for each in assessment.dangers if each is not chosen]
        long, short = (_named_beside(others, form, width) for form in (_beside, _briefly))
        # Sizes are left out before a group that fills up is.
        return [Text((short if short[1] > long[1] else long)[0], look.style("dim"))]

    return draw


def _named_beside(others: Sequence[Danger], form: Callable[[Danger], str], width: int) -> tuple[str, int]:
    """Return the dangers that fit, and how many of them fill up."""
    words, filling = " also", 0
    for each in others:
        text = f"{'   ' if len(words) > 5 else '  '}{form(each)}"
        if cell_len(words + text) <= width:
            words, filling = words + text, filling + (each.median is not None)
    return words, filling


def _briefly(each: Danger) -> str:
    state = each.state.value if each.median is None else f"full in {format_about(each.median)}"
    return f"{printable(each.name)} {state}"


def _beside(danger: Danger) -> str:
    state = danger.state.value if danger.median is None else f"full in {format_about(danger.median)}"
    size = f"{format_bytes(danger.filled)} of {format_bytes(danger.capacity)}"
    # The account below it has what is available.
    used = " used" if danger.kind is DangerKind.MACHINE else ""
    return f"{printable(danger.name)} {size}{used}, {state}"

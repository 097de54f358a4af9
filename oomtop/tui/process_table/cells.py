"""Draws lines of the process table: first as plain comparable text, then as styled runs.

The two steps are separate so that a tick can find changed lines without painting.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from oomtop.host.cgroup import is_inside
from oomtop.host.process import ProcessId
from oomtop.tui.process_table.columns import (
    COMMAND,
    MARKER_WIDTH,
    Align,
    Column,
    ColumnContext,
    clean,
    command_of,
    room_for_command,
)
from oomtop.tui.process_table.rows import Entry, Focus
from oomtop.tui.style.cell_width import cell_len, set_cell_size
from oomtop.tui.style.palette import Look
from oomtop.tui.widgets.text_parts import keep_end

if TYPE_CHECKING:
    from rich.style import Style

    from oomtop.tui.style.ink import Ink

S = TypeVar("S", "Style", "Ink")
Run = tuple[str, S]
"""A text of one style."""
_COMMAND_PAN = 8
_NARROW_COMMAND = 80


class Marks(NamedTuple):
    """Marks on the screen besides the figures."""

    cursor: object = None
    tagged: Collection[ProcessId] = frozenset()
    victim: ProcessId | None = None
    match: str = ""
    frozen: Collection[str] = frozenset()
    """The frozen cgroups, including descendants."""
    focus: Focus = Focus()
    """Whether its processes can die at the limit of the strip."""


class Frame(NamedTuple):
    """Settings shared by all lines of the table."""

    columns: tuple[Column, ...]
    width: int
    ascii: bool
    command_from: int = 0
    """Steps by which the command is panned."""


class LineLook(NamedTuple):
    """A line as it will be drawn; equal lines need no repaint."""

    marker: str
    cells: tuple[str, ...]
    states: frozenset[str]
    match: tuple[int, int] | None


def fit(text: str, width: int, align: Align, sign: str = "…") -> str:
    """Return `text` in exactly `width` cells: a number that does not fit as `#`, a longer text cut with `sign`."""
    cells = len(text) if text.isascii() else cell_len(text)
    if cells == width:
        return text
    if cells < width:
        return text.rjust(width - cells + len(text)) if align is Align.RIGHT else text + " " * (width - cells)
    return "#" * width if align is Align.RIGHT else set_cell_size(text, max(0, width - len(sign))) + sign[:width]


def cells_of(entry: Entry, frame: Frame, moment: ColumnContext) -> tuple[str, ...]:
    """Return the text of each column."""
    return tuple(_cell(entry, column, frame, moment) for column in frame.columns)


def look(entry: Entry, cells: tuple[str, ...], frame: Frame, marks: Marks) -> LineLook:
    """Return the look of `entry`, whose `cells` are known."""
    return LineLook(_marker(entry, frame.ascii, marks), cells, _states(entry, marks), _match(cells, frame, marks.match))


def rule(name: str, frame: Frame) -> LineLook:
    """Return the line between the processes of a cgroup and all others."""
    dash = "-" if frame.ascii else "─"
    text = f" {2 * dash} not in {keep_end(clean(name), max(8, frame.width - 16), Look(frame.ascii))} "
    return LineLook(fit(text + dash * frame.width, frame.width, Align.LEFT, ""), (), frozenset(("kernel",)), None)


def changed_width(before: LineLook | None, after: LineLook | None, frame: Frame) -> int:
    """Return the cell up to which two versions of a line differ, 0 if equal."""
    if before == after:
        return 0
    if before is None or after is None or _differ_as_a_whole(before, after):
        return frame.width
    changed, right = 0, MARKER_WIDTH
    for column, old, new in zip(frame.columns, before.cells, after.cells, strict=True):
        width = _width(column, frame)
        if old != new or (column.id == "growth" and before.states != after.states):
            changed = right + width
        right += width + 1
    return changed


def _differ_as_a_whole(before: LineLook, after: LineLook) -> bool:
    if before.marker != after.marker or before.match != after.match:
        return True
    return bool((before.states ^ after.states) - {"growing"})


def header(frame: Frame, sorted_by: Column, descending: bool, note: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the titles, the sorted one with an arrow; the last one gives way to the longest `note` that fits."""
    arrow = ("v" if descending else "^") if frame.ascii else ("▼" if descending else "▲")
    titles = ((column, column.title + (arrow if column is sorted_by else "")) for column in frame.columns)
    sign = "+" if frame.ascii else "…"
    return tuple(
        fit(_noted(title, note, column, frame), _width(column, frame), column.align, sign) for column, title in titles
    )


def _noted(title: str, note: Sequence[str], column: Column, frame: Frame) -> str:
    if column.id != COMMAND or not note:
        return title
    forms = [f"{title}  {note[0]}", *note]
    return next((form for form in forms if cell_len(form) <= _width(column, frame)), forms[-1])


def column_at(x: int, frame: Frame) -> Column | None:
    """Return the column at cell `x`."""
    right = MARKER_WIDTH
    for column in frame.columns:
        right += _width(column, frame) + 1
        if x < right:
            return column
    return None


def paint_header(titles: Sequence[str], frame: Frame, sorted_by: Column, styles: Callable[[str], S]) -> list[Run[S]]:
    """Return the runs of the header."""
    plain, marked = styles("header"), styles("sorted")
    segments = [(" " * MARKER_WIDTH, plain)]
    for title, column in zip(titles, frame.columns, strict=True):
        segments += [(title, marked if column is sorted_by else plain), (" ", plain)]
    return segments


def paint(line: LineLook, frame: Frame, base: S, styles: Callable[[str], S]) -> list[Run[S]]:
    """Return the runs of a line."""
    whole = base
    for name in ("kernel", "gone", "group", "tagged", "cursor"):
        if name in line.states:
            whole = whole + styles(name)
    if not line.cells:
        return [(line.marker, whole)]
    segments = [(line.marker, whole + styles("victim") if "victim" in line.states else whole)]
    for column, text in zip(frame.columns, line.cells, strict=True):
        own = _style_of_cell(column.id, line.states)
        style = whole + styles(own) if own else whole
        if column.id == COMMAND and line.match is not None:
            segments += _matched(text, line.match, style, styles("match"))
        else:
            segments.append((text, style))
        segments.append((" ", whole))
    return segments


def _width(column: Column, frame: Frame) -> int:
    return column.width if column.id != COMMAND else max(0, room_for_command(frame.columns, frame.width) - 1)


def _cell(entry: Entry, column: Column, frame: Frame, moment: ColumnContext) -> str:
    if column.id == COMMAND:
        text = _command(entry, _width(column, frame))[frame.command_from * _COMMAND_PAN :]
    elif column.id == "pid" and entry.members:
        text = f"x{entry.members}"
    else:
        text = column.text(entry.row, moment)
    if frame.ascii and not text.isascii():
        text = text.encode("ascii", "replace").decode()
    width = _width(column, frame)
    if column.id == "cgroup":
        return fit(keep_end(text, width, Look(frame.ascii)), width, column.align)
    return fit(text, width, column.align, "+" if frame.ascii else "…")


def _command(entry: Entry, width: int) -> str:
    """Return the command after its tree branches, the program before its folder, which is left out in little room."""
    fold = f"[+{entry.hidden}] " if entry.hidden else ""
    command = command_of(entry.row)
    if command.startswith("/"):
        path, blank, rest = command.partition(" ")
        program = path.rpartition("/")[2]
        command = f"{program}{blank}{rest}" if width < _NARROW_COMMAND else f"{program} ({command})"
    return f"{entry.prefix}{fold}{command}"


def _marker(entry: Entry, ascii_only: bool, marks: Marks) -> str:
    first = " "
    if entry.gone:
        first = "x"
    elif entry.key == marks.victim:
        first = ">" if ascii_only else "»"
    return first + ("*" if entry.key in marks.tagged else " ") + _standing(entry, marks)


def _standing(entry: Entry, marks: Marks) -> str:
    """Return F for a frozen process, P for one that is protected from the OOM killer."""
    process = entry.row.process
    if entry.members:
        return " "
    if process.state in "Tt" or any(is_inside(process.cgroup, group) for group in marks.frozen):
        return "F"
    adj = process.oom_score_adj
    return "P" if adj is not None and adj < 0 else " "


def _states(entry: Entry, marks: Marks) -> frozenset[str]:
    row = entry.row
    adj = row.process.oom_score_adj
    return frozenset(_true((
        ("cursor", entry.key == marks.cursor),
        ("tagged", entry.key in marks.tagged),
        ("victim", entry.key == marks.victim),
        ("gone", entry.gone),
        ("kernel", row.process.is_kernel_thread or (not entry.members and not marks.focus.is_member(row))),
        ("group", entry.members > 0),
        ("unkillable", row.badness is None),
        ("protected", adj is not None and adj < 0),
        ("growing", row.growth is not None and row.growth > 0),
    )))  # fmt: skip


def _true(states: Iterable[tuple[str, bool]]) -> Iterable[str]:
    return (name for name, is_so in states if is_so)


def _match(cells: Sequence[str], frame: Frame, wanted: str) -> tuple[int, int] | None:
    """Return the position of the search text in the command."""
    if not wanted:
        return None
    for column, text in zip(frame.columns, cells, strict=True):
        if column.id == COMMAND and (at := text.lower().find(wanted)) >= 0:
            return at, at + len(wanted)
    return None


def _style_of_cell(id: str, states: frozenset[str]) -> str:
    if "cursor" in states:
        return ""
    if id == "growth" and "growing" in states:
        return "growing"
    if id == "adj" and "protected" in states:
        return "protected"
    if id in ("share", "rank", "score"):
        return "victim" if "victim" in states else "kernel" if "unkillable" in states else ""
    return ""


def _matched(text: str, match: tuple[int, int], style: S, marked: S) -> list[Run[S]]:
    first, last = match
    return [(text[:first], style), (text[first:last], style + marked), (text[last:], style)]

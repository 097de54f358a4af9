"""What is sent of an update: the cells that differ, and the terminal shows what it showed with all of it."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate
from textual.strip import Strip

from oomtop.tui.terminal.changed_cells import ChangedCells, Painted, differing
from tests.tui.plain.cells import Cells

WIDTH = 24
STYLES = (Style(), Style(color="red"), Style(bold=True), Style(reverse=True, color="blue"))
CONSOLE = Console(file=io.StringIO(), force_terminal=True, color_system="truecolor", width=WIDTH)


def strip_of(*parts: tuple[str, Style]) -> Strip:
    return Strip([Segment(*part) for part in parts]).adjust_cell_length(WIDTH, Style())


STRIPS = st.lists(st.tuples(st.text("ab 漢█é", max_size=9), st.sampled_from(STYLES)), max_size=5).map(
    lambda parts: strip_of(*parts)
)


def update(*lines: Strip) -> ChopsUpdate:
    spans = [(y, 0, WIDTH) for y in range(len(lines))]
    return ChopsUpdate([{0: strip} for strip in lines], spans, [[WIDTH]] * len(lines))


@given(st.lists(st.tuples(STRIPS, STRIPS), min_size=1, max_size=6))
def test_the_terminal_shows_what_it_would_with_all_of_every_update(frames: list[tuple[Strip, Strip]]) -> None:
    painted, whole, part = Painted(), Cells(WIDTH, 2), Cells(WIDTH, 2)
    for lines in frames:
        whole.feed(update(*lines).render_segments(CONSOLE).replace("\n", ""))
        part.feed(ChangedCells(update(*lines), painted).render_segments(CONSOLE))
        assert part.grid == whole.grid


def test_only_what_differs_is_sent() -> None:
    clock = strip_of(("web-3 root  [Pro] 12:00:01", STYLES[1]))
    later = strip_of(("web-3 root  [Pro] 12:00:02", STYLES[1]))
    assert list(differing(clock, clock)) == []
    assert list(differing(None, clock)) == [(0, WIDTH)]
    assert list(differing(strip_of(("a", STYLES[0])), strip_of(("a", STYLES[1])))) == [(0, 1)]
    assert list(differing(strip_of(("ab", STYLES[0])), strip_of(("ac", STYLES[0])))) == [(1, 2)]
    far = differing(strip_of((f"a{' ' * 12}b", STYLES[0])), strip_of((f"c{' ' * 12}d", STYLES[0])))
    assert list(far) == [(0, 1), (13, 14)]
    assert [end - start for start, end in differing(clock, later)] in ([1], [])


def test_a_line_that_is_divided_otherwise_is_sent_whole() -> None:
    painted, strip = Painted(), strip_of(("abc", STYLES[0]))
    assert painted.replace(0, (0, 24), 0, strip) is None
    assert painted.replace(0, (0, 24), 0, strip) is strip
    assert painted.replace(0, (0, 12, 24), 0, strip) is None
    painted.forget()
    assert painted.replace(0, (0, 12, 24), 0, strip) is None

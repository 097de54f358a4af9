from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import cast

import pytest
from rich.cells import cell_len

from oomtop.analysis.model.assessment import ProcessRow
from oomtop.host.process import ProcessId
from oomtop.tui.process_table.cells import Frame, Marks, cells_of, fit, header, look
from oomtop.tui.process_table.columns import (
    BY_ID,
    COLUMNS,
    COMMAND,
    MARKER_WIDTH,
    ColumnContext,
    columns_for,
    columns_from,
    command_of,
    empty_columns,
    rank_victims,
    room_for_command,
)
from oomtop.tui.process_table.notes import note_of
from oomtop.tui.process_table.rows import Entry, View
from oomtop.units import GIB
from tests.tui.factories import make_process, make_row, make_rows

WIDE_FACTS = {"rss": 1023 * GIB, "swap": 999 * GIB, "adj": -1000, "score": 2000}


def ids(width: int) -> list[str]:
    return [column.id for column in columns_for(width)]


def test_80_cells_show_what_matters_when_memory_runs_out() -> None:
    assert ids(79) == ["pid", "user", "memory", "growth", "trend", "rank", "headroom", "command"]


@pytest.mark.parametrize("width", [40, 60, 79, 80, 100, 119, 120, 160, 199, 200, 240, 300])
def test_the_command_has_room_at_every_width(width: int) -> None:
    columns = columns_for(width)
    assert columns[-1].id == COMMAND
    assert room_for_command(columns, width) >= 20


@pytest.mark.parametrize("width", [79, 119, 199])
def test_wider_tables_show_more(width: int) -> None:
    assert set(ids(width)) < set(ids(width + 80))


def test_the_sorted_column_is_shown_though_there_is_no_room_unasked() -> None:
    assert "virtual" in [column.id for column in columns_for(79, sort="virtual")]


def test_columns_of_dashes_and_zeros_are_left_out_unless_they_are_asked_for() -> None:
    rows = make_rows(3)
    empty = empty_columns(rows, ColumnContext())
    assert empty == {"shmem", "swap", "growth5", "growth30", "trend", "faults", "adj", "headroom"}
    assert {"swap", "adj"}.isdisjoint(column.id for column in columns_for(120, empty=empty))
    assert "swap" in [column.id for column in columns_for(120, sort="swap", empty=empty)]
    assert "swap" in [column.id for column in columns_for(120, ["swap", "pid"], empty=empty)]
    swapped = (*rows, make_row(make_process(7, swap=GIB)))
    assert "swap" not in empty_columns(swapped, ColumnContext())
    assert not empty_columns((), ColumnContext())


def test_chosen_columns_keep_their_order_and_unknown_ids_are_skipped() -> None:
    assert [column.id for column in columns_for(120, ["swap", "nonsense", "pid", "command"])] == [
        "swap",
        "pid",
        "command",
    ]


def test_panning_keeps_the_pid_and_the_command() -> None:
    panned = columns_from(5, 80)
    assert (panned[0].id, panned[-1].id) == ("pid", "command")
    assert "user" not in [column.id for column in panned]
    assert room_for_command(panned, 80) >= 20


@pytest.mark.parametrize("width", [79, 119, 199, 260])
def test_figures_of_any_size_fill_exactly_the_line(width: int) -> None:
    process = make_process(4_194_304, rss=WIDE_FACTS["rss"], swap=WIDE_FACTS["swap"], adj=-1000, score=2000)
    row = replace(
        make_row(process, growth=-16.6 * GIB, cpu=127.99, major_fault_rate=123456.0), share=-0.999, unit="é" * 40
    )
    frame = Frame(columns_for(width), width, False)
    cells = cells_of(Entry(process.id, row), frame, ColumnContext(1e9))
    assert not any("#" in cell for cell in cells)
    assert sum(cell_len(cell) + 1 for cell in cells) + MARKER_WIDTH == width
    assert sum(cell_len(cell) + 1 for cell in header(frame, BY_ID["memory"], True)) + MARKER_WIDTH == width


def test_every_title_has_room_for_the_arrow() -> None:
    for column in COLUMNS:
        assert column.id == COMMAND or len(column.title) < column.width


def test_a_figure_that_does_not_fit_is_never_shown_wrong() -> None:
    assert fit("1234567", 5, BY_ID["pid"].align) == "#####"


def test_unknown_is_a_dash_and_sorts_below_every_figure() -> None:
    unknown = make_row(make_process(swap=None))
    assert BY_ID["swap"].text(unknown, ColumnContext()) == "-"
    key = cast("Callable[[ProcessRow, ColumnContext], float]", BY_ID["swap"].sort_key)
    assert key(unknown, ColumnContext()) < key(make_row(), ColumnContext())


@pytest.mark.parametrize(
    "command",
    [
        "\x1b[31mred\x1b[0m",
        "a\nb",
        "[red]markup[/]",
        "\u202egnp.exe",
        "zero\u200bwidth",
        "漢字" * 50,
        "e\u0301" * 9,
        "bad\udcff",
        "x" * 4_000_000,
    ],
)
def test_hostile_commands_change_nothing_but_their_own_cell(command: str) -> None:
    row = make_row(make_process(comm=command[:15], command=command))
    frame = Frame(columns_for(80), 80, False)
    cells = cells_of(Entry(row.process.id, row), frame, ColumnContext())
    assert cell_len(cells[-1]) == cell_len(header(frame, BY_ID["memory"], True)[-1])
    assert cells[-1].isprintable()


def test_ascii_shows_no_other_character() -> None:
    row = make_row(make_process(command="漢字 é"), user="jörg")
    entry, frame = Entry(row.process.id, row), Frame(columns_for(80), 80, True)
    line = look(entry, cells_of(entry, frame, ColumnContext()), frame, Marks(victim=row.process.id))
    assert (line.marker + "".join(line.cells)).isascii()
    assert line.marker == ">  "


def test_ranks_follow_the_kernel_where_it_spoke() -> None:
    rows = make_rows(12)
    first = ProcessId(105, 1105)
    ranks = rank_victims(rows, [first])
    assert (ranks[first], ranks[rows[0].process.id], ranks[rows[11].process.id]) == (1, 2, 12)


def test_a_command_begins_with_the_program_and_a_wide_one_has_its_folder() -> None:
    row = make_row(make_process(comm="postgres", command="/usr/lib/postgresql/16/bin/postgres -D /srv/db"))
    texts = [
        cells_of(Entry(row.process.id, row), Frame(columns_for(width), width, False), ColumnContext())[-1]
        for width in (80, 240, 320)
    ]
    assert texts[0].startswith("postgres -D /srv/d")
    assert texts[1].startswith("postgres -D /srv/db")
    assert texts[2].startswith("postgres (/usr/lib/postgresql/16/bin/postgres -D /srv/db)")


@pytest.mark.parametrize(("ascii_only", "sign"), [(False, "…"), (True, "+")])
def test_a_text_that_is_cut_says_so(ascii_only: bool, sign: str) -> None:
    process = make_process(comm="x", command="x " * 99, cgroup=f"/kubepods/{'p' * 40}/app")
    row = make_row(process, user="1234567890")
    frame = Frame(columns_from(0, 120, ["pid", "user", "cgroup", "command"]), 120, ascii_only)
    _, user, cgroup, command = cells_of(Entry(process.id, row), frame, ColumnContext())
    assert user == f"1234567{sign}"
    assert cgroup.startswith(".." if ascii_only else "…")
    assert cgroup.endswith("p/app")
    assert command.endswith(sign)


@pytest.mark.parametrize("width", [40, 80, 120, 200])
@pytest.mark.parametrize("ascii_only", [False, True])
def test_what_is_on_is_said_beside_the_last_title_at_every_width(width: int, ascii_only: bool) -> None:
    view = View(kernel_threads=True, accept=lambda row: True, filter_text="a filter of many words and no end")
    note = note_of(view, 3, 80, 2, follows=True, is_pinned=True)
    title = header(Frame(columns_for(width), width, ascii_only), BY_ID["memory"], True, note)[-1]
    assert all(word in title for word in ("2", "O", "F", "K"))
    assert title.rstrip()[-1] in "]…+"
    assert title.isascii() or not ascii_only
    roomy = Frame(columns_from(0, 160, ["pid", "command"]), 160, ascii_only)
    assert "O: order held, F: follows the cursor, K: with" in header(roomy, BY_ID["memory"], True, note)[-1]


@pytest.mark.parametrize(
    ("comm", "command", "shown"),
    [
        ("python3", "/usr/bin/python3 /srv/hog.py 300", "hog.py (/usr/bin/python3 /srv/hog.py 300)"),
        ("oomtop-leak", "python -I -S -c import sys", "oomtop-leak (python -I -S -c import sys)"),
        ("python3", "python3 -c import sys", "python3 -c import sys"),
        ("python3", "python3 --config x/8.conf", "python3 --config x/8.conf"),
        ("python3", "python3 -X dev -W error", "python3 -X dev -W error"),
        ("python3", "python3 -u /srv/hog.py 300", "hog.py (python3 -u /srv/hog.py 300)"),
        ("python3", "python3 -c run x.py", "python3 -c run x.py"),
        ("python3", "python3 /srv/hog -c x", "hog (python3 /srv/hog -c x)"),
        ("node", "node --require ./trace.conf app.js", "node --require ./trace.conf app.js"),
        ("perl", "perl -w", "perl -w"),
        ("bash", "bash /dev/fd/3", "bash /dev/fd/3"),
        ("nginx", "nginx: worker process", "nginx: worker process"),
        ("postgres", "/usr/lib/postgresql/16/bin/postgres -D /srv", "/usr/lib/postgresql/16/bin/postgres -D /srv"),
        ("a-name-of-15-by", "/opt/a-name-of-15-bytes --run", "/opt/a-name-of-15-bytes --run"),
        ("kworker/0:1", None, "[kworker/0:1]"),
    ],
)
def test_a_name_stands_before_a_command_that_does_not_tell_it(comm: str, command: str | None, shown: str) -> None:
    assert command_of(make_row(make_process(comm=comm, command=command))) == shown

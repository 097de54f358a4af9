"""The strip, the board and the forecast: what they say in each state, at each width, in ASCII and without a victim."""

import time
from typing import Any

import pytest

from oomtop.analysis.model.assessment import Scope
from oomtop.analysis.model.danger import Armed, Danger, DangerKind, DangerState, Dying, PastKill, Remedy, UseCurve
from oomtop.frozen import replace
from oomtop.host.process import ProcessId
from oomtop.tui.dangers.board import draw_board
from oomtop.tui.dangers.forecast_chart import chart_of
from oomtop.tui.dangers.strip import draw_also, draw_strip, height_of_strip
from oomtop.tui.process_table.order import nearest
from oomtop.tui.style.cell_width import cell_len
from oomtop.tui.style.palette import Look
from oomtop.units import GIB, MIB
from tests.tui.allowed import at_victim, everything
from tests.tui.factories import NOW, make_assessment, make_danger, make_process, make_row

LEGEND = "█ past  ╱ expected  ▒ range  ✗ kill"
ROWS = (
    make_row(make_process(11289, "oomtop-leak", rss=129 * MIB, cgroup="/web"), user="root"),
    make_row(make_process(902, "nginx", rss=12 * MIB, cgroup="/web"), user="www"),
)
CALM: dict[str, Any] = {"state": DangerState.STEADY, "rate": 0.0, "earliest": None, "median": None, "latest": None}


def strip(danger: Danger, width: int = 80, height: int = 4, ascii_only: bool = False) -> list[str]:
    assessment = make_assessment(ROWS, dangers=(danger, make_danger("/cron", ROWS[1:], **CALM)))
    return [line.plain for line in draw_strip(everything(), at_victim)(assessment, width, height, Look(ascii_only))]


def test_what_an_engineer_needs_is_on_the_strip() -> None:
    first, bar, dies, do = strip(make_danger(rows=ROWS))
    assert " ".join(first.split()) == "FULL IN 22s (20s-24s) /web 129M of 300M 43% +8.0M/s danger 1 of 2"
    assert bar.count("#") == 27
    assert bar.count("=") == 11
    assert " full " in bar
    assert dies.startswith(" dies  oomtop-leak 11289 root, 129M, frees 129M")
    assert dies.endswith("then nginx 902 (12.0M)")
    assert do == " do    k kill it  f freeze it  L raise by 100M: +12s  o spare it  n next danger"


@pytest.mark.parametrize("width", [40, 60, 80, 120, 200])
@pytest.mark.parametrize("ascii_only", [False, True])
@pytest.mark.parametrize("name", ["/web", "/system.slice/" + 60 * "w" + ".service", "/漢字" * 20])
def test_no_figure_is_cut_however_long_the_name_is(width: int, ascii_only: bool, name: str) -> None:
    for line in strip(make_danger(rows=ROWS, name=name), width, 4, ascii_only)[:1]:
        assert "FULL IN 22s" in line
        assert "+8.0M/s" in line or width < 60


def test_calm_is_one_line_and_never_an_all_clear_in_the_first_seconds() -> None:
    assert strip(make_danger(**CALM)) == [" no danger in 1m00s of watching · nearest: /web, 43% of 300M, steady"]
    young = CALM | {"state": DangerState.WATCHING, "first_seen": NOW - 3.0}
    assessment = make_assessment((), dangers=(make_danger(**young),))
    assert (
        draw_strip(everything(), at_victim)(assessment, 80, 1, Look())[0].plain
        == " watching for 3s · nearest: /web, 43% of 300M"
    )


def test_a_kill_of_the_last_minute_is_no_calm() -> None:
    now = make_assessment(()).time
    killed = make_danger(rows=ROWS, kills=(PastKill(now - 4, 7, "surge", 5),), **CALM)
    first = strip(killed)[0]
    assert "KILLED 4s ago" in first
    assert "surge" in first
    assert len(strip(make_danger(rows=ROWS, kills=(PastKill(now - 61, 7, "surge", 5),), **CALM))) == 1


def test_the_commit_limit_kills_nobody() -> None:
    dies = strip(make_danger("commit", kind=DangerKind.COMMIT, remedies=()))[2]
    assert dies == " dies  nobody: allocations fail"


def test_the_height_follows_the_danger() -> None:
    filling, calm = (make_assessment((), dangers=(make_danger(**facts),)) for facts in ({}, CALM))
    assert [height_of_strip(nearest, filling, 80, rows) for rows in (12, 24, 60)] == [3, 4, 4]
    assert height_of_strip(nearest, calm, 80, 24) == 1


def test_the_others_are_named() -> None:
    far = make_danger("/cron", median=290.0)
    assessment = make_assessment(
        (), dangers=(make_danger(), far, make_danger("RAM", kind=DangerKind.MACHINE, limit=24 * GIB, **CALM))
    )
    (line,) = draw_also(nearest)(assessment, 80, 1, Look())
    assert line.plain.startswith(" also  /cron 129M of 300M, full in 4m50s   RAM 129M of 24.0G used, steady")
    board = [line.plain for line in draw_board(nearest)(assessment, 80, 3, Look())]
    assert [line[:2] for line in board] == ["» ", "  ", "  "]
    assert all(len(line) <= 80 for line in board)


def test_sizes_are_left_out_before_a_group_that_fills_up() -> None:
    others = [make_danger(f"/oomtop-drill-{number}", median=100.0 + number) for number in (4180, 4181)]
    assessment = make_assessment((), dangers=(make_danger(), *others))
    (line,) = draw_also(nearest)(assessment, 80, 1, Look())
    assert line.plain == " also  /oomtop-drill-4180 full in 1h11m   /oomtop-drill-4181 full in 1h11m"


@pytest.mark.parametrize("ascii_only", [False, True])
def test_the_forecast_shows_the_limit_the_cone_and_the_kill(ascii_only: bool) -> None:
    now = 1_000_000.0
    times = [now - 60 + at for at in range(61)]
    held = [10.0 * MIB if at < 30 else (10.0 + (at - 30) * 4) * MIB for at in range(61)]
    curve = UseCurve(times, held, [each + 50 * MIB for each in held], [0.0] * 61)
    danger = make_danger(curve=curve, kills=(PastKill(now - 40, 3, "surge", 5),))
    lines = [line.plain for line in chart_of(danger, now, 120, (80, 8), Look(ascii_only))]
    assert lines[0].startswith("300M")
    limit = lines[0].replace(f" {'# past  / expected  : range  X kill' if ascii_only else LEGEND} ", "")
    assert limit != lines[0]
    assert limit.count("X" if ascii_only else "✗") == 2
    assert "surge" in lines[1]
    assert {"now", "+20s"} <= set(lines[-1].split())
    assert all(line.isascii() for line in lines) == ascii_only
    assert len(lines) == 8


def test_what_is_armed_counts_down_on_the_strip() -> None:
    armed = Armed("/web", "Send SIGSTOP to 11289 (oomtop-leak)", 5.0)
    draw = draw_strip(everything(armed=armed), at_victim)
    assessment = make_assessment(ROWS, dangers=(make_danger(rows=ROWS),))
    assert draw(assessment, 80, 4, Look())[3].plain == " armed Send SIGSTOP to 11289 (oomtop-leak) in 17s   A disarms"
    other = make_assessment(ROWS, dangers=(make_danger("/cron", rows=ROWS),))
    assert " in " not in draw(other, 80, 4, Look())[3].plain


def test_where_one_kill_frees_little_the_group_is_named() -> None:
    few = of_many(make_danger(rows=ROWS))
    _, _, dies, do = strip(few)
    assert dies == " dies  oomtop-leak 11289 root, 129M, frees 129M; one of 2"
    assert do == " do    k kill the group: 129M  f freeze the group  L raise by 100M: +12s  n next"
    machine = replace(few, kind=DangerKind.MACHINE)
    assert strip(machine)[3].startswith(" do    k kill it (frees 4.0M)  f freeze it  ")


def of_many(danger: Danger) -> Danger:
    """Return a danger that the death of its victim does not end."""
    _, *others = danger.remedies
    return replace(danger, remedies=(Remedy("kill", danger.dying[0].id, 4 * MIB, 0.5), *others))


def test_of_many_those_that_are_new_are_counted() -> None:
    rows = [make_row(make_process(pid, "swarm", rss=MIB, cgroup="/web/a"), user="root") for pid in range(500, 540)]
    assessment = make_assessment(rows, monotonic=19.0, dangers=(of_many(make_danger(rows=rows)),))
    dies, do = (line.plain for line in draw_strip(everything(), at_victim)(assessment, 80, 4, Look())[2:])
    assert dies == " dies  swarm 500 root, 1.0M, frees 1.0M; one of 40, 40 new in 5s"
    assert "k kill the group: 80.0M  " in do
    short = draw_strip(everything(), at_victim)(assessment, 50, 4, Look())[2].plain
    assert short == " dies  swarm 500, frees 1.0M; one of 40"
    hidden = replace(assessment, scope=Scope(sees_all=False))
    assert "k kill the group  " in draw_strip(everything(), at_victim)(hidden, 80, 4, Look())[3].plain


@pytest.mark.parametrize(("swap", "why"), [(0, " (rest shared)"), (20, " (rest in swap)")])
def test_why_a_death_frees_less_than_is_held_is_said_where_there_is_room(swap: int, why: str) -> None:
    rows = (make_row(make_process(7, "leak", rss=70 * MIB, swap=swap * MIB, cgroup="/web"), user="root"), *ROWS[1:])
    danger = make_danger(rows=rows)
    first = replace(danger.dying[0], held=100 * MIB, frees=70 * MIB)

    def dies(width: int, *dying: Dying) -> str:
        assessment = make_assessment(rows, dangers=(replace(danger, dying=dying),))
        return draw_strip(everything(), at_victim)(assessment, width, 4, Look())[2].plain

    assert dies(80, first) == f" dies  leak 7 root, 100M, frees 70.0M{why}"
    assert dies(80, replace(first, frees=91 * MIB)).endswith("frees 91.0M")
    assert dies(61, first, danger.dying[1]).endswith("frees 70.0M  then nginx 902 (12.0M)")


@pytest.mark.parametrize("ascii_only", [False, True])
def test_actions_are_ticks_with_the_letters_of_their_keys(ascii_only: bool) -> None:
    now = 1_000_000.0
    curve = UseCurve([now - 60 + at for at in range(61)], [60.0 * MIB] * 61, [60.0 * MIB] * 61, [0.0] * 61)
    titles = ("Freeze /web", "Send SIGKILL to 7 (a)", "Set memory.max of /web to 1G", "OOM", "alert low")
    marks = [(now - 50 + 10 * at, title) for at, title in enumerate(titles)]
    chart = chart_of(make_danger(curve=curve), now, 120, (80, 8), Look(ascii_only), marks)
    letters = [char for char in chart[0].plain[4:] if char.isalpha() and char != "X"]
    assert letters == ["f", "k", "L"]


def test_who_comes_after_is_left_out_where_its_wide_name_has_no_room() -> None:
    rows = (ROWS[0], make_row(make_process(902, "漢字" * 4, rss=12 * MIB, cgroup="/web"), user="www"))
    assert all(cell_len(line) <= 80 for line in strip(make_danger(rows=rows)))


def test_how_many_die_with_the_victim_is_said() -> None:
    line = strip(make_danger(rows=ROWS[:1], dies_with=(ProcessId(5, 1), ProcessId(6, 1))), 100)[2]
    assert line == " dies  oomtop-leak 11289 root, 129M with 2 others, frees 129M"


def test_a_chart_has_the_size_it_is_given_whatever_stdout_is() -> None:
    now = 1_000_000.0
    curve = UseCurve([now - 60 + at for at in range(61)], [60.0 * MIB] * 61, [60.0 * MIB] * 61, [0.0] * 61)
    chart = chart_of(make_danger(curve=curve), now, 120, (200, 40), Look())
    assert len(chart) == 40
    assert {line.cell_len for line in chart} == {200}


@pytest.mark.parametrize("limit", [0, 10])
def test_a_group_that_holds_a_million_times_its_limit_is_drawn_at_once(limit: int) -> None:
    now = 1_000_000.0
    much = [1000.0 * MIB] * 61
    curve = UseCurve([now - 60 + at for at in range(61)], much, much, [0.0] * 61)
    begun = time.process_time()
    chart = chart_of(replace(make_danger(curve=curve), limit=limit), now, 120, (80, 8), Look())
    assert len(chart) == 8
    assert time.process_time() - begun < 2

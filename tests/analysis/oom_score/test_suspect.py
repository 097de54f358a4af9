"""Whom the key J goes to: who dies at the subject, else the process of the first finding."""

from typing import Any

from oomtop.analysis.model.assessment import CgroupFigures, Finding, ProcessRow, Severity
from oomtop.analysis.oom_score.suspect import accused, next_victims
from oomtop.host.cgroup import Cgroup
from oomtop.units import GIB
from tests.present import present
from tests.tui.factories import calm_danger, make_assessment, make_process, make_row, make_victims

ROWS = [make_row(make_process(pid, f"p{pid}", rss=(10 - pid) * GIB)) for pid in (1000, 1001, 1002)]
IDS = [row.process.id for row in ROWS]


def group(path: str, row: ProcessRow) -> CgroupFigures:
    return CgroupFigures(Cgroup(path, GIB, max=2 * GIB), path, 2 * GIB, GIB, None, make_victims([row]))


GROUPS = (group("/a", ROWS[1]), group("/b", ROWS[2]))


def finding(**more: Any) -> Finding:
    return Finding("x", Severity.CRITICAL, "", "", "", **more)


def test_the_subject_names_its_victim_whatever_is_found_elsewhere() -> None:
    found = make_assessment(
        ROWS, cgroups=GROUPS, dangers=(calm_danger("/b", 5.0), calm_danger("/a")), findings=(finding(target=IDS[0]),)
    )
    assert accused(found) == IDS[2]
    assert present(next_victims(found).first).id == IDS[2]


def test_a_chosen_subject_names_its_victim() -> None:
    dangers = (calm_danger("/b", 5.0), calm_danger("/a"))
    found = make_assessment(ROWS, cgroups=GROUPS, dangers=dangers)
    assert accused(found, dangers[1]) == IDS[1]


def test_while_all_is_calm_it_is_the_process_of_the_first_finding() -> None:
    calm = (calm_danger("/a"), calm_danger())
    assert accused(make_assessment(ROWS, cgroups=GROUPS, dangers=calm, findings=(finding(target=IDS[2]),))) == IDS[2]
    assert accused(make_assessment(ROWS, cgroups=GROUPS, dangers=calm, findings=(finding(),))) == IDS[1]


def test_without_groups_it_is_the_next_victim_of_the_machine() -> None:
    found = make_assessment(ROWS, cgroups=GROUPS, dangers=(calm_danger(),))
    assert accused(found) == present(found.victims.first).id
    assert accused(make_assessment(())) is None

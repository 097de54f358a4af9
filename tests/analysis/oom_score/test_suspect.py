"""Whom the key J goes to: the finding's process, the victim of its group or of the one full first, the next victim."""

from oomtop.analysis.model.assessment import CgroupFigures, Exhaustion, Finding, Severity
from oomtop.analysis.oom_score.suspect import accused
from oomtop.host.cgroup import Cgroup
from oomtop.units import GIB
from tests.tui.factories import make_assessment, make_process, make_row, make_victims

ROWS = [make_row(make_process(pid, f"p{pid}", rss=(10 - pid) * GIB)) for pid in (1000, 1001, 1002)]
IDS = [row.process.id for row in ROWS]


def group(path, row):
    return CgroupFigures(Cgroup(path, GIB, max=2 * GIB), path, 2 * GIB, GIB, None, make_victims([row]))


GROUPS = (group("/a", ROWS[1]), group("/b", ROWS[2]))


def finding(**more):
    return Finding("x", Severity.CRITICAL, "", "", "", **more)


def outlook(resource, seconds):
    return Exhaustion(resource, GIB, 1.0, seconds=seconds)


def test_a_finding_with_a_process_names_it():
    assert accused(make_assessment(ROWS, findings=(finding(target=IDS[2]),))) == IDS[2]


def test_a_finding_about_a_group_names_its_victim():
    found = make_assessment(ROWS, cgroups=GROUPS, findings=(finding(cgroup="/b"),), exhaustion=(outlook("/a", 5.0),))
    assert accused(found) == IDS[2]


def test_without_a_process_it_is_the_victim_of_what_is_full_first():
    found = make_assessment(ROWS, cgroups=GROUPS, findings=(finding(),), exhaustion=(outlook("/a", 5.0),))
    assert accused(found) == IDS[1]


def test_else_it_is_the_next_victim_of_the_machine():
    found = make_assessment(ROWS, cgroups=GROUPS, exhaustion=(outlook("RAM", None),))
    assert accused(found) == found.victims.first.id
    assert accused(make_assessment(())) is None

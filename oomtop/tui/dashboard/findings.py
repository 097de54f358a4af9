"""The findings: one line per cause, with the key that acts on it."""

from __future__ import annotations

from collections.abc import Sequence

from oomtop.analysis.model.assessment import Assessment, Finding, Severity
from oomtop.tui.style.palette import Look
from oomtop.tui.style.text import Text
from oomtop.tui.widgets.text_parts import keep_start
from oomtop.units import printable

_LEAST_TITLE = 40


def findings_height(assessment: Assessment, columns: int, rows: int) -> int:
    """Return the number of lines of the findings."""
    return min(len(_told(assessment)), 1 if rows < 34 else 3 if rows < 50 else 5)


def draw_findings(assessment: Assessment, width: int, height: int, look: Look) -> list[Text]:
    """Return a line for each finding, the most severe first."""
    return [_finding(finding, width, look) for finding in _told(assessment)[:height]]


def _told(assessment: Assessment) -> Sequence[Finding]:
    """Return the findings without limits that fill up: the strip and the board show those."""
    return [finding for finding in assessment.findings if finding.id != "cgroup_limit"]


def _finding(finding: Finding, width: int, look: Look) -> Text:
    style = look.style("bad" if finding.severity is Severity.CRITICAL else "warn", bold=True)
    line = Text("!! " if finding.severity is Severity.CRITICAL else "!  ", style)
    line.append(printable(finding.title))
    return _with_advice(line, printable(finding.advice), width, look)


def _with_advice(line: Text, advice: str, width: int, look: Look) -> Text:
    """Append as many whole clauses of the advice as fit.

    The first clause, with the key, is shown whenever the title stays readable.
    """
    clauses = advice.split("; ")
    while len(clauses) > 1 and line.cell_len + 2 + len("; ".join(clauses)) > width:
        clauses.pop()
    said = "; ".join(clauses)
    if line.cell_len + 2 + len(said) > width:
        said = said.partition(", ")[0]
        left = width - 2 - len(said)
        if left < _LEAST_TITLE:
            left, said = width, ""
        line = Text(keep_start(line.plain, left, look), line.style)
    return line.append(f"  {said}" if said else "")

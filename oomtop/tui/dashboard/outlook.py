"""The outlook: how long it lasts, who is next, who grows, and the most important finding in one sentence."""

from __future__ import annotations

from dataclasses import replace

from rich.cells import cell_len
from rich.text import Text

from oomtop.analysis.model.assessment import Assessment, Severity
from oomtop.analysis.oom_score.suspect import full_first, next_victims
from oomtop.analysis.sentences import OF_THOSE_SEEN, describe_early_killer, describe_exhaustion, describe_victim
from oomtop.tui.style.palette import Look
from oomtop.tui.widgets.text_parts import keep_end
from oomtop.units import format_rate, printable

_LEAST_TITLE = 40
_LEAST_NAME = 12


def draw_outlook(assessment: Assessment, width: int, height: int, look: Look) -> list[Text]:
    """Return two lines, and further findings where there is room."""
    lines = [_outlook(assessment, width, look), _next(assessment, width, look)]
    findings = list(assessment.findings)
    for finding in findings[: max(1, height - 2)]:
        style = look.style("bad" if finding.severity is Severity.CRITICAL else "warn", bold=True)
        line = Text("!! " if finding.severity is Severity.CRITICAL else "!  ", style)
        line.append(printable(finding.title), style)
        lines.append(_with_advice(line, printable(finding.advice), width))
    if not findings:
        lines.append(Text("   nothing to worry about", look.style("dim")))
    return lines[:height] if height else lines


def _with_advice(line: Text, advice: str, width: int) -> Text:
    """Add as many whole clauses of the advice as there is room for, so that none is cut in two.

    The first one, which names the key, is there at any width that leaves the title enough to be understood.
    """
    clauses = advice.split("; ")
    while len(clauses) > 1 and line.cell_len + 2 + len("; ".join(clauses)) > width:
        clauses.pop()
    said = "; ".join(clauses)
    if line.cell_len + 2 + len(said) > width:
        said = said.partition(", ")[0]
        left = width - 2 - len(said)
        if left < _LEAST_TITLE:
            return line
        line.truncate(left, overflow="ellipsis")
    return line.append(f"  {said}")


def _outlook(assessment: Assessment, width: int, look: Look) -> Text:
    line = Text("Left ")
    if not assessment.exhaustion:
        return line.append("-")
    first, group = assessment.exhaustion[0], full_first(assessment)
    soon = first.seconds is not None and first.seconds < 300
    name = printable(first.resource if group is None else group.name)
    room = width - line.cell_len - cell_len(printable(describe_exhaustion(replace(first, resource=""))))
    said = describe_exhaustion(replace(first, resource=keep_end(name, max(_LEAST_NAME, room), look)))
    return line.append(printable(said), look.style("bad", bold=True) if soon else "")


def _next(assessment: Assessment, width: int, look: Look) -> Text:
    line = Text("Next ")
    group, victims = full_first(assessment), next_victims(assessment)
    early = assessment.early_killers[0] if assessment.early_killers and group is None else None
    if early is not None:
        line.append(printable(describe_early_killer(early)), look.style("bad", bold=True) if early.room == 0 else "")
        line.append("  the kernel: ")
    line.append(printable(describe_victim(victims.first)) if victims.first else "no process can be killed")
    if group is None and not assessment.scope.sees_all:
        line.append(f" {OF_THOSE_SEEN}")
    if group is not None:
        when = f" when {printable(group.name)} is full"
        line.append(when if line.cell_len + cell_len(when) <= width else " when it is full")
    if victims.near_tie and len(victims.candidates) > 1:
        line.append(f" (or {printable(victims.candidates[1].name)})")
    if victims.culprit:
        _add(line, f"  {victims.culprit}", width, look)
    rows = {row.process.id: row for row in assessment.rows} if assessment.growers else {}
    growing = [rows[identity] for identity in assessment.growers[:2] if identity in rows]
    for at, row in enumerate(growing):
        text = f"{printable(row.process.comm)} {format_rate(row.growth)}"
        if not _add(line, f"  growing: {text}" if at == 0 else f", {text}", width, look):
            break
    return line


def _add(line: Text, text: str, width: int, look: Look) -> bool:
    """Add a part that is not to be cut in two, if there is room for it."""
    if line.cell_len + cell_len(text) > width:
        return False
    line.append(text, look.style("warn"))
    return True

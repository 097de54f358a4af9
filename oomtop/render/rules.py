"""The matches of each configured pattern, as plain text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from oomtop.analysis.pattern_matches import PatternMatch
from oomtop.host.process import Process
from oomtop.units import printable

NOTHING = "no patterns configured; see `protected` and [[adjust]] in docs/configuration.md"


def render_rules(matches: Sequence[PatternMatch], most: int) -> str:
    """Return each pattern with the processes that it fits, `most` of them named."""
    return "\n".join(printable(line) for match in matches for line in _lines(match, most)) if matches else NOTHING


def rules_to_json(matches: Sequence[PatternMatch]) -> dict[str, object]:
    """Return all matches as JSON, schema 1."""
    return {
        "schema": 1,
        "rules": [
            {
                "rule": match.title,
                "processes": [
                    {
                        "pid": process.pid,
                        "name": process.comm,
                        "oom_score_adj": process.oom_score_adj,
                        "command": process.command,
                    }
                    for process in match.processes
                ],
                "decided_before": match.decided_before,
                "is_free_to_claim": match.is_free_to_claim,
            }
            for match in matches
        ],
    }


def _lines(match: PatternMatch, most: int) -> Iterator[str]:
    yield f"{match.title}: {_count(len(match.processes))}"
    for process in match.processes[:most]:
        yield f"  {process.pid:>7} {_adj(process)}  {process.comm:15}  {process.command or ''}"[:200].rstrip()
    if len(match.processes) > most:
        yield f"  and {len(match.processes) - most} more"
    if match.decided_before:
        yield f"  and {_count(match.decided_before)} decided by an earlier [[adjust]]"
    if match.is_free_to_claim and match.processes:
        yield "  any process can take this name: add unit or user, which a process cannot choose"


def _count(number: int) -> str:
    return "no process" if not number else "1 process" if number == 1 else f"{number} processes"


def _adj(process: Process) -> str:
    return "adj     -" if process.oom_score_adj is None else f"adj {process.oom_score_adj:>5}"

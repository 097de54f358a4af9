"""Finds the processes that each `protected` pattern and each `[[adjust]]` matches now; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from oomtop.analysis.process_patterns import ProcessNames, fits, is_protected
from oomtop.config.load import AdjustRule
from oomtop.frozen import frozen
from oomtop.host.process import Process, ProcessId


@frozen
class PatternMatch:
    """One pattern, or the patterns of one rule."""

    title: str
    """As written in the file."""
    processes: tuple[Process, ...]
    """The processes it protects, or whose `oom_score_adj` it sets."""
    decided_before: int = 0
    """Number of matches that an earlier rule decides."""
    is_free_to_claim: bool = False
    """Whether it protects by a name that any process can give itself."""


def match_patterns(
    protected: Sequence[str],
    rules: Sequence[AdjustRule],
    processes: Sequence[Process],
    names: Mapping[ProcessId, ProcessNames],
) -> tuple[PatternMatch, ...]:
    """Return a match for each pattern and each rule, in the order of the file."""
    found = [
        PatternMatch(
            f"protected {pattern!r}",
            tuple(p for p in processes if is_protected(pattern, names[p.id])),
        )
        for pattern in protected
    ]
    decided: set[ProcessId] = set()
    for rule in rules:
        fitting = tuple(process for process in processes if process.pid != 1 and fits(rule, names[process.id]))
        mine = tuple(process for process in fitting if process.id not in decided)
        decided.update(process.id for process in mine)
        is_free = rule.adj < 0 and set(rule.patterns) == {"command"}
        found.append(PatternMatch(_title(rule), mine, len(fitting) - len(mine), is_free))
    return tuple(found)


def _title(rule: AdjustRule) -> str:
    return f"adjust {', '.join(f'{of} {pattern!r}' for of, pattern in rule.patterns.items())} to {rule.adj}"

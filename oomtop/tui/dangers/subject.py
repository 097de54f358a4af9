"""What the screen says about the danger it speaks of, in words: headline, victim and remedies."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

from oomtop.analysis.model.assessment import Assessment
from oomtop.analysis.model.danger import Danger, DangerKind, DangerState, PastKill, Remedy
from oomtop.analysis.sentences import NOT_SEEN, OF_THOSE_SEEN, describe_early_killer
from oomtop.units import format_about, format_bytes, format_duration, format_rate, format_share, printable

SOON = 300.0
"""A subject that is full within so many seconds has the weight of a danger."""
DISTANT = 3600.0
"""A subject that is full later than this is no danger yet."""
JUST_KILLED = 60.0


class Weight(Enum):
    """How loud a line is."""

    DANGER = "bad"
    WARNING = "warn"
    NORMAL = ""


def last_kill(assessment: Assessment, danger: Danger) -> PastKill | None:
    """Return the kill at this limit that happened within the last minute."""
    newest = danger.kills[0] if danger.kills else None
    return newest if newest is not None and 0 <= assessment.time - newest.time < JUST_KILLED else None


def weight_of(danger: Danger, assessment: Assessment) -> Weight:
    """Return the weight of a danger: red when it is full soon or has just killed."""
    if danger.median is not None and danger.median < SOON:
        return Weight.DANGER
    if last_kill(assessment, danger) is not None:
        return Weight.DANGER
    is_near = danger.median is not None and danger.median < DISTANT
    return Weight.WARNING if is_near or danger.state in (DangerState.AT_LIMIT, DangerState.UNSTEADY) else Weight.NORMAL


def is_pressing(danger: Danger | None, assessment: Assessment) -> bool:
    """Whether the strip has more than one line to tell."""
    return danger is not None and weight_of(danger, assessment) is not Weight.NORMAL


def headline(danger: Danger, assessment: Assessment) -> tuple[str, str]:
    """Return the loud part and the rest: `FULL IN 22s` and `(20s-24s)`."""
    killed = last_kill(assessment, danger)
    if danger.median is not None:
        return f"FULL IN {format_about(danger.median)}", _range(danger)
    if killed is not None:
        ago = format_duration(assessment.time - killed.time)
        return f"KILLED {ago} ago", f"{printable(killed.name)} at the limit; Enter on the event: why"
    if danger.state is DangerState.AT_LIMIT:
        often = "" if danger.reclaims is None else f", reclaims {danger.reclaims:.0f} times a second"
        return "AT ITS LIMIT", f"the kernel reclaims to stay below it{often}"
    if danger.state is DangerState.UNSTEADY:
        return "GROWS UNSTEADILY", "no time can be given"
    return danger.state.value, ""


def _range(danger: Danger) -> str:
    earliest, median, latest = (format_about(value) for value in (danger.earliest, danger.median, danger.latest))
    return "" if earliest == median == latest else f"({earliest}-{latest})"


def usage(danger: Danger) -> str:
    """Return `129M of 300M 43% +8.0M/s`: what is held, the limit, its share and its growth."""
    return (
        f"{format_bytes(danger.held)} of {format_bytes(danger.limit)} {format_share(danger.share)}{signed_rate(danger)}"
    )


def signed_rate(danger: Danger) -> str:
    """Return ` +8.0M/s`, nothing where it does not move or that is not known."""
    if danger.rate is None or abs(danger.rate) < 1:
        return ""
    return f" {format_rate(danger.rate)}"


def victim_words(danger: Danger, assessment: Assessment) -> tuple[str, str]:
    """Return who dies, with what that frees, and who comes after."""
    if danger.kind is DangerKind.COMMIT:
        return "nobody: allocations fail", ""
    if danger.victim is None:
        return "no process can be killed here" if assessment.scope.sees_all else NOT_SEEN, ""
    first, *others = danger.dying
    early = assessment.early_killers[0] if assessment.early_killers and danger.kind is DangerKind.MACHINE else None
    if early is not None:
        return printable(describe_early_killer(early)), f"the kernel: {printable(first.name)} {first.id.pid}"
    user = next((row.user for row in assessment.rows if row.process.id == first.id), "")
    owner = f" {printable(user)}" if user else ""
    words = (
        f"{printable(first.name)} {first.id.pid}{owner}, {format_bytes(first.held)}, frees {format_bytes(first.frees)}"
    )
    if danger.dies_together:
        return f"the whole group, {format_bytes(danger.held)}: {words}", ""
    if not assessment.scope.sees_all:
        return words, OF_THOSE_SEEN
    after = f"{printable(others[0].name)} {others[0].id.pid} ({format_bytes(others[0].held)})" if others else ""
    return words, after and f"{'or' if danger.near_tie else 'then'} {after}"


def remedy_words(danger: Danger) -> Iterator[tuple[str, str]]:
    """Yield (key, what it does and buys) of the remedies, the surest first."""
    for remedy in danger.remedies:
        yield _REMEDIES[remedy.action][0], _REMEDIES[remedy.action][1] + _gain(remedy)
    if danger.victim is not None:
        yield "o", "spare it"


def _gain(remedy: Remedy) -> str:
    if remedy.action not in ("limit", "swap"):
        return ""
    buys = "" if remedy.seconds is None else f" buys {format_about(remedy.seconds)}"
    return f" +{format_bytes(remedy.size)}{buys}"


_REMEDIES = {"kill": ("k", "kill it"), "freeze": ("f", "freeze it"), "limit": ("L", "limit"), "swap": ("W", "swap")}
"""By the action of a remedy: its key, and what that does."""

"""The chosen danger in words: headline and victim."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from oomtop.analysis.dangers.order import JUST_KILLED, last_kill
from oomtop.analysis.model.assessment import Assessment, ProcessRow
from oomtop.analysis.model.danger import Danger, DangerKind, DangerState, Dying, Remedy
from oomtop.analysis.sentences import NOT_SEEN, OF_THOSE_SEEN, describe_early_killer, others_of
from oomtop.analysis.unlogged_kills import reads_kernel_log, unread_kill, why_unread
from oomtop.frozen import replace
from oomtop.host.cgroup import is_inside
from oomtop.host.process import Process, ProcessId
from oomtop.oomlog.event import OomEvent
from oomtop.tui.base.aim import Aim
from oomtop.units import format_about, format_bytes, format_duration, format_rate, format_share, printable

SOON = 300.0
"""A subject that is full within this many seconds is shown as a danger."""
_HIGH = 0.7
"""Share of the limit from which unsteady growth is a danger."""
_DROP = 0.1
"""A kill that frees less than this share of the held memory does not end a danger."""
_NOTED = 0.1
"""Share of what a victim holds from which it is said why its death does not free it."""
_NEW = 5.0
"""Age in seconds below which a process is new."""
DISTANT = 900.0
"""A subject that is full later than this is not a danger yet."""


class Weight(Enum):
    """How loud a line is."""

    DANGER = "bad"
    WARNING = "warn"
    NORMAL = ""


def recent_kill(assessment: Assessment) -> OomEvent | None:
    """Return the newest kill if it is less than a minute old, also of a group that is gone."""
    newest = assessment.events[0] if assessment.events else None
    if newest is None or newest.time is None or newest.victim is None:
        return None
    return newest if 0 <= assessment.time - newest.time < JUST_KILLED else None


def weight_of(danger: Danger, assessment: Assessment) -> Weight:
    """Return the level of a danger: red if it is full soon or has just killed."""
    if danger.median is not None and danger.median < SOON:
        return Weight.DANGER
    if last_kill(danger, assessment.time) is not None:
        return Weight.DANGER
    is_near = danger.median is not None and danger.median < DISTANT
    is_high = danger.state is DangerState.UNSTEADY and danger.share >= _HIGH
    return Weight.WARNING if is_near or is_high or danger.state is DangerState.AT_LIMIT else Weight.NORMAL


def is_over(danger: Danger, assessment: Assessment) -> bool:
    """Whether the danger ended with a kill: it no longer fills, and no further kill would help."""
    return danger.median is None and last_kill(danger, assessment.time) is not None


def is_pressing(danger: Danger | None, assessment: Assessment) -> bool:
    """Whether the strip shows more than one line about this limit: it is in danger, or the user stepped to it."""
    if danger is None:
        return False
    is_nearest = not assessment.dangers or danger.subject == assessment.dangers[0].subject
    return not is_nearest or weight_of(danger, assessment) is not Weight.NORMAL


def group_in_danger(danger: Danger | None, assessment: Assessment, targets: Iterable[ProcessId]) -> str | None:
    """Return the cgroup that the strip speaks of, if all targets are inside it, however deep."""
    if danger is None or danger.kind is not DangerKind.CGROUP or not is_pressing(danger, assessment):
        return None
    wanted = set(targets)
    paths = [row.process.cgroup for row in assessment.rows if row.process.id in wanted] if wanted else []
    return danger.subject if paths and all(is_inside(path, danger.subject) for path in paths) else None


def aim_in_danger(aim: Aim, danger: Danger | None, assessment: Assessment) -> Aim:
    """Return what the action keys act on, with the cgroup that they act on while this danger is on the strip."""
    return replace(aim, group=group_in_danger(danger, assessment, aim.targets))


def nearer(danger: Danger, assessment: Assessment) -> Danger | None:
    """Return the nearest limit if it is in danger while the user stepped to another one."""
    first = assessment.dangers[0] if assessment.dangers else None
    is_other = first is not None and first.subject != danger.subject
    return first if is_other and is_pressing(first, assessment) else None


def headline(danger: Danger, assessment: Assessment) -> tuple[str, tuple[str, ...]]:
    """Return the emphasised part, and the rest with its shorter forms: `FULL IN 22s` and `(20s-24s)`."""
    killed = last_kill(danger, assessment.time)
    if danger.median is not None:
        return f"FULL IN {format_about(danger.median)}", _range(danger)
    if killed is not None:
        name = printable(killed.name)
        return f"KILLED {_ago(assessment.time - killed.time)} ago", (f"{name} at the limit of", f"{name} in")
    if danger.state is DangerState.AT_LIMIT:
        often = "" if danger.reclaims is None else f", {danger.reclaims:.0f} times a second"
        return "AT ITS LIMIT", (f"the kernel reclaims to stay below it{often}", "")
    if danger.state is DangerState.UNSTEADY:
        return "GROWS UNSTEADILY", ("no time can be given", "")
    return danger.state.value, ("",)


def killed_words(event: OomEvent, now: float) -> tuple[str, tuple[str, ...]]:
    """Return the emphasised part and the rest for a kill whose limit is no longer in danger."""
    name = printable(event.victim.name) if event.victim is not None else ""
    where = f" at the limit of {printable(event.oom_memcg)}" if event.oom_memcg else f" by {printable(event.killer)}"
    return f"KILLED {_ago(now - (event.time or now))} ago", (f"{name}{where}; Events tells why", f"{name}{where}", name)


def unread_kill_words(assessment: Assessment, is_root: bool) -> tuple[str, tuple[str, ...]] | None:
    """Return the emphasised part and the rest for a kill of the last minute that is only counted, None without one."""
    age = unread_kill(assessment)
    if age is None or age >= JUST_KILLED:
        return None
    why = why_unread(assessment)
    more = "" if is_root or reads_kernel_log(assessment) else ": sudo oomtop"
    return f"KILLED {_ago(age)} ago", (f"a process; {why}{more}", f"a process; {why}", "a process")


def _ago(seconds: float) -> str:
    # In steps, so that the line does not change.
    return format_duration(max(1.0, seconds if seconds < 20 else seconds // 10 * 10))


def _range(danger: Danger) -> tuple[str, ...]:
    earliest, median, latest = (format_about(value) for value in (danger.earliest, danger.median, danger.latest))
    return ("",) if earliest == median == latest else (f"({earliest}-{latest})", "")


def usage(danger: Danger) -> tuple[str, ...]:
    """Return `129M of 300M 43% +8.0M/s` and shorter forms: what is held, the limit, its share and its growth."""
    size = f"{format_bytes(danger.filled)} of {format_bytes(danger.capacity)}"
    share = format_share(danger.filled / danger.capacity)
    return (f"{size} {share}{signed_rate(danger)}", f"{size} {share}", size)


def signed_rate(danger: Danger) -> str:
    """Return ` +8.0M/s`, empty if it does not change or is unknown."""
    if danger.rate is None or abs(danger.rate) < 1:
        return ""
    return f" {format_rate(danger.rate)}"


def victim_words(danger: Danger, assessment: Assessment) -> tuple[tuple[str, ...], str]:
    """Return the victim, with what its death frees, in ever shorter forms, and the next ones."""
    if danger.kind is DangerKind.COMMIT:
        return ("nobody: allocations fail",), ""
    if danger.victim is None:
        return ("no process can be killed here" if assessment.scope.sees_all else NOT_SEEN,), ""
    early = assessment.early_killers[0] if assessment.early_killers and danger.kind is DangerKind.MACHINE else None
    if early is not None:
        return (printable(describe_early_killer(early)),), f"the kernel: {_named(danger.dying[0])}"
    forms = _victim_forms(danger, assessment)
    if not assessment.scope.sees_all:
        return forms, OF_THOSE_SEEN
    if is_swarm(danger):
        count, new = _crowd(danger, assessment)
        return (*(f"{form}{count}{new}" for form in forms[:-1]), *(f"{form}{count}" for form in forms[-2:])), ""
    after = [f"{_named(other)} ({format_bytes(other.held)})" for other in danger.dying[1:2]]
    return forms, f"{'or' if danger.near_tie else 'then'} {after[0]}" if after else ""


def _named(one: Dying) -> str:
    return f"{printable(one.name)} {one.id.pid}"


def _victim_forms(danger: Danger, assessment: Assessment) -> tuple[str, ...]:
    first = danger.dying[0]
    row = next((row for row in assessment.rows if row.process.id == first.id), None)
    gain = f"frees {format_bytes(first.frees)}"
    owner = f" {printable(row.user)}" if row is not None and row.user else ""
    others = others_of(danger)
    return (
        f"{_named(first)}{owner}, {format_bytes(first.held)}{others}, {gain}{_rest(first, danger, row)}",
        f"{_named(first)}{owner}, {format_bytes(first.held)}{others}, {gain}",
        f"{_named(first)}, {format_bytes(first.held)}{others}, {gain}",
        f"{_named(first)}{others}, {gain}",
        f"{first.id.pid}, {gain}",
    )


def _rest(first: Dying, danger: Danger, row: ProcessRow | None) -> str:
    """Return why the death of a victim does not free all that it holds."""
    rest = first.held - first.frees
    if row is None or rest < first.held * _NOTED:
        return ""
    swap = (row.process.swap or 0) if danger.kind is DangerKind.CGROUP else 0
    return " (rest in swap)" if swap > rest / 2 else " (rest shared)"


def is_swarm(danger: Danger) -> bool:
    """Whether a cgroup fills up by many processes, so that the death of one helps little."""
    kill = next((remedy for remedy in danger.remedies if remedy.action == "kill"), None)
    return danger.kind is DangerKind.CGROUP and kill is not None and is_drop(kill, danger)


def is_drop(kill: Remedy, danger: Danger) -> bool:
    """Whether a kill frees too little to end a danger."""
    return kill.size is not None and kill.size < danger.held * _DROP


def _members(danger: Danger, assessment: Assessment) -> list[Process]:
    return [row.process for row in assessment.rows if is_inside(row.process.cgroup, danger.subject)]


def _crowd(danger: Danger, assessment: Assessment) -> tuple[str, str]:
    """Return `; one of 40` and `, 15 new in 5s`, the latter only where a process is new."""
    ages = [assessment.monotonic - process.started for process in _members(danger, assessment)]
    new = sum(age < _NEW for age in ages)
    return f"; one of {len(ages)}", f", {new} new in {format_duration(_NEW)}" if new else ""

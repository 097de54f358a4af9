"""What the strip offers to do about a danger: keys that act, pressed now, on what the strip speaks of.

Where the cursor or the tags are elsewhere, it names the key that leads there first: `J select 11289, k kill it`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from oomtop.analysis.model.assessment import Assessment, ProcessRow
from oomtop.analysis.model.danger import Danger, DangerKind
from oomtop.analysis.oom_score.badness import frees
from oomtop.host.cgroup import is_inside
from oomtop.host.process import ProcessId
from oomtop.tui.base.aim import Aim, KeyPlace
from oomtop.tui.base.rights import Rights
from oomtop.tui.dangers.danger_words import is_drop, is_over, is_swarm
from oomtop.units import format_about, format_bytes, printable

_SUDO = "sudo oomtop"


class Key(NamedTuple):
    """A key and what it does."""

    key: str
    words: str


class OfferedKey(NamedTuple):
    """A key, and the one that has to be pressed before it, if any."""

    key: str
    words: str
    lead: Key | None = None
    is_least: bool = False
    """Whether it is left out first."""


def offers(danger: Danger, assessment: Assessment, aim: Aim, rights: Rights) -> list[OfferedKey]:
    """Return what can be done about a danger with these rights, the surest first; what needs one lead is together."""
    found = list(_offers(danger, assessment, aim, rights))
    if aim.place is KeyPlace.PLAIN:
        found = [each for each in found if each.key in ("", "k", _SUDO)]
    if not found and danger.remedies and not rights.is_root:
        found = [OfferedKey(_SUDO, "to act")]
    return sorted(found, key=lambda each: _place_of(each, found))


def _place_of(offer: OfferedKey, every: list[OfferedKey]) -> int:
    """Return the place of the first offer with the same lead, or its own without one."""
    if offer.lead is None:
        return every.index(offer)
    return next(at for at, each in enumerate(every) if each.lead == offer.lead)


def _offers(danger: Danger, assessment: Assessment, aim: Aim, rights: Rights) -> Iterator[OfferedKey]:
    if is_over(danger, assessment):
        yield from _why(danger, aim, rights)
    elif is_swarm(danger):
        yield from _on_the_group(danger, assessment, aim, rights)
    else:
        yield from _on_processes(danger, assessment, aim, rights)
    yield from _more_room(danger, assessment, aim, rights)
    yield from _spare(danger, assessment, aim, rights)


def _more_room(danger: Danger, assessment: Assessment, aim: Aim, rights: Rights) -> Iterator[OfferedKey]:
    """Yield what makes room: the limit raised, swap added."""
    for remedy in danger.remedies:
        bought = "" if remedy.seconds is None else f": +{format_about(remedy.seconds)}"
        if remedy.action == "limit" and _may_limit(danger, assessment, rights):
            yield OfferedKey("L", f"raise by {format_bytes(remedy.size)}{bought}", _to_group(danger, aim))
        elif remedy.action == "swap" and rights.may_add_swap:
            yield OfferedKey("W", f"add {format_bytes(remedy.size)} of swap{bought}")


def _may_limit(danger: Danger, assessment: Assessment, rights: Rights) -> bool:
    is_guarded = (rights.guarded(row) for row in _members(danger, assessment))
    return rights.may_limit(danger.subject) and not any(is_guarded)


def _spare(danger: Danger, assessment: Assessment, aim: Aim, rights: Rights) -> Iterator[OfferedKey]:
    """Yield what has another process chosen, unless the death of one helps little."""
    row = None if danger.victim is None or is_swarm(danger) else _row_of(danger.victim.id, assessment)
    if row is not None and rights.may_spare and not rights.guarded(row):
        victim = row.process.id
        yield OfferedKey("o", "spare it", None if _is_aimed_at(victim, aim) else _select(victim), is_least=True)


def _why(danger: Danger, aim: Aim, rights: Rights) -> Iterator[OfferedKey]:
    """Yield what leads to the post-mortem of the last kill here."""
    kill = danger.kills[0]
    if kill.pid is None:
        if not rights.is_root:
            yield OfferedKey(_SUDO, "to read why")
    elif aim.place is not KeyPlace.EVENTS:
        yield OfferedKey("Tab", "to Events, Enter: why")
    elif aim.event is not None and aim.event.victim is not None and aim.event.victim.pid == kill.pid:
        yield OfferedKey("Enter", "why")
    else:
        yield OfferedKey("Home", "to the newest kill, Enter: why")


def _members(danger: Danger, assessment: Assessment) -> list[ProcessRow]:
    """Return the processes of a cgroup in danger, none where it is no cgroup."""
    if danger.kind is not DangerKind.CGROUP:
        return []
    return [row for row in assessment.rows if is_inside(row.process.cgroup, danger.subject)]


def _on_the_group(danger: Danger, assessment: Assessment, aim: Aim, rights: Rights) -> Iterator[OfferedKey]:
    """Yield what can be done to all processes of a group, where the death of one helps little."""
    rows = _members(danger, assessment)
    if any(rights.guarded(row) or not rights.may_signal(row) for row in rows):
        yield from _on_processes(danger, assessment, aim, rights)
        return
    gain = sum(frees(row.process) - (row.process.swap or 0) for row in rows)
    freed = f": {format_bytes(min(danger.held, gain))}" if assessment.scope.sees_all else ""
    lead = _to_group(danger, aim)
    yield OfferedKey("k", f"kill the group{freed}", lead)
    if rights.may_freeze_group(danger.subject):
        yield OfferedKey("f", "freeze the group", lead)


def _on_processes(danger: Danger, assessment: Assessment, aim: Aim, rights: Rights) -> Iterator[OfferedKey]:
    """Yield what can be done to the victim, and to the process that grows."""
    for remedy in danger.remedies:
        row = _row_of(remedy.target, assessment)
        if row is None:
            continue
        refusal = _refusal(row, rights)
        if remedy.action == "kill":
            gain = f" (frees {format_bytes(remedy.size)})" if is_drop(remedy, danger) else ""
            yield refusal or OfferedKey("k", f"kill it{gain}", _to_victim(danger, aim))
        elif refusal is None:
            yield from _freeze(danger, row, aim, rights)


def _refusal(row: ProcessRow, rights: Rights) -> OfferedKey | None:
    """Return what is said in place of a kill that would be refused."""
    reason = rights.guarded(row)
    if reason:
        return OfferedKey("", f"not to be killed: {reason}")
    if rights.may_signal(row):
        return None
    return OfferedKey("", "to kill it needs CAP_KILL") if rights.is_root else OfferedKey(_SUDO, "to kill it")


def _freeze(danger: Danger, row: ProcessRow, aim: Aim, rights: Rights) -> Iterator[OfferedKey]:
    """Yield what stops the growth: it need not be the victim that grows."""
    grower = row.process.id
    is_victim = danger.victim is not None and grower == danger.victim.id
    if aim.place is KeyPlace.CGROUPS and aim.group == danger.subject:
        yield from [OfferedKey("f", "freeze the group")] * rights.may_freeze_group(danger.subject)
    elif is_victim:
        yield OfferedKey("f", "freeze it", None if _is_aimed_at(grower, aim) else _select(grower))
    elif _is_aimed_at(grower, aim):
        yield OfferedKey("f", f"freeze {printable(row.process.comm)} {grower.pid}")
    elif aim.takes_pids:
        yield OfferedKey("f", "freeze it", Key(str(grower.pid), f"select {printable(row.process.comm)}"))


def _is_aimed_at(process: ProcessId, aim: Aim) -> bool:
    """Whether the keys act on this process, and not on the group whose biggest process it is."""
    return aim.place is not KeyPlace.CGROUPS and aim.targets == {process}


def _to_victim(danger: Danger, aim: Aim) -> Key | None:
    """Return the key that selects the victim, None where `k` acts on it already."""
    victim = danger.victim
    return None if victim is None or aim.targets == {victim.id} else _select(victim.id)


def _to_group(danger: Danger, aim: Aim) -> Key | None:
    """Return the key that leads to the group, None where the keys act on it already."""
    if aim.group == danger.subject:
        return None
    if danger.victim is not None:
        return _select(danger.victim.id)
    return Key("/", f"find {printable(danger.name)}") if aim.place is KeyPlace.CGROUPS else Key("Tab", "to Cgroups")


def _select(victim: ProcessId) -> Key:
    return Key("J", f"select {victim.pid}")


def _row_of(process: ProcessId | None, assessment: Assessment) -> ProcessRow | None:
    return None if process is None else next((row for row in assessment.rows if row.process.id == process), None)

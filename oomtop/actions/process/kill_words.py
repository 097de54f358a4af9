"""Describes the outcome of a kill."""

from __future__ import annotations

import signal as signals
from collections.abc import Sequence

from oomtop.actions.base.plan import Status
from oomtop.actions.base.requests import FreezeRequest, KillRequest
from oomtop.actions.process.kill_case import Fate, KillCase
from oomtop.units import format_bytes, printable

_WORTH_SAYING = 16 << 20


def signal_name(number: int) -> str:
    """Return `SIGTERM` for 15, and `signal 34` for one without a name."""
    try:
        return signals.Signals(number).name
    except ValueError:
        return f"signal {number}"


def dropped(number: int) -> str:
    """Say why pid 1 of a container does not get a signal from inside."""
    return f"has no handler for {signal_name(number)}: the kernel drops it when sent from inside the container"


def waiting_text(case: KillCase) -> str:
    """Describe the current state of a target."""
    now = case.victim.handle.facts()
    return case.name if now is None else f"{case.name}, state {now.state}, {format_bytes(now.rss_and_swap)}"


def status_of(cases: Sequence[KillCase]) -> Status:
    """Return the overall status."""
    good = sum(case.fate in (Fate.EXITED, Fate.SIGNALLED) for case in cases)
    if good == len(cases):
        return Status.DONE
    if good or any(case.fate is Fate.NOT_YET for case in cases):
        return Status.PARTLY
    return Status.REFUSED if all(case.fate in (Fate.GONE, Fate.REFUSED) for case in cases) else Status.FAILED


def one(case: KillCase, request: KillRequest, freed: int | None = None) -> str:
    """Describe the outcome for one target; `freed` is known only for a single target."""
    if case.fate is Fate.EXITED:
        return f"{case.name} exited after {case.seconds:.1f} s{_freed(freed)}"
    if case.fate is Fate.WAITING:
        return f"{case.name} {_why_still_there(case, request)}"
    if case.fate is Fate.GONE:
        return f"{case.name} had already exited: no signal was sent"
    if case.fate in (Fate.SIGNALLED, Fate.NOT_YET) and request.signal in (signals.SIGSTOP, signals.SIGCONT):
        return f"{case.name} {_how_it_stands(case, request)}"
    return f"{case.name} {case.fate.value}" + (f": {case.notes[-1]}" if case.notes else "")


def _how_it_stands(case: KillCase, request: KillRequest) -> str:
    group = case.victim.frozen_group
    if request.signal == signals.SIGCONT:
        if case.fate is Fate.SIGNALLED:
            return "resumes"
        return "is still stopped" if group is None else f"is frozen with its group: thaw {printable(group)}"
    return "is stopped" if case.fate is Fate.SIGNALLED else "has not stopped yet: it waits for I/O"


def _why_still_there(case: KillCase, request: KillRequest) -> str:
    now = case.victim.handle.facts()
    if now is None:
        return "has exited"
    group = case.victim.frozen_group
    if group is not None:
        return f"is frozen with its group and receives no signal until thawed: {printable(group)}"
    if now.state == "D":
        return "is still in D state: it exits when its I/O completes"
    if now.is_exiting or case.victim.handle.is_kill_pending():
        return f"is still exiting, {format_bytes(now.rss_and_swap)} left"
    if now.state in "Tt":
        return "is stopped and has not received the signal: press k again for SIGKILL, or resume it with SIGCONT"
    return f"ignores {signal_name(request.signal)}: press k again for SIGKILL"


def _freed(freed: int | None) -> str:
    return "" if freed is None else f", freed {format_bytes(freed)}"


def shared(held: int, freed: int | None) -> tuple[str, ...]:
    """Explain why much less was freed than was held, if so."""
    if freed is None or held < _WORTH_SAYING or freed > held / 2:
        return ()
    return (f"{format_bytes(held)} were held; the rest is shared with living processes, or was allocated meanwhile",)


def many(cases: Sequence[KillCase], freed: int | None, seconds: float) -> str:
    """Describe the outcome for several targets."""
    counts = {fate: sum(case.fate is fate for case in cases) for fate in Fate}
    parts = [f"{count} {fate.value}" for fate, count in counts.items() if count]
    text = f"of {len(cases)}: " + ", ".join(parts)
    return f"{text} after {seconds:.1f} s{_freed(freed)}" if counts[Fate.EXITED] else text


def details(cases: Sequence[KillCase], request: KillRequest) -> list[str]:
    """Return a line for each of several targets, and the errors."""
    lines = [one(case, request) for case in cases] if len(cases) > 1 else []
    return lines + [f"{case.name}: {note}" for case in cases for note in case.notes]


def undo_of(cases: Sequence[KillCase], request: KillRequest) -> FreezeRequest | None:
    """Return the undo request, for those that were not in that state before; only stop and continue have one."""
    stops = request.signal == signals.SIGSTOP
    changed = (case for case in cases if case.fate in (Fate.SIGNALLED, Fate.NOT_YET) and case.was_stopped != stops)
    done = tuple(case.victim.process.id for case in changed)
    if not done or request.signal not in (signals.SIGSTOP, signals.SIGCONT):
        return None
    return FreezeRequest(done, thaw=stops)

"""The run of a kill: send, wait on the pidfds, follow with SIGKILL where asked, and measure what came back."""

from __future__ import annotations

import errno
import select
import signal as signals
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum

from oomtop.actions.base.errno_text import in_words
from oomtop.actions.base.plan import Outcome, Status, Target
from oomtop.actions.base.requests import FreezeRequest, KillRequest
from oomtop.actions.base.restarts import Restarts
from oomtop.actions.process.handle import ProcessHandle
from oomtop.analysis.oom_score.badness import frees
from oomtop.errors import ActionRefused
from oomtop.frozen import frozen
from oomtop.host.process import Process
from oomtop.units import format_bytes, printable

Report = Callable[[str], None]
_NEWS_SECONDS = 0.5
_STOP_SECONDS = 1.0
_LOOK_SECONDS = 0.01


@frozen
class KillTarget:
    """A process and the descriptors that hold it."""

    process: Process
    handle: ProcessHandle
    target: Target


class Fate(Enum):
    """What became of one victim."""

    WAITING = "still there"
    EXITED = "exited"
    GONE = "was gone before the signal"
    SIGNALLED = "signalled"
    DENIED = "not signalled"


@dataclass(slots=True)
class _Case:
    """The progress of one victim."""

    victim: KillTarget
    fate: Fate = Fate.WAITING
    before: int = 0
    """Bytes it held just before the signal."""
    freed: int = 0
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        process = self.victim.process
        return f"{process.pid} ({printable(process.comm)})"


class KillRun:
    """Carries one kill out; called once."""

    def __init__(self, request: KillRequest, victims: Sequence[KillTarget], restarts: Restarts) -> None:
        self._restarts = restarts
        self._request = request
        self._cases = [_Case(victim) for victim in victims]
        self._started = 0.0

    def __call__(self, report: Report) -> Outcome:
        """Send, wait, escalate, and say what came of it."""
        self._started = time.monotonic()
        self._signal(self._cases, self._request.signal, report)
        if is_ending(self._request.signal):
            self._see_them_out(report)
        else:
            for case in self._waiting():
                case.fate = Fate.SIGNALLED
            self._see_them_stand()
        return self._outcome()

    def _see_them_stand(self) -> None:
        """A process stops when each of its threads takes note: at once, unless one waits for I/O."""
        deadline = time.monotonic() + _STOP_SECONDS
        for case in self._cases if self._request.signal == signals.SIGSTOP else ():
            while case.fate is Fate.SIGNALLED and not _stands(case) and time.monotonic() < deadline:
                time.sleep(_LOOK_SECONDS)

    def _see_them_out(self, report: Report) -> None:
        request = self._request
        escalates = request.grace is not None and request.signal != signals.SIGKILL
        self._wait(request.grace if escalates and request.grace is not None else request.patience, report)
        if escalates and self._waiting():
            self._signal(self._waiting(), signals.SIGKILL, report)
            self._wait(request.patience, report)

    def _waiting(self) -> list[_Case]:
        return [case for case in self._cases if case.fate is Fate.WAITING]

    def _signal(self, cases: Sequence[_Case], number: int, report: Report) -> None:
        name = signals.Signals(number).name if number in signals.valid_signals() else str(number)
        for case in cases:
            _send(case, number)
            report(f"{name} sent to {case.name}" if case.fate is Fate.WAITING else f"{case.name} {case.fate.value}")
        if number == signals.SIGKILL:
            for case in self._waiting():
                _release(case)

    def _wait(self, seconds: float, report: Report) -> None:
        """Wait until all have ended or the time is over, with news twice a second."""
        poll = select.poll()
        by_descriptor = {case.victim.handle.pidfd: case for case in self._waiting()}
        for descriptor in by_descriptor:
            poll.register(descriptor, select.POLLIN)
        deadline = time.monotonic() + seconds
        while by_descriptor and (left := deadline - time.monotonic()) > 0:
            for descriptor, _ in poll.poll(min(left, _NEWS_SECONDS) * 1000):
                poll.unregister(descriptor)
                self._bury(by_descriptor.pop(descriptor), report)
            if by_descriptor:
                report("waiting for " + ", ".join(_waiting_text(case) for case in list(by_descriptor.values())[:3]))

    def _bury(self, case: _Case, report: Report) -> None:
        case.fate = Fate.EXITED
        case.seconds = time.monotonic() - self._started
        left = case.victim.handle.facts()
        case.freed = case.before - (0 if left is None else frees(left))
        report(f"{case.name} exited after {case.seconds:.1f} s")

    def _outcome(self) -> Outcome:
        cases = self._cases
        freed = sum(case.freed for case in cases)
        ended = tuple(case.victim for case in cases if case.fate is Fate.EXITED)
        restarted = self._restarts.wait_for([victim.process for victim in ended])
        again = f"; restarted by systemd as pid {', '.join(map(str, restarted))}" if restarted else ""
        seconds = max(case.seconds for case in cases)
        return Outcome(
            action="kill",
            status=_status(cases),
            summary=(_one(cases[0], self._request) if len(cases) == 1 else _many(cases, freed, seconds)) + again,
            details=tuple(_details(cases, self._request)),
            freed=freed if any(case.fate is Fate.EXITED for case in cases) else None,
            seconds=seconds or None,
            before=format_bytes(sum(case.before for case in cases)),
            after=format_bytes(sum(case.before - case.freed for case in cases)),
            undo=_undo(cases, self._request),
            ended=tuple(victim.target for victim in ended),
            waiting=tuple(case.victim.target for case in self._waiting()),
            restarted=restarted,
        )


def is_ending(number: int) -> bool:
    """Whether the signal is sent to end a process, so that its end is worth waiting for."""
    return number in (
        signals.SIGTERM,
        signals.SIGKILL,
        signals.SIGINT,
        signals.SIGQUIT,
        signals.SIGABRT,
        signals.SIGHUP,
    )


def _send(case: _Case, number: int) -> None:
    handle = case.victim.handle
    if case.before == 0:
        now = handle.facts()
        case.before = 0 if now is None else frees(now)
    try:
        handle.require_same()
        if handle.has_exited():
            raise ProcessLookupError(errno.ESRCH, "")
        handle.send(number)
    except (ActionRefused, ProcessLookupError) as error:
        case.fate = Fate.GONE
        if isinstance(error, ActionRefused):
            case.notes.append(str(error))
    except OSError as error:
        case.fate = Fate.DENIED
        case.notes.append(in_words(error))


def _release(case: _Case) -> None:
    """Hurry the memory on; the victim may be quicker, and other threads of it may make the kernel refuse."""
    code = case.victim.handle.release_memory()
    if code not in (0, errno.ESRCH):
        case.notes.append(f"process_mrelease: {in_words(OSError(code, ''))}")


def _waiting_text(case: _Case) -> str:
    now = case.victim.handle.facts()
    return case.name if now is None else f"{case.name}, state {now.state}, {format_bytes(now.rss_and_swap)}"


def _status(cases: Sequence[_Case]) -> Status:
    good = sum(case.fate in (Fate.EXITED, Fate.SIGNALLED) for case in cases)
    if good == len(cases):
        return Status.DONE
    if good:
        return Status.PARTLY
    return Status.REFUSED if all(case.fate is Fate.GONE for case in cases) else Status.FAILED


def _one(case: _Case, request: KillRequest) -> str:
    if case.fate is Fate.EXITED:
        return f"{case.name} exited after {case.seconds:.1f} s, freed {format_bytes(case.freed)}"
    if case.fate is Fate.WAITING:
        return f"{case.name} {_why_still_there(case, request)}"
    if case.fate is Fate.GONE:
        return f"{case.name} was gone already: nothing was signalled"
    if case.fate is Fate.SIGNALLED and request.signal in (signals.SIGSTOP, signals.SIGCONT):
        return f"{case.name} {_how_it_stands(case, request)}"
    return f"{case.name} {case.fate.value}" + (f": {case.notes[-1]}" if case.notes else "")


def _stands(case: _Case) -> bool:
    now = case.victim.handle.facts()
    return now is not None and now.state in "Tt"


def _how_it_stands(case: _Case, request: KillRequest) -> str:
    if request.signal == signals.SIGCONT:
        return "goes on"
    return "stands still" if _stands(case) else "stands still as soon as its I/O returns"


def _why_still_there(case: _Case, request: KillRequest) -> str:
    now = case.victim.handle.facts()
    if now is None:
        return "is gone"
    if now.state == "D":
        return "is still in D state: the kernel ends it when its I/O returns"
    if now.is_exiting or case.victim.handle.is_kill_pending():
        return f"is still exiting, {format_bytes(now.rss_and_swap)} left"
    if now.state in "Tt":
        return "is stopped and took nothing yet: press k again for SIGKILL, or let it go on with SIGCONT"
    return f"ignores {signals.Signals(request.signal).name}: press k again for SIGKILL"


def _many(cases: Sequence[_Case], freed: int, seconds: float) -> str:
    counts = {fate: sum(case.fate is fate for case in cases) for fate in Fate}
    parts = [f"{count} {fate.value}" for fate, count in counts.items() if count]
    text = f"of {len(cases)}: " + ", ".join(parts)
    return f"{text} after {seconds:.1f} s, freed {format_bytes(freed)}" if counts[Fate.EXITED] else text


def _details(cases: Sequence[_Case], request: KillRequest) -> list[str]:
    lines = [_one(case, request) for case in cases] if len(cases) > 1 else []
    return lines + [f"{case.name}: {note}" for case in cases for note in case.notes]


def _undo(cases: Sequence[_Case], request: KillRequest) -> FreezeRequest | None:
    """Only a stop and a continue can be taken back."""
    done = tuple(case.victim.process.id for case in cases if case.fate is Fate.SIGNALLED)
    if not done or request.signal not in (signals.SIGSTOP, signals.SIGCONT):
        return None
    return FreezeRequest(done, thaw=request.signal == signals.SIGSTOP)

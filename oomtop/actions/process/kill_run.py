"""The run of a kill: send, wait on the pidfds, escalate to SIGKILL, and measure the freed memory."""

from __future__ import annotations

import errno
import select
import signal as signals
import time
from collections.abc import Callable, Container, Iterable, Sequence

from oomtop.actions.base.errno_text import in_words
from oomtop.actions.base.plan import Outcome, Status
from oomtop.actions.base.requests import KillRequest
from oomtop.actions.base.restarts import Restarts
from oomtop.actions.process.kill_case import (
    Fate,
    KillCase,
    KillTarget,
    cannot_fork,
    has_memory,
    is_held,
    stands,
    try_signal,
)
from oomtop.actions.process.kill_words import (
    details,
    dropped,
    many,
    one,
    shared,
    signal_name,
    status_of,
    undo_of,
    waiting_text,
)
from oomtop.actions.process.meter import Meter
from oomtop.analysis.oom_score.badness import frees
from oomtop.errors import ActionRefused, NothingLeft
from oomtop.frozen import frozen
from oomtop.host.process import Process, ProcessId
from oomtop.units import format_bytes, printable

Report = Callable[[str], None]
_NEWS_SECONDS = 0.5
# Short, so that little else changes in the group or on the machine between two reads.
_METER_SECONDS = 0.02
_HOLD_SECONDS = 2.0
_NAMED = 5
# A process that forks and exits while /proc is listed hides its child from that look, not from the next one.
_QUIET_LOOKS = 2
_STOP_SECONDS = 1.0
_LOOK_SECONDS = 0.01


@frozen
class Newcomers:
    """Finds and opens processes that have joined the targets."""

    find: Callable[[Iterable[ProcessId]], Iterable[Process]]
    open: Callable[[ProcessId], KillTarget]
    count_others: Callable[[Container[ProcessId]], int]
    """Returns how many others look like members that left."""


class KillRun:
    """Performs one kill; called once."""

    def __init__(
        self,
        request: KillRequest,
        victims: Sequence[KillTarget],
        restarts: Restarts,
        meter: Meter,
        newcomers: Newcomers | None,
    ) -> None:
        self._restarts = restarts
        self._request = request
        self._cases = [KillCase(victim) for victim in victims]
        self._planned = len(victims)
        self._meter = meter
        self._newcomers = newcomers
        self._not_opened: dict[ProcessId, str] = {}
        self._started = 0.0
        self._is_killing = False
        self._outran = False
        """Whether new processes still appeared when the time was up."""

    def __call__(self, report: Report) -> Outcome:
        """Send, wait, escalate, and return the outcome."""
        self._started = time.monotonic()
        try:
            return self._run(report)
        except BaseException:
            # Nobody stays stopped by a kill that did not come to its end.
            self._let_go_on()
            raise
        finally:
            for case in self._cases[self._planned :]:
                case.victim.handle.close()

    def _run(self, report: Report) -> Outcome:
        if self._newcomers is not None:
            self._hold_still(self._newcomers, report)
        else:
            for case in self._cases:
                case.was_stopped = stands(case)
        self._meter.look(are_going=False)
        self._signal(self._cases, self._request.signal, report)
        if self._newcomers is not None and self._request.signal != signals.SIGKILL:
            self._let_go_on()
        if is_ending(self._request.signal):
            self._see_them_out(report)
        else:
            for case in self._waiting():
                case.fate = Fate.SIGNALLED
            self._see_them_stand()
        return self._outcome()

    def _hold_still(self, newcomers: Newcomers, report: Report) -> None:
        """Stop all, look for processes started meanwhile, and repeat until no new one is found."""
        deadline, held, quiet = time.monotonic() + _HOLD_SECONDS, 0, 0
        while quiet < _QUIET_LOOKS:
            for case in self._cases[held:]:
                case.was_stopped = stands(case)
                try_signal(case, signals.SIGSTOP)
            held, rests = len(self._cases), all(cannot_fork(case) for case in self._cases)
            self._admit(newcomers)
            quiet = quiet + 1 if rests and len(self._cases) == held else 0
            if not quiet and time.monotonic() > deadline:
                self._outran = True
                break
        if len(self._cases) > self._planned:
            report(f"{len(self._cases) - self._planned} started since the plan was made: they are killed too")

    def _admit(self, newcomers: Newcomers) -> None:
        known = {case.victim.process.id for case in self._cases}
        for process in newcomers.find(known):
            if process.id not in known:
                try:
                    self._cases.append(KillCase(newcomers.open(process.id)))
                    self._not_opened.pop(process.id, None)
                except (ActionRefused, OSError) as error:
                    self._not_opened[process.id] = str(error)

    def _let_go_on(self) -> None:
        for case in self._cases:
            if not case.was_stopped:
                try_signal(case, signals.SIGCONT)

    def _left(self) -> tuple[str, ...]:
        """Describe members of the targets that are alive and were not signalled."""
        if self._newcomers is None:
            return ()
        known = {case.victim.process.id for case in self._cases}
        left = [process for process in self._newcomers.find(known) if process.id not in known]
        names = [f"{p.pid} ({printable(p.comm)}){self._why(p.id)}" for p in left[:_NAMED]]
        more = f" and {len(left) - _NAMED} more" if len(left) > _NAMED else ""
        found = (f"{len(left)} that were started are still alive: {', '.join(names)}{more}",) if left else ()
        if self._outran:
            return (*found, "they start others faster than oomtop can stop them: some may be alive")
        return found

    def _runaways(self) -> tuple[str, ...]:
        """Describe what looks like members that left the tree before the plan was made."""
        if self._newcomers is None:
            return ()
        count = self._newcomers.count_others({case.victim.process.id for case in self._cases})
        why = "younger orphans of the same name in the same cgroup: perhaps they left the tree before"
        return (f"{count} more live on, {why}",) if count else ()

    def _why(self, identity: ProcessId) -> str:
        return f": {self._not_opened[identity]}" if identity in self._not_opened else ""

    def _see_them_stand(self) -> None:
        """Wait for the stop or continue: immediate, unless a thread waits for I/O."""
        if self._request.signal not in (signals.SIGSTOP, signals.SIGCONT):
            return
        stops, deadline = self._request.signal == signals.SIGSTOP, time.monotonic() + _STOP_SECONDS
        for case in self._cases:
            while case.fate is Fate.SIGNALLED and is_held(case) is not stops:
                if time.monotonic() > deadline:
                    case.fate = Fate.NOT_YET
                else:
                    time.sleep(_LOOK_SECONDS)

    def _see_them_out(self, report: Report) -> None:
        request = self._request
        escalates = request.grace is not None and request.signal != signals.SIGKILL
        self._wait(request.grace if escalates and request.grace is not None else request.patience, report)
        if escalates and self._waiting():
            if self._newcomers is not None:
                self._hold_still(self._newcomers, report)
            self._signal(self._waiting(), signals.SIGKILL, report)
            self._wait(request.patience, report)

    def _waiting(self) -> list[KillCase]:
        return [case for case in self._cases if case.fate is Fate.WAITING]

    def _signal(self, cases: Sequence[KillCase], number: int, report: Report) -> None:
        self._is_killing = number == signals.SIGKILL
        name = signal_name(number)
        for case in cases:
            _send(case, number)
            report(f"{name} sent to {case.name}" if case.fate is Fate.WAITING else f"{case.name} {case.fate.value}")
        if number == signals.SIGKILL:
            for case in self._waiting():
                _release(case)

    def _wait(self, seconds: float, report: Report) -> None:
        """Wait until all have exited or the time is up, reporting twice a second."""
        poll = select.poll()
        by_descriptor = {case.victim.handle.pidfd: case for case in self._waiting()}
        for descriptor in by_descriptor:
            poll.register(descriptor, select.POLLIN)
        deadline = time.monotonic() + seconds
        news = time.monotonic() + _NEWS_SECONDS
        while by_descriptor and (left := deadline - time.monotonic()) > 0:
            ended = [descriptor for descriptor, _ in poll.poll(min(left, _METER_SECONDS) * 1000)]
            self._meter.look(bool(ended) or self._are_going(by_descriptor.values()))
            for descriptor in ended:
                poll.unregister(descriptor)
                self._bury(by_descriptor.pop(descriptor), report)
            if by_descriptor and time.monotonic() > news:
                news += _NEWS_SECONDS
                report("waiting for " + ", ".join(waiting_text(case) for case in list(by_descriptor.values())[:3]))

    def _are_going(self, cases: Iterable[KillCase]) -> bool:
        """Whether one of them has dropped its memory map; after SIGKILL all are exiting."""
        return self._is_killing or any(not has_memory(case) for case in cases)

    def _bury(self, case: KillCase, report: Report) -> None:
        case.fate = Fate.EXITED
        case.seconds = time.monotonic() - self._started
        report(f"{case.name} exited after {case.seconds:.1f} s")

    def _status(self, are_left: bool) -> Status:
        """Judge the planned ones and the newcomers that did not exit by themselves."""
        newcomers = [case for case in self._cases[self._planned :] if case.fate is not Fate.GONE]
        status = status_of(self._cases[: self._planned] + newcomers)
        return Status.PARTLY if are_left and status is Status.DONE else status

    def _outcome(self) -> Outcome:
        cases = self._cases
        left = self._left()
        freed = self._meter.came_back if any(case.fate is Fate.EXITED for case in cases) else None
        ended = tuple(case.victim for case in cases if case.fate is Fate.EXITED)
        restarted = self._restarts.wait_for([victim.process for victim in ended])
        again = f"; restarted by systemd as pid {', '.join(map(str, restarted))}" if restarted else ""
        seconds = max(case.seconds for case in cases)
        return Outcome(
            action="kill",
            status=self._status(bool(left)),
            summary=(one(cases[0], self._request, freed) if len(cases) == 1 else many(cases, freed, seconds)) + again,
            details=(
                *left,
                *self._runaways(),
                *shared(sum(case.before for case in cases), freed),
                *details(cases, self._request),
            ),
            freed=freed,
            seconds=seconds or None,
            before=format_bytes(sum(case.before for case in cases)),
            after=format_bytes(sum(case.before for case in cases if case.fate is not Fate.EXITED)),
            undo=undo_of(cases, self._request),
            ended=tuple(victim.target for victim in ended),
            waiting=tuple(case.victim.target for case in self._waiting()),
            restarted=restarted,
        )


def is_ending(number: int) -> bool:
    """Whether the signal usually ends a process, so that waiting makes sense."""
    return number in (
        signals.SIGTERM,
        signals.SIGKILL,
        signals.SIGINT,
        signals.SIGQUIT,
        signals.SIGABRT,
        signals.SIGHUP,
    )


def _send(case: KillCase, number: int) -> None:
    handle = case.victim.handle
    if case.before == 0:
        now = handle.facts()
        case.before = 0 if now is None else frees(now)
    try:
        handle.require_same()
        if handle.has_exited():
            raise ProcessLookupError(errno.ESRCH, "")
        if case.victim.drops(number):
            case.fate = Fate.DENIED
            case.notes.append(dropped(number))
            return
        handle.send(number)
    except (ActionRefused, ProcessLookupError) as error:
        is_gone = isinstance(error, (NothingLeft, ProcessLookupError))
        case.fate = Fate.GONE if is_gone else Fate.REFUSED
        if isinstance(error, ActionRefused):
            case.notes.append(str(error))
    except OSError as error:
        case.fate = Fate.DENIED
        case.notes.append(in_words(error))


def _release(case: KillCase) -> None:
    """Free the memory early; fails if the target is already gone, or shares it with others (EINVAL)."""
    code = case.victim.handle.release_memory()
    if code not in (0, errno.ESRCH, errno.EINVAL):
        case.notes.append(f"process_mrelease: {in_words(OSError(code, ''))}")

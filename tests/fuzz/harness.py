"""The harness of the fuzzers: hostile input by seed and number, with bounds on time and memory.

A door is one way into oomtop for bytes that others choose.  Its module is `tests/fuzz/door_NAME.py` and has a `DOOR`.
`make test` tries a few cases of each door, always the same ones; `make fuzz` tries many, of a new seed each time.
"""

import contextlib
import importlib
import pkgutil
import resource
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any

CPU_SECONDS = 2.0
"""What one case may cost.  CPU time, because a busy machine makes everything slow and not only what hangs."""
WAIT_SECONDS = 120.0
"""How long one case may wait for something that uses no CPU."""
MEMORY = 200 << 20
"""By how many bytes one case may raise the resident memory."""
_REPORTED = 2000


@dataclass(frozen=True)
class Door:
    """How to make a case, and how to try it: `attempt` returns, or raises what is a finding."""

    name: str
    make: Callable[[Random], Any]
    attempt: Callable[[Any], object]
    """Returns the `Cost` of the dearest part where the bounds are those of a part."""
    few: int
    """The number of cases in `make test`: seconds at most."""
    many: int
    """The number of cases in `make fuzz`."""
    cpu_seconds: float = CPU_SECONDS


@dataclass
class Cost:
    """What the dearest case took."""

    cpu_seconds: float = 0.0
    memory: int = 0
    """By how many bytes the resident memory grew."""
    cases: int = 0

    def add(self, other: "Cost") -> None:
        """Count a case, and keep the larger of each."""
        self.cases += 1
        self.cpu_seconds, self.memory = max(self.cpu_seconds, other.cpu_seconds), max(self.memory, other.memory)

    def __str__(self) -> str:
        return f"{self.cpu_seconds:.2f} s of CPU and {self.memory / 2**20:.0f} MiB more"


@dataclass(frozen=True)
class Finding:
    """A case that failed, with what is needed to try it again."""

    door: str
    seed: int
    number: int
    case: Any
    problem: str
    """One line: the kind of the error and where it was raised, or which bound was passed."""
    details: str = ""

    def __str__(self) -> str:
        again = f"python -m tests.fuzz {self.door} --seed {self.seed} --only {self.number}"
        return f"{self.problem}\n  again: {again}\n  case: {repr(self.case)[:_REPORTED]}\n{self.details}"


class TooSlow(BaseException):
    """A case passed its bound of time; no `except Exception` of the code under test stops it."""


def doors() -> dict[str, Door]:
    """Return every door by its name."""
    here = str(Path(__file__).parent)
    names = [module.name for module in pkgutil.iter_modules([here]) if module.name.startswith("door_")]
    found = [importlib.import_module(f"tests.fuzz.{name}").DOOR for name in sorted(names)]
    return {door.name: door for door in found}


def attack(door: Door, count: int, seed: int, first: int = 0, worst: Cost | None = None) -> Iterator[Finding]:
    """Try `count` cases and yield those that failed; number N of a seed is always the same case.

    `worst` is set to the highest costs of all of them.
    """
    worst = worst or Cost()
    for number in range(first, first + count):
        case = door.make(Random(f"{door.name} {seed} {number}"))
        problem, details = _try(door, case, worst)
        if problem is not None:
            yield Finding(door.name, seed, number, case, problem, details)


def _try(door: Door, case: Any, worst: Cost) -> tuple[str | None, str]:
    before, begun = _restart_peak(), time.process_time()
    try:
        with _bounded(door.cpu_seconds):
            cost = door.attempt(case)
    except (Exception, TooSlow) as error:
        worst.add(Cost())
        return _kind(error), traceback.format_exc(limit=-12)
    spent, grown = time.process_time() - begun, _peak() - before
    worst.add(cost if isinstance(cost, Cost) else Cost(spent, grown))
    return (f"memory: {grown >> 20} MiB more", "") if grown > MEMORY else (None, "")


def _kind(error: BaseException) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {str(error)[:120]} ({Path(last.filename).name}:{last.lineno})"


@contextlib.contextmanager
def _bounded(cpu_seconds: float) -> Iterator[None]:
    """Raise `TooSlow` in the main thread when a case uses too much CPU, or waits for ever."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise TooSlow(signal.Signals(number).name)

    before = {number: signal.signal(number, stop) for number in (signal.SIGPROF, signal.SIGALRM)}
    signal.setitimer(signal.ITIMER_PROF, cpu_seconds)
    signal.setitimer(signal.ITIMER_REAL, WAIT_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)


def _restart_peak() -> int:
    """Have the kernel measure the peak of resident memory anew (proc(5), clear_refs 5), and return what it is now."""
    with contextlib.suppress(OSError), open("/proc/self/clear_refs", "w") as file:
        file.write("5")
    return _peak()


def _peak() -> int:
    """Return the peak of resident memory in bytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) << 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


# -- what cases are made of --------------------------------------------------------------------------


def mutate(rng: Random, data: bytes, most: int = 8) -> bytes:
    """Return `data` with up to `most` changes: flipped bits, cuts, repeats, numbers out of range."""
    for _ in range(rng.randint(1, most)):
        at = rng.randint(0, len(data))
        end = min(len(data), at + rng.choice((1, 1, 4, 32)))
        data = data[:at] + rng.choice(_CHANGES)(rng, data[at:end]) + data[end:]
    return data


def _flip(rng: Random, part: bytes) -> bytes:
    return bytes(byte ^ (1 << rng.randrange(8)) for byte in part)


def _cut(rng: Random, part: bytes) -> bytes:
    return b""


def _repeat(rng: Random, part: bytes) -> bytes:
    return part * rng.choice((2, 3, 100))


def _replace(rng: Random, part: bytes) -> bytes:
    return rng.choice(NASTY)


_CHANGES = (_flip, _cut, _repeat, _replace)
NASTY = (
    b"0", b"-1", b"1e309", b"-inf", b"nan", b"9" * 20, b"9" * 5000, b"4294967296", b"9223372036854775808",
    b"33333333333", b"\0", b"\xff", b"\xe2\x82", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\x1b[2J", b"\x1b]52;c;QQ==\x07",
    b"\x9b", b"\r", b"\n", b"\t", b"\xe2\x80\xae", b"\xcc\x81" * 200, b"\xef\xb8\x8f", b"[" * 2000, b"{" * 2000, b'"', b"\\",
    b"%s%n", b"../../..", b"=" * 100, b" " * 10_000,
)  # fmt: skip
"""Bytes that parsers stumble over."""

"""What oomtop costs beside htop, btop, atop and glances: the same minute, the same processes, measured from outside.

`make bench` prints the tables, which go to docs/benchmarks.md with machine, versions and date.
A program that is not installed is left out.  Every program refreshes once a second unless a table says otherwise.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.terminal import Size, Terminal, Victim, births, burn, processes, saw_tooth, terminal, victims
from tests.vm.machine import Machine, Shape, missing
from tests.vm.test_vm_surge import surges

ROOT = Path(__file__).parents[2]
OOMTOP = (sys.executable, "-m", "oomtop")


@dataclass(frozen=True, slots=True)
class Program:
    """A monitor, and how it is told to refresh once a second."""

    name: str
    argv: tuple[str, ...]
    marks: tuple[bytes, ...]
    """What its first full picture holds."""
    interval: float = 1.0
    version: tuple[str, ...] = ()
    down_and_up: tuple[bytes, bytes] = (b"\x1b[B", b"\x1b[A")


PROGRAMS = (
    Program("oomtop", (*OOMTOP, "--interval", "1"), (b"COMMAND", b"Quit", b"anon"), 1.0, (*OOMTOP, "--version")),
    # htop switches the keypad to application mode and would take the other codes as `[`, its key for a nice value.
    Program("htop", ("htop", "--readonly", "-d", "10"), (b"Quit",), 1.0, ("htop", "--version"), (b"\x1bOB", b"\x1bOA")),
    # btop takes its interval from its configuration only.
    Program("btop", ("btop",), (b"proc",), 2.0, ("btop", "--version")),
    Program("atop", ("atop", "1"), (b"PRC",), 1.0, ("atop", "-V")),
    Program("glances", ("glances", "-t", "1"), (b"Command",), 1.0, ("glances", "--version")),
)
Row = Sequence[str]
Found = TypeVar("Found")
Picture = tuple[float | None, float, float | None]
"""Seconds to the first full picture, seconds on a CPU until then, seconds to the full screen."""
SWAPS = {
    "none": Shape(memory=512),
    "fast": Shape(memory=512, swap=192),
    "slow, 200 IOPS": Shape(memory=512, swap=192, iops=200),
}
HOGS = 4 * (os.cpu_count() or 1)
SAID = ("request finished in ms", "session opened for user", "GET /api/v1/items HTTP/1.1 200", "connection from port")


def installed(names: Iterable[str]) -> list[Program]:
    """Return the programs of these names that this machine has."""
    return [program for program in PROGRAMS if program.name in names and shutil.which(program.argv[0])]


def refresh(options: argparse.Namespace) -> None:
    """CPU per refresh and resident size against the number of processes."""
    heading("CPU per refresh, resident size", ("processes", "program", "CPU ms/refresh", "resident MiB"))
    for count in options.processes:
        with processes(count):
            for program in installed(("oomtop", "htop", "btop", "atop", "glances")):
                # At 20,000 processes glances and atop need longer than their interval for one picture.
                if count > 5000 and program.name in ("atop", "glances"):
                    continue
                cost = measured(program, (120, 40), partial(cost_of, program=program, seconds=options.seconds))
                row((f"{count:,}", program.name, *(cost or ("ended", ""))))


def cost_of(at: Terminal, program: Program, seconds: float) -> tuple[str, str]:
    """Return CPU per refresh and resident size."""
    at.drain(9.0)
    before = at.cpu_seconds()
    at.drain(seconds)
    spent = at.cpu_seconds() - before
    return f"{spent * 1000 / (seconds / program.interval):.1f}", mib(at.resident())


def start(options: argparse.Namespace) -> None:
    """Start to the first full picture, the best and the middle of several."""
    heading("Start to the first full picture, 120x40", ("program", "best ms", "median ms"))
    empty = ROOT / "tests" / "bench" / "empty_app.py"
    for program in (
        Program("an empty Textual app", (sys.executable, str(empty)), (b"READY",)),
        *installed(("oomtop", "htop", "btop", "atop", "glances")),
    ):
        times = [first_picture(program) for _ in range(options.starts)]
        row((program.name, *best_and_median([found for found in times if found is not None])))
    shots = [timed((*OOMTOP, "top", "--json")) for _ in range(options.starts)]
    row(("oomtop top --json, to its end", *best_and_median(shots)))


def first(options: argparse.Namespace) -> None:
    """The first full picture warm, from a cold page cache and on a starved machine, one program after the other."""
    heading(
        "First full picture, 120x40, interleaved",
        ("state", "program", "best ms", "median ms", "median on the CPU ms", "median full screen ms"),
    )
    for state, hold in (("warm", nullcontext()), ("cold", nullcontext()), ("starved", processes(HOGS, burn))):
        with hold:
            programs = installed(("oomtop", "htop", "btop"))
            found: dict[str, list[Picture]] = {program.name: [] for program in programs}
            for _ in range(options.starts):
                for program in programs:
                    if state == "cold":
                        evict(program)
                    found[program.name].append(picture_of(program))
            for name, pictures in found.items():
                row((state, name, *summary(pictures)))


def picture_of(program: Program) -> Picture:
    """Return what it took to the first full picture, and to the end of what comes in place of it."""
    with terminal(program.argv) as at:
        first = at.wait_for(program.marks, 20.0)
        ran = at.ran_seconds()
        # The driver of the full screen asks for the mouse before it paints.
        full = at.wait_for((b"\x1b[?1000h", *program.marks), 20.0) if program.name == "oomtop" else None
    return first, ran, full


def summary(pictures: Sequence[Picture]) -> tuple[str, ...]:
    """Return best and median of the first picture, then the medians of the rest."""
    firsts, others = [first for first, *_ in pictures if first is not None], list(zip(*pictures, strict=True))[1:]
    known = ([value for value in column if value is not None] for column in others)
    return (*best_and_median(firsts), *(best_and_median(column)[1] for column in known))


def evict(program: Program) -> None:
    """Take the files of a program out of the page cache, as far as nobody else has them mapped."""
    folders = [Path(os.__file__).parent, ROOT / "oomtop", Path(sys.prefix)] if program.name == "oomtop" else []
    binary = Path(shutil.which(program.argv[0]) or "/")
    for path in (binary.resolve(), *(path for folder in folders for path in folder.rglob("*") if path.is_file())):
        with suppress(OSError), path.open("rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def first_picture(program: Program) -> float | None:
    """Return the seconds to the first full picture."""
    with terminal(program.argv) as at:
        return at.wait_for(program.marks, 10.0)


def timed(argv: Sequence[str]) -> float:
    """Return the seconds that a command takes."""
    started = time.monotonic()
    subprocess.run(argv, stdout=subprocess.DEVNULL, check=True)
    return time.monotonic() - started


def wire(options: argparse.Namespace) -> None:
    """Bytes per second on the terminal in steady state."""
    heading("Bytes per second on the wire", ("load", "size", "program", "bytes/s"))
    ssh = Program("oomtop --ssh", (*OOMTOP, "--ssh"), ())
    default = Program("oomtop, default interval", OOMTOP, ())
    for load, hold in (("idle", processes(100)), ("busy", processes(50, saw_tooth))):
        with hold:
            for size in ((80, 24), (120, 40), (200, 60)):
                for program in (default, ssh, *installed(("htop", "btop", "atop"))):
                    found = measured(program, size, lambda at: f"{steady(at, options.seconds * 2):.0f}")
                    row((load, f"{size[0]}x{size[1]}", program.name, found or "ended"))


def steady(at: Terminal, seconds: float) -> float:
    """Return the bytes per second after a while."""
    at.drain(8.0)
    return at.drain(seconds) / seconds


def keys(options: argparse.Namespace) -> None:
    """Key to paint: Down and Up in turn at odd moments."""
    heading("Key to paint, 5,000 processes, 120x40", ("program", "median ms", "95th ms", "worst ms", "unanswered"))
    with processes(5000):
        for program in installed(("oomtop", "htop", "btop")):
            found = measured(program, (120, 40), partial(answers, program=program, count=options.keys))
            row((program.name, *(found or ("ended", "", "", ""))))


def answers(at: Terminal, program: Program, count: int) -> tuple[str, ...]:
    """Return the distribution of the answers to `count` keys."""
    at.drain(10.0)
    found: list[float | None] = []
    for number in range(count):
        # An odd step, so that keys meet every phase of a refresh.
        at.drain(0.137 + 0.061 * (number % 7))
        found.append(at.answer_to(program.down_and_up[number // 10 % 2]))
    return distribution(found)


def distribution(found: Sequence[float | None]) -> tuple[str, str, str, str]:
    """Return median, 95th and worst in milliseconds, and how many are None."""
    times = sorted(answer * 1000 for answer in found if answer is not None)
    if not times:
        return ("-", "-", "-", str(len(found)))
    p95 = times[min(len(times) - 1, int(len(times) * 0.95))]
    return f"{statistics.median(times):.1f}", f"{p95:.1f}", f"{times[-1]:.1f}", str(found.count(None))


def signals(options: argparse.Namespace) -> None:
    """Key to dialog, and from the key that confirms to the signal in the process, as that process sees it."""
    heading("Key to signal, 5,000 processes", ("size", "from", "to", "median ms", "95th ms", "worst ms", "unanswered"))
    for size in options.sizes:
        with processes(5000), victims(options.victims) as children, tempfile.TemporaryDirectory() as folder:
            os.environ["OOMTOP_AUDIT_LOG"] = str(Path(folder, "audit.jsonl"))
            with terminal((*OOMTOP, "--interval", "1"), size) as at:
                at.drain(10.0)
                found = [signalled(at, child, number) for number, child in enumerate(children)]
        steps = (
            ("k", "menu on the screen"),
            ("Enter in it", "plan on the screen"),
            ("Enter in that", "SIGTERM arrives"),
        )
        for (key, to), times in zip(steps, zip(*found, strict=True), strict=True):
            row((f"{size[0]}x{size[1]}", key, to, *distribution(times)))


def signalled(at: Terminal, victim: Victim, number: int) -> tuple[float | None, float | None, float | None]:
    """End one process by the keys; return the seconds of each step, None where nothing came of it."""
    # An odd step, so that keys meet every phase of a refresh.
    at.drain(0.437 + 0.061 * (number % 7))
    os.write(at.master, str(victim.pid).encode())
    at.drain(0.5 + 0.043 * (number % 11))
    menu = at.pressed(b"k", b"SIGQUIT")
    plan = None if menu is None else at.pressed(b"\r", b"Send SIGTERM to %d " % victim.pid)
    if plan is None:
        # Nobody but the victim is ever signalled.
        os.write(at.master, b"\x1b")
        at.drain(0.5)
        os.write(at.master, b"\x1b")
        return menu, None, None
    at.drain(0.3 + 0.037 * (number % 13))
    confirmed = time.monotonic()
    os.write(at.master, b"\r")
    arrived = victim.arrival()
    return menu, plan, None if arrived is None else arrived - confirmed


def parse_terminal(text: str) -> Size:
    """Parse `80x24`."""
    columns, _, lines = text.partition("x")
    return int(columns), int(lines)


def surge(options: argparse.Namespace) -> None:
    """Key to answer in a guest of 512 MB while memory runs out, every run beside htop's; medians of the runs."""
    heading(
        "Key to answer while memory runs out",
        ("swap", "program", "runs", "median ms", "95th ms", "worst ms", "unanswered", "major faults", "alive"),
    )
    reason = missing()
    if reason is not None:
        row(("-", reason, "", "", "", "", "", "", ""))
        return
    names = [program.name for program in installed(("oomtop", "htop"))]
    for kind, shape in SWAPS.items():
        guest = Machine(shape)
        try:
            told = [
                guest.call(surges, timeout=600, rounds=2, swap=shape.swap > 0, programs=names)
                for _ in range(options.surges)
            ]
        finally:
            guest.close()
        for name in names:
            row((kind, name, len(told), *surge_medians([one[name] for one in told])))


def surge_medians(told: Sequence[Mapping[str, float | None]]) -> tuple[str, ...]:
    """Return the medians of what the runs of one program told, and in how many it lived."""
    times = (statistics.median((one[key] or 0.0) * 1000 for one in told) for key in ("median", "p95", "worst"))
    counts = (statistics.median(one[key] or 0 for one in told) for key in ("missed", "major_faults"))
    return (
        *(f"{ms:.0f}" for ms in times),
        *(f"{count:g}" for count in counts),
        str(sum(bool(one["alive"]) for one in told)),
    )


def swarm(options: argparse.Namespace) -> None:
    """The cost while thousands of processes are born and gone every second."""
    heading("A swarm of births", ("program", "births/s", "CPU, % of one core", "resident MiB"))
    with processes(4, births):
        for program in installed(("oomtop", "htop", "btop")):
            found = measured(program, (120, 40), lambda at: amid_births(at, options.seconds))
            row((program.name, *(found or ("ended", "", ""))))


def amid_births(at: Terminal, seconds: float) -> tuple[str, str, str]:
    """Return births per second, share of CPU and resident size."""
    at.drain(4.0)
    born, spent, started = forks(), at.cpu_seconds(), time.monotonic()
    at.drain(seconds)
    passed = time.monotonic() - started
    share = (at.cpu_seconds() - spent) / passed
    return f"{(forks() - born) / passed:,.0f}", f"{share * 100:.1f}", mib(at.resident())


def forks() -> int:
    """Return the number of forks since boot."""
    with open("/proc/stat") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("processes "))


def soak(options: argparse.Namespace) -> None:
    """A day's ticks at speed."""
    heading("A day at speed", ("tick", "resident MiB"))
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "resident")
        argv = (sys.executable, str(ROOT / "tests/bench/soak.py"), str(options.ticks), str(out))
        with terminal(argv) as at, suppress(OSError):
            at.drain(options.ticks * 0.1 + 60)
        for line in out.read_text().splitlines():
            tick, size = line.split()
            row((f"{int(tick):,}", mib(int(size))))


def events(options: argparse.Namespace) -> None:
    """A gigabyte of syslog with 20 reports, storms of 2,000 in several forms, of 150,000 kills, and one huge report."""
    heading("OOM events in big logs", ("log", "command", "seconds", "CPU, s", "resident MiB", "found"))
    report = (ROOT / "tests" / "fixtures" / "events" / "global.log").read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        big = Path(folder, "syslog")
        write_log(big, report, options.gigabytes)
        found = {big: (), **{write_storm(Path(folder, name), name, report): ("--json",) for name in STORMS}}
        for path, more in found.items():
            size = f"{path.name}, {path.stat().st_size / 2**20:.0f} MiB"
            row((size, "grep -c", *ran(("grep", "-c", "Out of memory", str(path)))))
            for form in ((), more) if more else ((),):
                row((size, " ".join(("events", *form)), *ran((*OOMTOP, "events", *form, str(path)))))


# What stands before each line of 2,000 reports, of 150,000 kills, or of one report with two million tasks.
STORMS = {
    "bare": "",
    "dmesg": "[{stamp:12.6f}] ",
    "rsyslog": "Nov 24 08:00:00 h kernel: [{stamp:12.6f}] ",
    "rsyslog in ISO 8601": "2026-11-24T08:00:00.123456+01:00 h kernel: [{stamp:12.6f}] ",
    "journalctl": "Nov 24 08:00:00 h kernel: ",
    "kills": "Nov 24 08:00:00 h kernel: [{stamp:12.6f}] ",
    "one report": "",
}


def write_storm(path: Path, name: str, report: bytes) -> Path:
    """Write a storm, each report and each kill of another process; return its path."""
    lines = report.decode().splitlines()
    victim = re.search(r"Killed process (\d+)", report.decode())
    pid = victim[1] if victim else ""
    with path.open("w") as file:
        if name == "kills":
            kill = next(line for line in lines if "Killed process" in line)
            for n in range(150_000):
                file.write(STORMS[name].format(stamp=1000 + n) + kill.replace(pid, str(n + 2)) + "\n")
        elif name == "one report":
            last = next(at for at, line in enumerate(lines) if line.startswith("[ ") and "pid" not in line)
            file.write("\n".join(lines[:last]) + "\n")
            for n in range(2_000_000):
                file.write(f"[{n:7}]     0 {n:7}    16404       66   159744      303          -250 task\n")
            file.write("\n".join(lines[-4:]) + "\n")
        else:
            for n in range(2000):
                stamps = (1000 + 5 * n + at * 0.0001 for at in range(len(lines)))
                texts = (line.replace(pid, str(int(pid) - n)) for line in lines)
                file.writelines(
                    f"{STORMS[name].format(stamp=stamp)}{text}\n" for stamp, text in zip(stamps, texts, strict=True)
                )
    return path


def write_log(path: Path, report: bytes, gigabytes: float) -> None:
    """Write ordinary lines, and the report twenty times among them."""
    lines = "".join(
        f"Nov 23 {n // 3600:02}:{n // 60 % 60:02}:{n % 60:02} host app[{n}]: {SAID[n % 4]} {n * 7919}\n"
        for n in range(20000)
    )
    block = lines.encode()
    part = int(gigabytes * 2**30 / 20 / len(block))
    with path.open("wb") as file:
        for _ in range(20):
            for _ in range(part):
                file.write(block)
            file.write(report)


def ran(argv: Sequence[str]) -> tuple[str, str, str, str]:
    """Run a command twice; return its better time, CPU time and peak of memory, and how many lines it printed."""
    best, spent, peak, lines = 1e9, 1e9, 0, 0
    for _ in range(2):
        # What it prints is not kept here: a child begins with the peak of its parent.
        with tempfile.TemporaryFile() as said:
            started = time.monotonic()
            with subprocess.Popen(argv, stdout=said, stderr=subprocess.DEVNULL) as child:
                _, status, usage = os.wait4(child.pid, 0)
                child.returncode = os.waitstatus_to_exitcode(status)
            best = min(best, time.monotonic() - started)
            said.seek(0)
            lines = sum(block.count(b"\n") for block in iter(partial(said.read, 1 << 16), b""))
        spent, peak = min(spent, usage.ru_utime + usage.ru_stime), usage.ru_maxrss << 10
    return f"{best:.2f}", f"{spent:.2f}", mib(peak), f"{lines} lines"


def measured(program: Program, size: Size, measure: Callable[[Terminal], Found]) -> Found | None:
    """Return what `measure` finds, None if the program ended unexpectedly."""
    with terminal(program.argv, size) as at:
        try:
            return measure(at)
        except (OSError, IndexError):
            return None


def best_and_median(seconds: Sequence[float]) -> tuple[str, str]:
    """Return both in milliseconds."""
    if not seconds:
        return "-", "-"
    return f"{min(seconds) * 1000:.0f}", f"{statistics.median(seconds) * 1000:.0f}"


def mib(size: int) -> str:
    """Return bytes in MiB."""
    return f"{size / 2**20:.1f}"


def heading(title: str, columns: Row) -> None:
    """Begin a table."""
    print(f"\n## {title}\n\n| {' | '.join(columns)} |\n|{' --- |' * len(columns)}", flush=True)


def row(cells: Iterable[object]) -> None:
    """Print a line of a table."""
    print(f"| {' | '.join(str(cell) for cell in cells)} |", flush=True)


def machine() -> None:
    """Say where and when, and which versions."""
    print(f"# Benchmarks\n\n{time.strftime('%Y-%m-%d')}, {os.cpu_count()} CPUs, Linux {platform.release()}, ", end="")
    print(f"Python {platform.python_version()}.  Made by `make bench`; see tests/bench for how.\n")
    for program in PROGRAMS:
        if shutil.which(program.argv[0]):
            done = subprocess.run(program.version, capture_output=True, text=True, check=False)
            said = (done.stdout or done.stderr).strip().splitlines()
            print(f"- {program.name}: {said[0] if said else '?'}", flush=True)


SECTIONS: dict[str, Callable[[argparse.Namespace], None]] = {
    "refresh": refresh,
    "start": start,
    "first": first,
    "wire": wire,
    "keys": keys,
    "signal": signals,
    "surge": surge,
    "swarm": swarm,
    "events": events,
    "soak": soak,
}


def main() -> None:
    """Run the sections that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=f"of {', '.join(SECTIONS)}; all")
    parser.add_argument("--processes", type=int, nargs="+", default=[100, 1000, 5000, 20000])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--starts", type=int, default=7)
    parser.add_argument("--gigabytes", type=float, default=1.0)
    parser.add_argument("--keys", type=int, default=100)
    parser.add_argument("--sizes", type=parse_terminal, nargs="+", default=[(80, 24), (120, 40), (200, 60)])
    parser.add_argument("--victims", type=int, default=40)
    parser.add_argument("--surges", type=int, default=5)
    parser.add_argument("--ticks", type=int, default=20000)
    options = parser.parse_args()
    # Told to end, it takes its thousands of processes with it.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    machine()
    for name in options.sections or SECTIONS:
        SECTIONS[name](options)


if __name__ == "__main__":
    main()

"""Machines in trouble, made up and assessed as real ones are: one assessment for each state a screen has to show."""

from __future__ import annotations

import atexit
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field, replace
from functools import cache

from textual.pilot import Pilot

from oomtop.analysis.assessment import assess
from oomtop.analysis.model.assessment import Assessment
from oomtop.commands.replay import before_last_kill
from oomtop.history import History
from oomtop.host.cgroup import Cgroup, CgroupEvents
from oomtop.host.meminfo import Meminfo
from oomtop.host.pressure import Pressure, PressureLine
from oomtop.host.process import Process
from oomtop.oomlog.event import OomEvent, Victim
from oomtop.recording.reader import Recording
from oomtop.recording.store import Store
from oomtop.snapshot import Snapshot, Tick
from oomtop.sources.replay import ReplaySource
from oomtop.tui.base.sampling import samples
from oomtop.tui.shell.app import OomtopApp, Options
from oomtop.units import MIB
from tests.present import present
from tests.synthetic import SyntheticMachine
from tests.tui.allowed import Everything
from tests.tui.factories import make_process

Curve = Callable[[float], float]
"""From seconds since the start to MiB."""


@dataclass(frozen=True)
class Group:
    """A cgroup: MiB of its limit, what each of its processes holds over time, and its page cache."""

    path: str
    limit: int
    loads: Mapping[str, Curve]
    cache: Curve = lambda time: 0.0
    killed: tuple[float, str] | None = None
    """(seconds since the start, name of the victim)."""


@dataclass(frozen=True)
class Script:
    """What happens on a machine in `seconds`."""

    groups: tuple[Group, ...] = ()
    seconds: int = 60
    thrashes: bool = False
    swap: Curve | None = None
    """MiB of swap in use, of 2 GiB; its storm leaves little RAM available."""
    recorded: bool = False
    """Whether it is shown as a replay of all of it, standing where that opens."""
    old_kills: int = 0
    crowd: int = 80
    """The number of other processes."""
    others: tuple[Group, ...] = field(
        default=(
            Group("/system.slice/nginx.service", 600, {"nginx": lambda time: 246}),
            Group("/system.slice/postgres.service", 4096, {"postgres": lambda time: 900}, lambda time: 1200),
        )
    )


def _swarm(count: int) -> Mapping[str, Curve]:
    return {f"swarm-{number}": lambda time: 1.0 + max(0.0, time - 20) * 0.12 for number in range(count)}


def _leak(start: float, rate: float, since: float = 0.0) -> Curve:
    return lambda time: start + max(0.0, time - since) * rate


LEAK = Group("/web.service", 300, {"oomtop-leak": _leak(15, 2.0), "nginx": lambda time: 12.0})
CRON = Group("/cron", 90, {"backup": _leak(10, 0.2)})
KILLED = Group(
    "/web.service", 300, {"oomtop-leak": lambda time: 15 + time * 6.2 if time < 45 else 0, "nginx": lambda time: 12.0},
    killed=(45, "oomtop-leak"),
)  # fmt: skip
SCRIPTS: Mapping[str, Script] = {
    "calm": Script(seconds=40),
    "first": Script(seconds=3),
    "leak": Script((LEAK,), seconds=70),
    "surge": Script((Group("/batch", 300, {"surge": _leak(10, 9.0, 40)}),), seconds=58),
    "swarm": Script((Group("/pool", 300, _swarm(40)),), seconds=55),
    "cache": Script((Group("/files", 300, {"reader": lambda time: 8.0}, _leak(20, 12)),), seconds=50),
    "few": Script((LEAK,), seconds=70, crowd=8),
    "few and calm": Script(seconds=40, crowd=4),
    "three": Script((LEAK, CRON, Group("/peers", 200, {"a1": _leak(70, 0.1), "a2": _leak(80, 0.05)})), seconds=100),
    "killed": Script((KILLED,), seconds=50, old_kills=3),
    "swap": Script((), seconds=60, swap=lambda time: min(2000.0, 200 + time * 22)),
    "thrash": Script((LEAK,), seconds=40, thrashes=True),
    "replay": Script((KILLED,), seconds=60, old_kills=3, recorded=True),
}


@cache
def state(name: str) -> Assessment:
    """Return the last assessment of a script, of a recorded one that of the moment at which a replay opens."""
    if SCRIPTS[name].recorded:
        source = recorded(name)
        with closing(samples(source)) as found:
            return next(found).assessment
    return list(_assessments(SCRIPTS[name]))[-1]


def recorded(name: str) -> ReplaySource:
    """Return the replay of a script, where `oomtop replay` opens it."""
    recording = Recording(_recording_of(name))
    return ReplaySource(recording, before_last_kill(recording), float("inf"))


@cache
def _recording_of(name: str) -> str:
    folder = tempfile.TemporaryDirectory(prefix="oomtop-state-")
    atexit.register(folder.cleanup)
    path = f"{folder.name}/{name}.db"
    with closing(Store(path)) as store:
        for tick in ticks(SCRIPTS[name]):
            store.write(tick)
    return path


def ticks(script: Script) -> Iterator[Tick]:
    """Yield what is read of the machine, second by second."""
    machine = SyntheticMachine(script.crowd, 6, busy=0.05, seed=7)
    for _ in range(script.seconds):
        snapshot = machine.snapshot(1.0)
        yield _tick(script, snapshot, snapshot.monotonic - 5000.0)


def _assessments(script: Script) -> Iterator[Assessment]:
    history, found = History(), None
    for tick in ticks(script):
        history.add(tick)
        found = assess(tick, history, found)
        yield found


def _tick(script: Script, snapshot: Snapshot, time: float) -> Tick:
    every = (*script.groups, *script.others)
    processes = [process for group in every for process in _processes(group, time)]
    groups = tuple(replace(group, max=None) for group in snapshot.cgroups)
    limited = [_cgroup(group, time) for group in every]
    snapshot = replace(
        snapshot, processes=(*processes, *snapshot.processes), cgroups=(*groups, *limited),
        vmstat=replace(present(snapshot.vmstat), oom_kill=sum(group.events.oom_kill or 0 for group in limited)),
        pressure_memory=_pressure(script, time), swaps=(), meminfo=_memory(processes),
    )  # fmt: skip
    if script.thrashes:
        snapshot = _thrashing(snapshot, time, 1148 + time * 20)
    if script.swap is not None:
        snapshot = _thrashing(snapshot, time, script.swap(time))
    return Tick(snapshot, tuple(_events(script, snapshot, time)))


def _processes(group: Group, time: float) -> Iterator[Process]:
    for number, (name, curve) in enumerate(group.loads.items()):
        if not curve(time):
            continue
        pid = 11000 + sum(map(ord, group.path)) + number
        yield make_process(
            pid, name.split("-0")[0], rss=int(curve(time) * MIB), uid=0 if number == 0 else 33, cgroup=group.path,
            command=f"python3 -I -S -c {name} --config /etc/{name}.conf",
        )  # fmt: skip


def _cgroup(group: Group, time: float) -> Cgroup:
    held = int(sum(curve(time) for curve in group.loads.values()) * MIB)
    held += sum(1 for _ in group.loads) * MIB
    cache = min(int(group.cache(time) * MIB), group.limit * MIB - held)
    killed = int(group.killed is not None and time >= group.killed[0])
    line = PressureLine(0.0, 0.0, 0.0, 0)
    return Cgroup(
        group.path, held + cache, max=group.limit * MIB, anon=held, file=cache, active_file=cache // 2,
        inactive_file=cache - cache // 2, slab_reclaimable=0, pids_current=len(group.loads), shmem=0,
        events=CgroupEvents(max=killed, oom_kill=killed), pressure=Pressure(line, line),
    )  # fmt: skip


def _pressure(script: Script, time: float) -> Pressure:
    share = min(80.0, time * 3) if script.thrashes else 0.0
    some = PressureLine(share, share / 2, share / 4, int(time * share * 10000))
    return Pressure(some, replace(some, avg10=share / 2, total_us=some.total_us // 2))


def _memory(processes: Iterable[Process]) -> Meminfo:
    """Return an account of 16 GiB that adds up, without swap."""
    anon = 1000 * MIB + sum(process.rss for process in processes)
    return Meminfo(
        mem_total=16384 * MIB, mem_free=16384 * MIB - anon - 5000 * MIB, mem_available=16384 * MIB - anon - 800 * MIB,
        buffers=64 * MIB, cached=4096 * MIB, swap_cached=0,
        mlocked=0, swap_total=0, swap_free=0,
        dirty=MIB, writeback=0, anon_pages=anon, shmem=100 * MIB, slab=500 * MIB, s_reclaimable=300 * MIB,
        s_unreclaim=200 * MIB, kernel_stack=20 * MIB, page_tables=40 * MIB, percpu=8 * MIB, commit_limit=8192 * MIB,
        committed_as=anon * 2, huge_pages_total=0, huge_pages_free=0, hugetlb=0,
    )  # fmt: skip


def _thrashing(snapshot: Snapshot, time: float, swapped: float) -> Snapshot:
    vmstat = replace(
        present(snapshot.vmstat),
        pgmajfault=int(54_321 + time * 900),
        pswpin_pages=int(time * 4000),
        pswpout_pages=int(time * 9000),
    )
    memory = replace(
        snapshot.meminfo,
        mem_available=300 * MIB,
        mem_free=120 * MIB,
        swap_total=2048 * MIB,
        swap_free=max(0, 2048 - int(swapped)) * MIB,
    )
    return replace(snapshot, vmstat=vmstat, meminfo=memory)


def _events(script: Script, snapshot: Snapshot, time: float) -> Iterator[OomEvent]:
    for group in script.groups:
        if group.killed is not None and group.killed[0] <= time < group.killed[0] + 1:
            yield _kill(snapshot.time, group, 12881, group.killed[1])
        if time < 1.5:
            for number in range(script.old_kills):
                yield _kill(snapshot.time - 1200 - number, group, 12000 + number, "swarm")


def _kill(time: float, group: Group, pid: int, name: str) -> OomEvent:
    victim = Victim(pid, name, 0, group.limit * MIB, anon_rss=(group.limit - 5) * MIB)
    return OomEvent(
        "kernel", "memcg", time=time, kernel_time=time % 10000, oom_memcg=group.path, task_memcg=group.path,
        memcg_limit=group.limit * MIB, victim=victim, complete=True,
    )  # fmt: skip


@dataclass(frozen=True)
class Picture:
    """The screen as its lines and as a drawing."""

    lines: tuple[str, ...]
    svg: str


class Still:
    """A source that tells nothing: the assessment is handed to the screen."""

    def ticks(self) -> Iterator[Tick]:
        """Yield none."""
        return iter(())

    def close(self) -> None:
        """Nothing is open."""


@asynccontextmanager
async def on_screen(
    name: str, size: tuple[int, int], *, theme: str | None = None, ascii: bool = False
) -> AsyncIterator[tuple[OomtopApp, Pilot[None]]]:
    """Have a state on the screen of an app."""
    is_replay = SCRIPTS[name].recorded
    app = OomtopApp(
        recorded(name) if is_replay else Still(), Options(theme=theme, ascii=ascii, replay=is_replay)
    )  # fmt: skip
    app.latest = state(name)
    app.state.guard = ""
    app.state.may = Everything()
    async with app.run_test(size=size) as pilot:
        for _ in range(3):
            app.feed()
            await pilot.pause()
        yield app, pilot


async def picture(
    name: str, size: tuple[int, int], keys: Iterable[str] = (), *, theme: str | None = None, ascii: bool = False
) -> Picture:
    """Return what the screen shows of a state after some keys."""
    async with on_screen(name, size, theme=theme, ascii=ascii) as (app, pilot):
        for key in keys:
            await pilot.press(key)
            app.feed()
            await pilot.pause()
        lines = ["".join(segment.text for segment in line) for line in app.screen._compositor.render_strips()]
        return Picture(tuple(line.rstrip() for line in lines), app.export_screenshot())

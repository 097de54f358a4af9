"""What the daemons that kill first would do."""

from dataclasses import replace

import pytest

from oomtop.analysis.assessment import assess
from oomtop.analysis.model.assessment import Assessment
from oomtop.analysis.sentences import describe_early_killer
from oomtop.history import History
from oomtop.host.cgroup import Cgroup
from oomtop.host.killer_settings import KillerSettings
from oomtop.host.meminfo import Meminfo
from oomtop.host.pressure import Pressure, PressureLine
from oomtop.host.process import Process, ProcessId
from oomtop.render.top import render_top
from oomtop.snapshot import Tick
from tests.synthetic import SyntheticMachine

MIB = 1 << 20
GIB = 1 << 30


def process(
    pid: int, comm: str, score: int = 666, rss: int = GIB, adj: int = 0, euid: int = 1000, command: None = None
) -> Process:
    base = SyntheticMachine(1, 3).processes[0]
    identity = ProcessId(pid, 100)
    return replace(
        base, id=identity, comm=comm, oom_score=score, rss=rss, oom_score_adj=adj, euid=euid, flags=0, command=command
    )


PROCESSES = (
    process(1, "systemd", 999), process(302, "postgres", rss=6 * GIB), process(303, "python3", rss=3 * GIB),
    process(304, "rooted", 900, euid=0), process(305, "never", 999, adj=-1000),
)  # fmt: skip


def assessed(
    *killers: KillerSettings,
    available: int = 400 * MIB,
    swap: tuple[int, int] = (0, 0),
    cgroups: tuple[Cgroup, ...] = (),
    processes: tuple[Process, ...] = PROCESSES,
) -> Assessment:
    info = Meminfo(16 * GIB, available, available, anon_pages=12 * GIB, swap_total=swap[0], swap_free=swap[1])
    snapshot = replace(
        SyntheticMachine(1, 3).snapshot(), meminfo=info, processes=processes, killers=killers, cgroups=cgroups
    )
    history = History()
    history.add(Tick(snapshot))
    return assess(Tick(snapshot), history)


def earlyoom(*arguments: str, version: str | None = "1.7") -> KillerSettings:
    return KillerSettings("earlyoom", ProcessId(300, 1), arguments, (), version)


@pytest.mark.parametrize(
    ("arguments", "victim"),
    [
        ((), "rooted"),
        (("--ignore-root-user",), "postgres"),
        (("-m", "10", "--prefer", "^(python3|x y)$", "--avoid", "^(postgres)$"), "python3"),
        (("--prefer=^python3$",), "python3"),
        (("-r", "60", "--avoid", "rooted|postgres"), "python3"),
        (("--ignore", "rooted"), "postgres"),
        (("--sort-by-rss",), "postgres"),
        (("--sort-by-rss", "--prefer", "python3"), "postgres"),
        (("--prefer", "(("), "rooted"),
        (("--avoid=^[[:alpha:]]+(d|es)$",), "python3"),
        ((r"--avoid=[\[d&&]",), "postgres"),
        ((r"--avoid=[^]a-z0-9]|\.|rooted",), "postgres"),
    ],
)
def test_earlyoom_takes_the_highest_score_as_it_is_told(arguments: tuple[str, ...], victim: str) -> None:
    assert assessed(earlyoom(*arguments)).early_killers[0].victim_name == victim


@pytest.mark.parametrize(
    ("arguments", "version", "limit"),
    [
        ((), "1.7", 16 * GIB * 10 // 100),
        (("-m", "5"), "1.7", 16 * GIB * 5 // 100),
        (("-nm3,2", "-p"), "1.7", 16 * GIB * 3 // 100),
        (("-M", "1048576,500000"), "1.7", GIB),
        (("-M", "1048576", "-m", "2"), "1.7", 16 * GIB * 2 // 100),
        (("-m", "2,6"), "1.7", 16 * GIB * 6 // 100),
        (("-m", "5"), "1.8.2", (14 * GIB) * 5 // 100),
    ],
)
def test_earlyoom_acts_at_its_share(arguments: tuple[str, ...], version: str, limit: int) -> None:
    killer = assessed(earlyoom(*arguments, version=version), available=2 * GIB).early_killers[0]
    assert killer.room == pytest.approx(2 * GIB - limit, abs=2)
    assert killer.signal == "SIGTERM"


def test_earlyoom_waits_for_swap_as_well_and_kills_hard_at_half() -> None:
    waiting = assessed(earlyoom(), swap=(4 * GIB, 3 * GIB)).early_killers[0]
    assert waiting.room == pytest.approx(3 * GIB - 4 * GIB // 10, abs=2)
    acting = assessed(earlyoom()).early_killers[0]
    assert (acting.room, acting.seconds, acting.signal) == (0, 0.0, "SIGKILL")
    assert assessed(earlyoom("--dryrun")).early_killers == ()


def test_earlyoom_passes_over_one_without_memory_of_its_own() -> None:
    dead_leader = replace(PROCESSES[3], thread=310)
    found = assessed(earlyoom("-g"), processes=(*PROCESSES[:3], dead_leader, process(306, "empty", 950, rss=0)))
    assert describe_early_killer(found.early_killers[0]).startswith(
        "earlyoom kills postgres (pid 302) and its process group now"
    )


def test_an_unknown_version_is_no_certainty() -> None:
    killer = assessed(earlyoom("--prefer", "python3", "--avoid", "rooted|postgres", version=None)).early_killers[0]
    assert describe_early_killer(killer) == "earlyoom probably kills python3 (pid 303) now: available <= 1.6G"


def test_it_is_said_before_the_kernels_choice() -> None:
    lines = render_top(assessed(earlyoom()), 3, "rss", 200).splitlines()
    first = next(at for at, line in enumerate(lines) if line.startswith("First"))
    assert lines[first + 1].startswith("Next")


def test_nohang_adds_what_its_configuration_says() -> None:
    settings = (
        ("soft_threshold_min_mem", "8 %"), ("@BADNESS_ADJ_RE_NAME", "300 /// ^python"),
        ("@BADNESS_ADJ_RE_NAME", "x /// rooted"), ("@BADNESS_ADJ_RE_NAME", "900 /// (("),
    )  # fmt: skip
    killer = assessed(KillerSettings("nohang", ProcessId(9, 1), (), settings), available=2 * GIB).early_killers[0]
    assert killer.victim_name == "python3"
    assert killer.room == pytest.approx(2 * GIB - 16 * GIB * 8 // 100, abs=2)


def group(path: str, current: int = GIB, swap: int = 0, full: float = 0.0) -> Cgroup:
    line = PressureLine(full, full, full, 1)
    return Cgroup(path, current, swap_current=swap, pressure=Pressure(line, line))


def test_systemd_oomd_takes_the_leaf_with_most_swap() -> None:
    settings = (("Swap Used Limit", "90.00%"), ("swap", "/user.slice"))
    groups = (
        group("/user.slice", swap=3 * GIB), group("/user.slice/a.scope", swap=GIB), group("/user.slice/b.scope", swap=2 * GIB),
        group("/system.slice/c.service", swap=3 * GIB),
    )  # fmt: skip
    daemon = KillerSettings("systemd-oomd", ProcessId(9, 1), (), settings)
    killer = assessed(daemon, swap=(4 * GIB, GIB // 10), cgroups=groups).early_killers[0]
    assert (killer.victim_cgroup, killer.room, killer.sure) == ("/user.slice/b.scope", 0, True)
    assert assessed(daemon, cgroups=groups).early_killers == ()


def test_systemd_oomd_acts_on_pressure_too() -> None:
    settings = (("pressure", "/user.slice"), ("pressure limit", "50.00%"))
    groups = (group("/user.slice", full=40.0), group("/user.slice/a.scope"), group("/user.slice/b.scope", 2 * GIB))
    killer = assessed(KillerSettings("systemd-oomd", ProcessId(9, 1), (), settings), cgroups=groups).early_killers[0]
    assert killer.condition == "pressure of /user.slice 40% of 50%"
    assert killer.victim_cgroup == "/user.slice/b.scope"
    assert not killer.sure


@pytest.mark.parametrize(
    ("arguments", "settings", "room"),
    [
        ((), (), 300 * MIB),
        ((), (("evictionHard.memory.available", "200Mi"),), 200 * MIB),
        (("--eviction-hard=nodefs.available<10%,memory.available<1Gi",), (), 0),
        ((), (("evictionHard.memory.available", "1%"),), 400 * MIB - round(16 * GIB / 100)),
    ],
)
def test_the_kubelet_evicts_at_its_threshold(
    arguments: tuple[str, ...], settings: tuple[tuple[str, str], ...], room: int
) -> None:
    killer = assessed(KillerSettings("kubelet", ProcessId(9, 1), arguments, settings)).early_killers[0]
    assert killer.room == room
    assert not killer.sure

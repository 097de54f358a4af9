"""`oomtop doctor`: abilities as read, each judged with and without what it rests on; each risk and its near miss."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from oomtop.analysis.doctor import Ability, Works, judge
from oomtop.analysis.findings.risks import audit, by_severity
from oomtop.analysis.model.assessment import CgroupFigures, ProcessRow, Severity, SwapAccount, Victims
from oomtop.host.abilities import (
    TOOLS,
    Abilities,
    Tmpfs,
    parse_release,
    parse_tmpfs,
    read_abilities,
)
from oomtop.host.cgroup import Cgroup, CgroupLayout
from oomtop.host.hugepages import HugePool
from oomtop.host.kernel_facts import KernelFacts
from oomtop.host.privileges import Capability
from oomtop.host.root import Root
from oomtop.render.doctor import doctor_to_json, render_doctor
from oomtop.units import GIB, MIB
from tests.tui.factories import make_assessment, make_process, make_row

ALL = sum(1 << capability for capability in Capability)
CONTAINER = "/docker/" + "ab" * 32
V2 = CgroupLayout(2, "/sys/fs/cgroup", "/sys/fs/cgroup")
V1 = CgroupLayout(1, "/sys/fs/cgroup/memory", None)


def able(**changes: Any) -> Abilities:
    everything = Abilities(
        uid=0, capabilities=ALL, release=(6, 12), memlock=None, has_psi=True, kmsg=None, dmesg_restrict=1,
        journal="/var/log/journal", log_files=("/var/log/kern.log",), layout=V2, can_write_cgroups=True, hidepid=None,
        ptrace_scope=1, has_zram=True, has_systemd=True, tools=frozenset(TOOLS),
    )  # fmt: skip
    return replace(everything, **changes)


def without(*capabilities: Capability) -> int:
    return ALL & ~sum(1 << capability for capability in capabilities)


def judged(**changes: Any) -> dict[str, Ability]:
    return {ability.id: ability for ability in judge(able(**changes))}


def test_everything_works_for_root_on_a_new_kernel() -> None:
    assert {ability.works for ability in judge(able())} == {Works.YES}
    assert all(ability.remedy is None for ability in judge(able()))


@pytest.mark.parametrize(
    ("ability", "changes", "works", "word"),
    [
        ("rights", {"uid": 1000}, Works.PARTLY, "uid 1000"),
        ("processes", {"hidepid": "2", "capabilities": 0}, Works.PARTLY, "hidepid=2"),
        ("processes", {}, Works.YES, "/proc"),
        ("processes", {"pid_namespace": True}, Works.PARTLY, "only those of this container"),
        ("rights", {"user_namespace": True}, Works.PARTLY, "root of a user namespace"),
        ("rights", {"capabilities": without(Capability.SYSLOG)}, Works.PARTLY, "root without CAP_SYSLOG"),
        ("signals", {"user_namespace": True}, Works.YES, "every process of this user namespace"),
        ("pressure", {"has_psi": False}, Works.NO, "CONFIG_PSI"),
        ("pressure", {"has_psi": False, "release": (4, 18)}, Works.NO, "older than 4.20"),
        ("kernel_log", {"kmsg": "Operation not permitted"}, Works.NO, "dmesg_restrict=1"),
        ("kernel_log", {"kmsg": "No such file", "dmesg_restrict": 0}, Works.NO, "No such file"),
        ("older_logs", {"log_files": (), "journal": None}, Works.NO, "no log file"),
        ("older_logs", {"log_files": (), "tools": frozenset()}, Works.NO, "no log file"),
        ("cgroups", {"layout": None}, Works.NO, "no memory controller"),
        ("cgroups", {"layout": V1}, Works.PARTLY, "no pressure, memory.high or memory.reclaim"),
        ("cgroups", {"can_write_cgroups": False}, Works.PARTLY, "read only"),
        ("mappings", {"capabilities": 0}, Works.PARTLY, "ptrace_scope=1"),
        ("signals", {"release": (5, 2)}, Works.PARTLY, "no pidfd"),
        ("signals", {"capabilities": without(Capability.KILL)}, Works.PARTLY, "own processes"),
        ("protect", {"capabilities": without(Capability.SYS_RESOURCE)}, Works.PARTLY, "not lowered"),
        ("guard", {"capabilities": 0, "memlock": 8 * MIB}, Works.NO, "8.0M"),
        ("guard", {"capabilities": 0, "memlock": 64 * MIB}, Works.YES, "64.0M"),
        ("reclaim", {"layout": V1}, Works.PARTLY, "v2"),
        ("reclaim", {"release": (5, 4)}, Works.NO, "5.10"),
        ("swap", {"capabilities": without(Capability.SYS_ADMIN)}, Works.NO, "CAP_SYS_ADMIN"),
        ("swap", {"tools": frozenset({"swapon"})}, Works.NO, "mkswap not found"),
        ("swap", {"has_zram": False}, Works.PARTLY, "no zram"),
        ("services", {"has_systemd": False}, Works.PARTLY, "systemd does not run"),
        ("services", {"has_systemd": False, "tools": frozenset()}, Works.NO, "no systemd, docker or podman"),
        ("deep_tools", {"tools": frozenset({"gdb"})}, Works.PARTLY, "strace not found"),
    ],
)
def test_what_is_missing_is_said(ability: str, changes: dict[str, Any], works: Works, word: str) -> None:
    found = judged(**changes)[ability]
    assert found.works is works
    assert word in found.detail


LACKS = (
    {"capabilities": 0, "hidepid": "2", "kmsg": "Operation not permitted", "memlock": 8 * MIB},
    {"log_files": (), "journal": None, "can_write_cgroups": False},
)


@pytest.mark.parametrize("changes", LACKS)
def test_root_is_not_told_to_become_root(changes: dict[str, Any]) -> None:
    of_root = [ability.remedy or "" for ability in judge(able(**changes))]
    of_others = [ability.remedy or "" for ability in judge(able(uid=1000, **changes))]
    needs_root = ("sudo", "join group", "need root")
    assert not [text for text in of_root if any(word in text for word in needs_root)]
    assert [text for text in of_others if any(word in text for word in needs_root)]


@pytest.mark.parametrize(
    ("text", "release"),
    [("6.1.0-28-amd64\n", (6, 1)), ("5.15.167.4-microsoft-standard-WSL2", (5, 15)), ("weird", (0, 0)), ("", (0, 0))],
)
def test_releases(text: str, release: tuple[int, int]) -> None:
    assert parse_release(text) == release


def test_mounts() -> None:
    mounts = (
        "proc /proc proc rw,nosuid,hidepid=invisible 0 0\n"
        "tmpfs /dev/shm tmpfs rw,size=800k 0 0\n"
        "tmpfs /a\\040b\\134 tmpfs rw 0 0\n"
        "short line\n"
        "/dev/sda1 / ext4 rw 0 0\n"
    )
    assert parse_tmpfs(mounts) == ("/dev/shm", "/a b\\")


def test_an_empty_tree_has_nothing_and_that_is_no_error(tmp_path: Path) -> None:
    found = read_abilities(Root(str(tmp_path)))
    assert (found.layout, found.journal, found.log_files, found.has_psi) == (None, None, (), False)
    assert found.kmsg == "No such file or directory"
    assert all(ability.detail for ability in judge(found))


def test_files_of_a_tree_are_found(tmp_path: Path) -> None:
    files = {
        "proc/sys/kernel/osrelease": "6.1.0\n",
        "proc/pressure/memory": "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n",
        "var/log/kern.log": "x",
        "var/log/journal/abc/system.journal": "x",
        "lib/modules/6.1.0/modules.dep": "kernel/drivers/block/zram/zram.ko.xz:\n",
        "dev/kmsg": "",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    found = read_abilities(Root(str(tmp_path)))
    assert (found.release, found.has_psi, found.has_zram, found.kmsg) == ((6, 1), True, True, None)
    assert (found.journal, found.log_files) == ("/var/log/journal", ("/var/log/kern.log",))


def group(
    path: str, current: int = GIB, limit: int | None = None, effective: int | None = None, **changes: Any
) -> CgroupFigures:
    return CgroupFigures(
        Cgroup(path=path, current=current, max=limit, **changes), path, effective or limit, None, None, Victims()
    )


def daemon(comm: str, *, adj: int = 0, uid: int = 0, ppid: int = 1, rss: int = 100 * MIB, pid: int = 700) -> ProcessRow:
    return make_row(make_process(pid, comm, ppid=ppid, uid=uid, adj=adj, rss=rss))


GUARDED = daemon("earlyoom", adj=-1000, rss=MIB)


def risks(*rows: ProcessRow, found: Abilities | None = None, **changes: Any) -> set[str]:
    """A machine without a risk, but for what is given."""
    now = make_assessment((GUARDED, *rows), **changes)
    return {risk.id for risk in audit(now, found or able())}


def with_swap(total: int) -> SwapAccount:
    return replace(make_assessment().swap, total=total)


def test_a_machine_in_order_has_no_risk() -> None:
    assert risks(daemon("sshd", adj=-900), daemon("nginx")) == set()


@pytest.mark.parametrize(
    ("risk", "rows", "changes", "told"),
    [
        ("no_swap", (), {"swap": with_swap(0)}, True),
        ("no_swap", (), {"swap": with_swap(GIB)}, False),
        ("little_swap", (), {"swap": with_swap(512 * MIB)}, True),
        ("little_swap", (), {"swap": with_swap(GIB)}, False),
        ("containers_without_limit", (), {"cgroups": (group(CONTAINER),)}, True),
        ("containers_without_limit", (), {"cgroups": (group(CONTAINER, effective=2 * GIB),)}, False),
        ("containers_without_limit", (), {"cgroups": (group("/user.slice"),)}, False),
        ("services_without_limit", (), {"cgroups": (group("/system.slice/db.service"),)}, True),
        ("services_without_limit", (), {"cgroups": (group("/system.slice/db.service", 100 * MIB),)}, False),
        ("limits_over_ram", (), {"cgroups": (group("/a", limit=11 * GIB), group("/b", limit=10 * GIB))}, True),
        ("limits_over_ram", (), {"cgroups": (group("/a", limit=9 * GIB), group("/b", limit=10 * GIB))}, False),
        ("swap_unlimited", (), {"cgroups": (group("/a", limit=GIB),)}, True),
        ("swap_unlimited", (), {"cgroups": (group("/a", limit=GIB, swap_max=0),)}, False),
        ("oom_kill_disable", (), {"cgroups": (group("/a", oom_kill_disable=True),)}, True),
        ("lifelines", (daemon("sshd"),), {}, True),
        ("lifelines", (daemon("sshd", adj=-900),), {}, False),
        ("lifelines", (daemon("sshd", ppid=99),), {}, False),
        ("lifelines", (daemon("sshd", uid=1000),), {}, False),
        ("unprotected_services", (daemon("postgres", uid=70),), {}, True),
        ("unprotected_services", (daemon("postgres", uid=70, adj=-1),), {}, False),
        ("untouchables", (daemon("java", adj=-1000, rss=GIB),), {}, True),
        ("untouchables", (daemon("java", adj=-999, rss=GIB),), {}, False),
        ("untouchables", (daemon("java", adj=-1000, rss=700 * MIB),), {}, False),
        ("killers", (daemon("systemd-oomd", adj=-900),), {}, True),
        ("killers", (), {}, False),
    ],
)  # fmt: skip
def test_each_risk_and_its_near_miss(
    risk: str, rows: tuple[ProcessRow, ...], changes: dict[str, Any], told: bool
) -> None:
    assert (risk in risks(*rows, **changes)) is told


def test_no_early_killer_is_a_risk_too() -> None:
    assert "killers" in {risk.id for risk in audit(make_assessment(()), able())}


@pytest.mark.parametrize(("swap", "words"), [(0, "only the kernel kills"), (GIB, "after minutes of thrashing")])
def test_how_late_the_kernel_kills_depends_on_swap(swap: int, words: str) -> None:
    found = {risk.id: risk for risk in audit(make_assessment((), swap=with_swap(swap)), able())}
    assert found["killers"].evidence.endswith(words)


def test_a_kubernetes_node_without_swap_is_no_reason_to_act() -> None:
    now = make_assessment((GUARDED, daemon("kubelet", adj=-999)), swap=with_swap(0))
    assert {risk.severity for risk in audit(now, able()) if risk.id == "no_swap"} == {Severity.INFO}


@pytest.mark.parametrize(("sizes", "told"), [((8, 8, 8), True), ((8, 8, 4), False)])
def test_file_systems_in_memory_that_outgrow_it(sizes: tuple[int, int, int], told: bool) -> None:
    mounted = tuple(Tmpfs(f"/t{n}", size * GIB, MIB) for n, size in enumerate(sizes))
    assert ("tmpfs" in risks(found=able(tmpfs=mounted))) is told


@pytest.mark.parametrize(("free", "reserved", "told"), [(500, 0, True), (500, 100, False), (400, 0, False)])
def test_huge_pages_that_nobody_uses(free: int, reserved: int, told: bool) -> None:
    pool = HugePool(2 * MIB, 600, free, reserved, 0)
    assert ("huge_pages" in risks(kernel=KernelFacts((), huge_pools=(pool,)))) is told


def test_the_gravest_risk_comes_first_and_lines_fit() -> None:
    now = make_assessment((daemon("sshd"), daemon("dockerd", pid=701)), swap=with_swap(0))
    found = by_severity(audit(now, able(uid=1000, capabilities=0)))
    severities = [risk.severity for risk in found]
    assert severities == sorted(severities, key=[Severity.CRITICAL, Severity.WARNING, Severity.INFO].index)
    text = render_doctor(now, judge(able(uid=1000, capabilities=0)), found, 80)
    assert max(len(line) for line in text.splitlines()) <= 80
    assert all(risk.title.split()[0] in text for risk in found)


def test_a_hostile_name_reaches_no_terminal() -> None:
    now = make_assessment((daemon("sshd"),), cgroups=(group("/docker/\x1b[2J" + "ab" * 32),))
    text = render_doctor(now, judge(able()), audit(now, able()), 80)
    assert "\x1b" not in text


def test_json_tells_the_same() -> None:
    now = make_assessment((daemon("sshd"),))
    data = json.loads(json.dumps(doctor_to_json(now, judge(able()), audit(now, able()))))
    assert data["schema"] == 1
    assert {ability["works"] for ability in data["abilities"]} == {"yes"}
    assert "lifelines" in {risk["id"] for risk in data["risks"]}


def test_the_command_on_this_machine() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "oomtop", "doctor", "--json"], capture_output=True, text=True, timeout=60, check=False
    )
    data = json.loads(done.stdout)
    grave = [risk for risk in data["risks"] if risk["severity"] != "info"]
    assert done.returncode == (6 if grave else 0), done.stderr
    assert len(data["abilities"]) == len(judge(able()))

"""Limits from observed peaks: which figure they rest on, what is doubted, and that the text can be pasted."""

import json
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from oomtop.analysis.cgroups.assess import working_set
from oomtop.analysis.sizing.peaks import observe
from oomtop.analysis.sizing.recommend import Keeper, Recommendation, keeper_of, recommend
from oomtop.host.cgroup import Cgroup, CgroupEvents
from oomtop.host.meminfo import Meminfo
from oomtop.render.recommend import recommendation_to_json, render_recommendation
from oomtop.snapshot import Snapshot
from oomtop.units import GIB, MIB
from tests.present import present
from tests.tui.factories import MACHINE

ID = "0123456789ab" + "cd" * 26
WEB = "/system.slice/web.service"


def snapshot(
    time: int, *groups: Cgroup, available: int = 8 * GIB, total: int = 16 * GIB, swap: int = 0, swap_free: int = 0
) -> Snapshot:
    info = Meminfo(mem_total=total, mem_free=GIB, mem_available=available, swap_total=swap, swap_free=swap_free)
    return Snapshot(time=time, monotonic=time, machine=MACHINE, meminfo=info, cgroups=groups)


def advise(*snapshots: Snapshot, margin: float = 0.25, path: str | None = None) -> Recommendation:
    return recommend(present(observe(snapshots)), margin, path)


def web(current: int, **changes: Any) -> Cgroup:
    return Cgroup(path=WEB, current=current, **changes)


def test_one_look_rests_on_the_peak_that_the_kernel_kept() -> None:
    advice = advise(snapshot(0, web(300 * MIB, peak=800 * MIB))).groups[0]
    assert advice.max == 1008 * MIB  # 800 MiB and a quarter, in steps of 16 MiB
    assert advice.request == 800 * MIB
    assert advice.request < advice.high < advice.max
    assert "memory.peak" in advice.basis


def test_a_long_look_rests_on_what_was_needed_without_idle_page_cache() -> None:
    seen = [snapshot(s * 60, web(900 * MIB, peak=4 * GIB, inactive_file=(500 + s % 2) * MIB)) for s in range(12)]
    advice = advise(*seen).groups[0]
    assert advice.request == 400 * MIB
    assert advice.max == 512 * MIB
    assert advice.doubts == ()


def test_page_cache_that_churns_through_a_group_is_not_needed() -> None:
    """Reading files again and again fills the active list too; the limit that was recommended had room for all of it."""
    seen = [
        snapshot(s * 60, web(290 * MIB, peak=300 * MIB, max=300 * MIB, active_file=150 * MIB, inactive_file=60 * MIB,
                             slab_reclaimable=10 * MIB))
        for s in range(12)
    ]  # fmt: skip
    (long,), (short,) = advise(*seen).groups, advise(seen[0]).groups
    assert long.peaks.need == working_set(seen[0].cgroups[0]) == 70 * MIB
    assert long.request == 80 * MIB
    assert short.request == 80 * MIB
    assert "without its current page cache" in short.basis


def test_swapped_memory_is_needed_as_well() -> None:
    seen = [snapshot(s * 600, web(400 * MIB, swap_current=400 * MIB)) for s in range(3)]
    assert advise(*seen).groups[0].request == 800 * MIB


@pytest.mark.parametrize(
    ("kills", "limit", "peak", "most", "word"),
    [
        (2, 400 * MIB, 400 * MIB, 752 * MIB, "cut off"),
        (0, 400 * MIB, 400 * MIB, 512 * MIB, "reached its limit"),
        (0, 800 * MIB, 400 * MIB, 512 * MIB, None),
        (2, None, 400 * MIB, 512 * MIB, None),
    ],
)
def test_a_peak_that_the_limit_cut_off_is_doubted(
    kills: int, limit: int | None, peak: int, most: int, word: str | None
) -> None:
    advice = advise(snapshot(0, web(300 * MIB, peak=peak, max=limit, events=CgroupEvents(oom_kill=kills)))).groups[0]
    assert advice.max == most
    assert [word is not None and word in doubt for doubt in advice.doubts] == ([True] if word else [])


def test_what_still_rises_is_doubted_and_what_rose_and_fell_is_not() -> None:
    rising = [snapshot(m * 60, web((200 + 10 * m) * MIB)) for m in range(20)]
    assert "a limit does not fix a leak" in advise(*rising).groups[0].doubts[0]
    assert advise(*rising, snapshot(1300, web(210 * MIB))).groups[0].doubts == ()


@pytest.mark.parametrize(
    ("path", "keeper", "subject"),
    [
        (f"/docker/{ID}", Keeper.DOCKER, "0123456789ab"),
        (f"/system.slice/docker-{ID}.scope", Keeper.DOCKER, "0123456789ab"),
        (f"/machine.slice/libpod-{ID}.scope", Keeper.PODMAN, "0123456789ab"),
        (f"/kubepods/burstable/pod{'1' * 8}-{'2' * 4}-{'3' * 4}-{'4' * 4}-{'5' * 12}/{ID}", Keeper.KUBERNETES,
         "0123456789ab"),
        (f"/kubepods.slice/kubepods-pod1.slice/cri-containerd-{ID}.scope", Keeper.KUBERNETES, "0123456789ab"),
        (f"/default/{ID}", Keeper.CGROUP, f"/default/{ID}"),
        (WEB, Keeper.SYSTEMD, "web.service"),
        ("/some/group", Keeper.CGROUP, "/some/group"),
    ],
)  # fmt: skip
def test_who_keeps_the_limit(path: str, keeper: Keeper, subject: str) -> None:
    assert keeper_of(path) == (keeper, subject)


def test_slices_sessions_and_the_root_get_no_limit_unless_asked_for() -> None:
    paths = ("/", "/user.slice", "/user.slice/user-0.slice/user@0.service", "/user.slice/session-1.scope", WEB)
    seen = snapshot(0, *(Cgroup(path=path, current=GIB) for path in paths))
    assert [advice.peaks.path for advice in advise(seen).groups] == [WEB]
    assert [advice.peaks.path for advice in advise(seen, path="/user.slice").groups] == ["/user.slice"]


def test_swap_and_ram_follow_the_highest_demand_at_one_instant() -> None:
    seen = [
        snapshot(0, available=GIB, swap=GIB, swap_free=GIB),
        snapshot(900, available=2 * GIB, swap=8 * GIB, swap_free=0),
    ]
    machine = advise(*seen).machine
    assert machine.ram == 28 * GIB  # 14 GiB of RAM and 8 GiB of swap in use, and a quarter
    assert machine.swap == 12 * GIB


@pytest.mark.parametrize(("ram", "swap"), [(GIB, 2 * GIB), (4 * GIB, 4 * GIB), (64 * GIB, 4 * GIB)])
def test_an_idle_machine_gets_the_usual_swap(ram: int, swap: int) -> None:
    assert advise(snapshot(0, total=ram, available=ram)).machine.swap == swap


def test_limits_that_do_not_fit_together_are_doubted() -> None:
    groups = [Cgroup(path=f"/system.slice/s{n}.service", current=7 * GIB) for n in range(2)]
    assert "add up to" in " ".join(advise(snapshot(0, *groups)).machine.doubts)
    assert advise(snapshot(0, groups[0])).machine.doubts == ()


def test_the_text_can_be_pasted() -> None:
    groups = [
        Cgroup(path=f"/docker/{ID}", current=300 * MIB), Cgroup(path=f"/kubepods/{ID}", current=GIB), web(GIB)
    ]  # fmt: skip
    found = advise(snapshot(0, *groups))
    assert "docker update --memory 384m --memory-swap 384m 0123456789ab" in render_recommendation(found, "docker")
    assert "MemoryMax=1280M" in render_recommendation(found, "systemd")
    assert "    memory: 1280Mi" in render_recommendation(found, "kubernetes")
    assert "swap add" in render_recommendation(found, "swap")
    assert "swap add" not in render_recommendation(found, "ram")
    assert "nothing managed by docker" in render_recommendation(advise(snapshot(0)), "docker")


@pytest.mark.parametrize("name", ["a;reboot #.service", "a\n[Service]\nExecStart=x.service", "\x1b[2J.service"])
def test_no_hostile_name_becomes_a_line_that_does_something(name: str) -> None:
    found = advise(snapshot(0, Cgroup(path=f"/system.slice/{name}", current=GIB)))
    for purpose in ("all", "systemd"):
        lines = render_recommendation(found, purpose).split("\n")
        assert all(line.startswith(("#", "oomtop swap add ")) or not line for line in lines)
        assert all(line.isprintable() for line in lines)
    odd = advise(snapshot(0, Cgroup(path="/a;reboot", current=GIB)), path="/a;reboot")
    command = next(line for line in render_recommendation(odd, "all").split("\n") if line.startswith("oomtop limit"))
    assert shlex.split(command)[2] == "/a;reboot"


def test_json_has_every_figure_of_the_text() -> None:
    data = json.loads(json.dumps(recommendation_to_json(advise(snapshot(0, replace(web(GIB), max=2 * GIB))))))
    assert data["schema"] == 1
    assert data["groups"][0]["max"] == 1280 * MIB
    assert data["groups"][0]["limit"] == 2 * GIB
    assert data["machine"]["memory_total"] == 16 * GIB


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "oomtop", "recommend", *arguments], capture_output=True, text=True)


def test_the_command_on_this_machine() -> None:
    done = run("--json", "--margin", "50%")
    assert done.returncode == 0, done.stderr
    data = json.loads(done.stdout)
    assert data["margin"] == 0.5
    assert data["machine"]["ram"] >= data["machine"]["demand_peak"] * 1.5


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--margin", "lots"), "not a margin"),
        (("--cgroup", "/no/such"), "no such cgroup"),
        (("--since", "2d"), "--recording"),
        (("--recording", "/nowhere.db"), "/nowhere.db"),
    ],
)
def test_wrong_arguments_are_named(arguments: tuple[str, str], told: str) -> None:
    done = run(*arguments)
    assert done.returncode != 0
    assert told in done.stderr
    assert done.stdout == ""


def test_a_recording_tells_its_peaks_and_nothing_of_another_time() -> None:
    recording = Path(__file__).parents[2] / "fixtures" / "recording-1.db"
    data = json.loads(run("--recording", str(recording), "--json").stdout)
    assert (data["samples"], round(data["seconds"])) == (45, 220)
    assert data["groups"]
    later = run("--recording", str(recording), "--since", "1m")
    assert later.returncode == 1
    assert "no samples" in later.stderr

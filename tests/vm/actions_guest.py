"""Runs as root inside a kernel of its own: every action that touches the whole machine, judged by the kernel's files."""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

from oomtop.actions.base import requests
from oomtop.actions.base.context import context_of
from oomtop.actions.base.guard import Guard
from oomtop.actions.base.plan import Outcome
from oomtop.actions.base.requests import Keep, Limit, Request
from oomtop.actions.dispatch import carry_out, prepare
from oomtop.actions.journal.audit_log import Audit
from oomtop.headless import take_snapshot
from oomtop.host.process import ProcessId
from oomtop.host.root import Root

MIB = 1 << 20
GROUPS = "/sys/fs/cgroup"
WORK = pathlib.Path(tempfile.mkdtemp(prefix="oomtop-vm-", dir="/run"))
AUDIT = Audit(str(WORK / "audit.jsonl"))


def text(path: str) -> str:
    return pathlib.Path(path).read_text().strip()


def field(path: str, name: str) -> int:
    return next(int(line.split()[1]) for line in text(path).splitlines() if line.split()[0].rstrip(":") == name)


def act(request: Request) -> Outcome:
    snapshot = take_snapshot()
    prepared = prepare(request, context_of(snapshot, Guard(), Root()))
    if prepared.plan.refusal is not None:
        raise RuntimeError(prepared.plan.refusal)
    return carry_out(prepared, AUDIT, lambda line: None)


def undo_of(outcome: Outcome) -> Request:
    assert outcome.undo is not None
    return outcome.undo


def swap_off(added: Outcome) -> requests.SwapOffRequest:
    """Return the undo of swap that was added."""
    undo = undo_of(added)
    assert isinstance(undo, requests.SwapOffRequest)
    return undo


def refusal(request: Request) -> str | None:
    prepared = prepare(request, context_of(take_snapshot(), Guard(), Root()))
    prepared.close()
    return prepared.plan.refusal


def child(code: str, group: str | None = None) -> subprocess.Popen[str]:
    into = f"open({group + '/cgroup.procs'!r}, 'w').write('0')\n" if group else ""
    source = f"{into}{code}\nprint('ready', flush=True)\nimport signal\nwhile True: signal.pause()"
    process = subprocess.Popen([sys.executable, "-S", "-c", source], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@contextlib.contextmanager
def group(name: str, code: str = "") -> Iterator[tuple[str, subprocess.Popen[str]]]:
    pathlib.Path(f"{GROUPS}/cgroup.subtree_control").write_text("+memory")
    folder = f"{GROUPS}/{name}"
    os.mkdir(folder)
    process = child(code, folder)
    try:
        yield folder, process
    finally:
        process.kill()
        process.wait()
        os.rmdir(folder)


def filled_cache() -> None:
    """Page cache of a real file system, clean after a sync."""
    with open(WORK / "disk" / "file", "wb") as file:
        for _ in range(64):
            file.write(os.urandom(MIB))
    os.sync()


def drop_caches() -> dict[str, object]:
    disk("ext4", 200)
    filled_cache()
    before = field("/proc/meminfo", "Cached") * 1024
    outcome = act(requests.DropCachesRequest(3))
    after = field("/proc/meminfo", "Cached") * 1024
    undo_disk()
    return {"status": outcome.status.value, "fell_by": before - after, "said": outcome.freed}


def compact() -> dict[str, object]:
    before = field("/proc/vmstat", "compact_stall") + field("/proc/vmstat", "compact_migrate_scanned")
    outcome = act(requests.CompactRequest())
    after = field("/proc/vmstat", "compact_stall") + field("/proc/vmstat", "compact_migrate_scanned")
    return {"status": outcome.status.value, "scanned": after - before}


def disk(kind: str, megabytes: int) -> str:
    subprocess.run(["modprobe", "-a", "loop", kind], check=True)
    image, folder = WORK / "image", WORK / "disk"
    folder.mkdir(exist_ok=True)
    with open(image, "wb") as file:
        file.truncate(megabytes * MIB)
    subprocess.run([f"mkfs.{kind}", "-q", str(image)], check=True, capture_output=True)
    subprocess.run(["mount", "-o", "loop", str(image), str(folder)], check=True, capture_output=True)
    return str(folder)


def undo_disk() -> None:
    subprocess.run(["umount", str(WORK / "disk")], check=True)
    (WORK / "image").unlink()


def swap_file(kind: str, megabytes: int) -> dict[str, object]:
    if shutil.which(f"mkfs.{kind}") is None:
        return {"missing": f"mkfs.{kind}"}
    folder = disk(kind, megabytes)
    try:
        path = f"{folder}/my swap"
        outcome = act(requests.SwapFileRequest(path, 32 * MIB, 7))
        used = [line.split() for line in text("/proc/swaps").splitlines()[1:]]
        mode = oct(os.stat(path).st_mode & 0o777)
        full = os.stat(path).st_blocks * 512 >= 32 * MIB
        names = sorted(os.listdir(folder))
        twice = refusal(requests.SwapFileRequest(path, 32 * MIB))
        undo = act(undo_of(outcome))
        return {
            "status": outcome.status.value, "in_use": used, "mode": mode, "full": full, "names": names,
            "twice": twice, "undo": undo.status.value, "swaps_left": text("/proc/swaps").splitlines()[1:],
            "file_left": os.path.exists(path),
        }  # fmt: skip
    finally:
        undo_disk()


def zram() -> dict[str, object]:
    outcome = act(requests.ZramRequest(64 * MIB, "zstd", 50))
    used = [line.split() for line in text("/proc/swaps").splitlines()[1:]]
    name = used[0][0].removeprefix("/dev/")
    algorithm = text(f"/sys/block/{name}/comp_algorithm")
    size = int(text(f"/sys/block/{name}/disksize"))
    unknown = refusal(requests.ZramRequest(64 * MIB, "nonsense"))
    undo = act(undo_of(outcome))
    return {
        "status": outcome.status.value, "in_use": used, "algorithm": algorithm, "size": size, "unknown": unknown,
        "undo": undo.status.value, "swaps_left": text("/proc/swaps").splitlines()[1:],
        "device_left": os.path.exists(f"/sys/block/{name}"),
    }  # fmt: skip


def swap_in_use() -> dict[str, object]:
    """Fill zram from a group, see swapoff report progress and refuse what does not fit; page a process out."""
    added = act(requests.ZramRequest(128 * MIB))
    path = swap_off(added).path
    with group("oomtop-out", "import random; held = bytearray(random.randbytes(1 << 20) * 24)") as (folder, process):
        anon = field(f"{folder}/memory.stat", "anon")
        paged = act(requests.ReclaimProcessRequest(identity(process.pid)))
        rss = field(f"/proc/{process.pid}/status", "VmRSS")
        # VmSwap lags by up to 64 faults of the process itself; the page tables do not.
        swapped = field(f"/proc/{process.pid}/smaps_rollup", "Swap")
        used = int(text("/proc/swaps").splitlines()[1].split()[3])
        outcome = act(requests.SwapOffRequest(path, remove=True))
        back = field(f"/proc/{process.pid}/smaps_rollup", "Swap")
    return {
        "anon": anon, "paged": paged.status.value, "rss_kb": rss, "swapped_kb": swapped, "used_kb": used,
        "off": outcome.status.value, "swapped_after_kb": back, "swaps_left": text("/proc/swaps").splitlines()[1:],
    }  # fmt: skip


def does_not_fit() -> str | None:
    """More in swap than memory can take back: zeros and patterns compress to next to nothing in zram."""
    total = field("/proc/meminfo", "MemTotal") // 1024
    added = act(requests.ZramRequest(total * MIB))
    size = int(total * 1.2)
    hog = child(
        f"held = bytearray({size} << 20)\npage = b'x' * 4096\n"
        "for at in range(0, len(held), 4096): held[at : at + 4096] = page"
    )
    try:
        return refusal(requests.SwapOffRequest(swap_off(added).path))
    finally:
        hog.kill()
        hog.wait()
        act(undo_of(added))


def identity(pid: int) -> ProcessId:
    return next(process.id for process in take_snapshot().processes if process.pid == pid)


def sysctl() -> dict[str, object]:
    kept = WORK / "kept"
    before = text("/proc/sys/vm/swappiness")
    outcome = act(requests.SysctlRequest("swappiness", 33, Keep.RUNTIME))
    during = text("/proc/sys/vm/swappiness")
    act(undo_of(outcome))
    kept.write_text("")
    return {"before": before, "during": during, "after": text("/proc/sys/vm/swappiness")}


def limits() -> dict[str, object]:
    with group("oomtop-limit", "held = bytearray(20 << 20)") as (folder, process):
        kills = refusal(requests.LimitRequest("/oomtop-limit", Limit.MAX, 4 * MIB))
        outcome = act(requests.LimitRequest("/oomtop-limit", Limit.HIGH, 512 * MIB))
        high = text(f"{folder}/memory.high")
        act(undo_of(outcome))
        low = act(requests.LimitRequest("/oomtop-limit", Limit.LOW, 8 * MIB))
        found = text(f"{folder}/memory.low")
        return {
            "kills": kills, "high": high, "high_after": text(f"{folder}/memory.high"), "low": found,
            "status": low.status.value, "alive": process.poll() is None,
        }  # fmt: skip


def freeze() -> dict[str, object]:
    with group("oomtop-cold") as (folder, _):
        outcome = act(requests.FreezeCgroupRequest("/oomtop-cold"))
        frozen = "frozen 1" in text(f"{folder}/cgroup.events")
        seen = next(item.frozen for item in take_snapshot().cgroups if item.path == "/oomtop-cold")
        act(undo_of(outcome))
        return {"frozen": frozen, "seen": seen, "thawed": "frozen 0" in text(f"{folder}/cgroup.events")}


def reclaim() -> dict[str, object]:
    disk("ext4", 200)
    path = str(WORK / "disk" / "read")
    code = f"open({path!r}, 'wb').write(bytes(40 << 20)); import os; os.sync(); open({path!r}, 'rb').read()"
    with group("oomtop-cache", code) as (folder, _):
        before = int(text(f"{folder}/memory.current"))
        outcome = act(requests.ReclaimCgroupRequest("/oomtop-cache", 16 * MIB))
        after = int(text(f"{folder}/memory.current"))
    undo_disk()
    return {"status": outcome.status.value, "fell_by": before - after}


def confine() -> dict[str, object]:
    with group("oomtop-home") as (_, process):
        outcome = act(requests.ConfineRequest((identity(process.pid),), "box", high=64 * MIB, max=128 * MIB))
        inside = text(f"/proc/{process.pid}/cgroup")
        limits = [text(f"{GROUPS}/oomtop-box/memory.{name}") for name in ("high", "max")]
        act(undo_of(outcome))
        return {
            "inside": inside, "limits": limits, "back": text(f"/proc/{process.pid}/cgroup"),
            "group_left": os.path.exists(f"{GROUPS}/oomtop-box"),
        }  # fmt: skip


def kill_group() -> dict[str, object]:
    with group("oomtop-doomed", "import os\nfor _ in range(3):\n    if os.fork() == 0: break") as (folder, process):
        outcome = act(requests.KillCgroupRequest("/oomtop-doomed"))
        return {
            "status": outcome.status.value, "events": text(f"{folder}/cgroup.events").split("\n")[0],
            "code": process.wait(), "summary": outcome.summary,
        }  # fmt: skip


def after_boot() -> dict[str, object]:
    """What is kept over a boot, by the programs that a boot runs for it: `swapon --all` and `sysctl --system`."""
    # The file is bound from the host, read-only; below the mount is a copy that can be written.
    subprocess.run(["umount", "/etc/fstab"], check=False)
    fstab = text("/etc/fstab")
    path = f"{disk('ext4', 128)}/my swap"
    added = act(requests.SwapFileRequest(path, 32 * MIB, 7, persist=True))
    subprocess.run(["swapoff", path], check=True)
    subprocess.run(["swapon", "--all"], check=True)
    swaps = text("/proc/swaps").splitlines()[1:]
    undo = act(undo_of(added))
    said: dict[str, object] = {"swaps": swaps, "added": added.status.value, "undo": undo.status.value}
    said |= {
        "fstab_same": text("/etc/fstab") == fstab,
        "left": [name for name in os.listdir("/etc") if "oomtop" in name],
    }
    undo_disk()
    before = text("/proc/sys/vm/swappiness")
    kept = act(requests.SysctlRequest("swappiness", 33, Keep.PERSISTENT))
    pathlib.Path("/proc/sys/vm/swappiness").write_text("7")
    subprocess.run(["sysctl", "--system"], check=True, capture_output=True)
    said |= {"kept": kept.status.value, "swappiness": text("/proc/sys/vm/swappiness")}
    act(undo_of(kept))
    after = text("/proc/sys/vm/swappiness")
    return said | {"same": before == after, "file_left": os.path.exists("/etc/sysctl.d/60-oomtop.conf")}


CHECKS = {
    "drop_caches": drop_caches, "compact": compact, "ext4": lambda: swap_file("ext4", 128),
    "btrfs": lambda: swap_file("btrfs", 200), "xfs": lambda: swap_file("xfs", 320), "zram": zram,
    "swap_in_use": swap_in_use, "does_not_fit": does_not_fit, "sysctl": sysctl, "limits": limits, "freeze": freeze,
    "reclaim": reclaim, "confine": confine, "kill_group": kill_group,
    "after_boot": after_boot,
}  # fmt: skip


def run_all() -> dict[str, object]:
    """Run every check in one interpreter, whose start takes seconds without KVM; one that raises says so."""
    found: dict[str, object] = {}
    for name, check in CHECKS.items():
        started = time.monotonic()
        try:
            found[name] = check()
        except Exception:
            found[name] = {"error": traceback.format_exc()[-1500:]}
        print(f"{name}: {time.monotonic() - started:.1f} s", file=sys.stderr)
    return found

"""Runs as root inside a kernel of its own: swap files, zram and swapoff, killed between any two of their steps."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable

from oomtop.actions.base.context import ActionContext, context_of
from oomtop.actions.base.guard import Guard
from oomtop.actions.base.requests import Request, SwapFileRequest, SwapOffRequest, ZramRequest
from oomtop.actions.dispatch import carry_out, prepare
from oomtop.actions.journal.audit_log import Audit, boot_id, read_entries
from oomtop.actions.recovery import check, undoable
from oomtop.headless import take_snapshot
from oomtop.host.root import Root
from tests.actions.cutting import die_at_each_step, recover
from tests.vm.actions_guest import MIB, WORK, act, disk, swap_off, text, undo_disk


def where() -> ActionContext:
    return context_of(take_snapshot(), Guard(), Root())


def cut_off(make: Callable[[], Request], left: Callable[[], object]) -> dict[str, object]:
    """Kill an action before each of its steps in turn; tell what `left` finds of it, and of what was named."""
    own = Audit(str(WORK / "cut.jsonl"))
    # Sampled once: what a sample reads is no step of the action.
    clean, here, seen = left(), where(), []

    def afterwards(step: int) -> None:
        half = left() != clean
        lines = recover(own, here).lines
        again = check(own, here).lines
        seen.append(
            {"step": step, "half": half, "named": len(lines), "same": left() == clean or left(), "again": len(again)}
        )

    steps = die_at_each_step(lambda: carry_out(prepare(make(), here), Audit(own.path), print), afterwards)
    requests = [item.request for item in undoable(read_entries(own.path), boot_id())]
    last = [request for request in requests if request is not None]
    for request in last:
        act(request)
    return {"steps": steps, "seen": seen, "done": len(last), "same": left() == clean}


def cut_off_swap_file() -> dict[str, object]:
    """With its line in fstab; the file is bound from the host, read-only, and below the mount is a copy."""
    subprocess.run(["umount", "/etc/fstab"], check=False)
    folder = disk("ext4", 128)

    def left() -> object:
        etc = sorted(name for name in os.listdir("/etc") if "fstab" in name)
        return sorted(os.listdir(folder)), text("/proc/swaps").splitlines()[1:], text("/etc/fstab"), etc

    try:
        return cut_off(lambda: SwapFileRequest(f"{folder}/my swap", 16 * MIB, 7, persist=True), left)
    finally:
        undo_disk()


def cut_off_zram() -> dict[str, object]:
    subprocess.run(["modprobe", "zram", "num_devices=0"], check=True)

    def left() -> object:
        return sorted(name for name in os.listdir("/sys/block") if "zram" in name), text("/proc/swaps").splitlines()[1:]

    return cut_off(lambda: ZramRequest(32 * MIB, "zstd"), left)


def cut_off_swapoff(folder: str | None, make: Request) -> dict[str, object]:
    """Each time the swap is there anew."""
    own, steps = Audit(str(WORK / "cut-off.jsonl")), []

    def left() -> object:
        devices = sorted(name for name in os.listdir("/sys/block") if "zram" in name)
        files = [] if folder is None else sorted(os.listdir(folder))
        return files, text("/proc/swaps").splitlines()[1:], devices

    clean, here = left(), where()
    path = swap_off(act(make)).path
    whole = left()

    def afterwards(step: int) -> None:
        recover(own, here)
        now = left()
        steps.append("gone" if now == clean else "whole" if now == whole else str(now))
        if now == clean:
            act(make)

    die_at_each_step(
        lambda: carry_out(prepare(SwapOffRequest(path, remove=True), here), Audit(own.path), print), afterwards
    )
    return {"steps": steps, "same": left() == clean}


def cut_off_swapoff_of_a_file() -> dict[str, object]:
    folder = disk("ext4", 128)
    try:
        return cut_off_swapoff(folder, SwapFileRequest(f"{folder}/swap", 16 * MIB))
    finally:
        undo_disk()


def cut_off_swapoff_of_zram() -> dict[str, object]:
    subprocess.run(["modprobe", "zram", "num_devices=0"], check=True)
    return cut_off_swapoff(None, ZramRequest(32 * MIB))


CHECKS = {
    "swap_file": cut_off_swap_file, "zram": cut_off_zram, "swapoff": cut_off_swapoff_of_a_file,
    "swapoff_of_zram": cut_off_swapoff_of_zram,
}  # fmt: skip

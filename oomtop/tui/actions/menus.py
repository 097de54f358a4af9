"""The menu of each action key: each item is a request, or asks for a value.

Pure: turns the facts of the last tick into data; draws, opens and writes nothing.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TypeAlias

from oomtop.actions.base import requests
from oomtop.actions.base.requests import Keep, Limit, Request
from oomtop.analysis.dangers.remedies import limit_step
from oomtop.analysis.oom_score.badness import frees
from oomtop.analysis.settings.table import Setting
from oomtop.analysis.settings.verdicts import SettingRow
from oomtop.frozen import frozen
from oomtop.host.cgroup import Cgroup
from oomtop.host.containers import name_of
from oomtop.host.process import Process, ProcessId
from oomtop.snapshot import Snapshot
from oomtop.tui.actions.selection import Selection
from oomtop.units import GIB, format_bytes, parse_size, printable

_NAME_WIDTH = 40


@frozen
class Ask:
    """A value prompt; `make` turns the text into the request, or raises a ValueError with what is wrong."""

    title: str
    hint: str
    make: Callable[[str], Request]
    text: str = ""


@frozen
class Item:
    """One line of a menu."""

    label: str
    leads_to: Request | Ask


@frozen
class Offer:
    """A menu: title, items, and the preselected one."""

    title: str
    items: tuple[Item, ...]
    chosen: int = 0


Menus: TypeAlias = "Callable[[Selection], Offer | None]"


def kill_offer(selection: Selection) -> Offer | None:
    """Return the signals, and the ways to kill more than one process."""
    targets = selection.targets
    items = [Item(label, requests.KillRequest(targets, number)) for number, label in SIGNALS] if targets else []
    if targets:
        items.insert(2, Item("TERM + KILL  terminate; SIGKILL after 5 s", requests.KillRequest(targets, grace=5.0)))
        whom = f"{_processes(len(selection.family))}, descendants included, {_freed(selection.family)}"
        items.append(Item(f"TERM tree    {whom}", requests.KillRequest(targets, tree=True)))
        tree = requests.KillRequest(targets, signal.SIGKILL, tree=True)
        items.append(Item(f"KILL tree    {whom}, at once", tree))
    biggest = None if targets else selection.biggest
    if biggest is not None:
        name = f"its biggest process: {printable(biggest.comm)} {biggest.pid}, {format_bytes(biggest.rss_and_swap)}"
        items.append(Item(f"SIGTERM  15  {name}", requests.KillRequest((biggest.id,), signal.SIGTERM)))
        items.append(Item(f"SIGKILL   9  {name}", requests.KillRequest((biggest.id,), signal.SIGKILL)))
    if selection.group is not None:
        freed = "" if selection.holds_oomtop else f", {_freed(selection.members)}"
        label = f"KILL cgroup  {_whole(selection, selection.group)}{freed}"
        items.append(Item(label, requests.KillCgroupRequest(selection.group.path)))
    title = f"{selection.title}, {_freed(selection.processes)}" if len(targets) > 1 else selection.title
    return Offer(title, tuple(items)) if items else None


def _freed(processes: Iterable[Process]) -> str:
    """Return what the plan of a kill says that it frees: less than is held, for shared and file pages may stay."""
    return f"frees up to {format_bytes(sum(map(frees, processes)))}"


def _whole(selection: Selection, group: Cgroup) -> str:
    if selection.holds_oomtop:
        return f"{_short(group)}: refused, oomtop is in it"
    count = len(selection.members)
    return f"{'the only process' if count == 1 else f'all {count} processes'} of {_short(group)}"


def _processes(count: int) -> str:
    return f"{count} process{'' if count == 1 else 'es'}"


SIGNALS: tuple[tuple[int, str], ...] = (
    (signal.SIGTERM, "SIGTERM  15  terminate, with a chance to clean up"),
    (signal.SIGKILL, "SIGKILL   9  kill at once, nothing is saved"),
    (signal.SIGINT, "SIGINT    2  like Ctrl-C"),
    (signal.SIGHUP, "SIGHUP    1  hang up; daemons reload their configuration"),
    (signal.SIGQUIT, "SIGQUIT   3  quit with a core dump"),
    (signal.SIGSTOP, "SIGSTOP  19  freeze"),
    (signal.SIGCONT, "SIGCONT  18  resume"),
    (signal.SIGUSR1, "SIGUSR1  10"),
    (signal.SIGUSR2, "SIGUSR2  12"),
)


def freeze_offer(selection: Selection) -> Offer | None:
    """Return freeze and thaw; the one that has an effect is preselected."""
    items: list[Item] = []
    targets, group = selection.targets, selection.group
    stopped = any(process.state in "Tt" for process in selection.processes)
    if targets:
        items.append(Item("freeze  SIGSTOP: stops it; it keeps its memory", requests.FreezeRequest(targets)))
        items.append(Item("thaw    SIGCONT: resume it", requests.FreezeRequest(targets, thaw=True)))
    frozen = group is not None and group.frozen is True
    if group is not None:
        whole = _whole(selection, group)
        items.append(Item(f"freeze  {whole}", requests.FreezeCgroupRequest(group.path)))
        items.append(Item(f"thaw    {whole}", requests.FreezeCgroupRequest(group.path, thaw=True)))
    if not items:
        return None
    chosen = len(items) - 1 if frozen else 1 if stopped and targets else 0
    return Offer(f"Freeze or thaw {selection.title}", tuple(items), chosen)


def reclaim_offer(selection: Selection) -> Offer | None:
    """Return what can be reclaimed without killing anything."""
    items: list[Item] = []
    for process in selection.processes[:1]:
        free = selection.facts.meminfo.swap_free
        anon = format_bytes(process.rss if process.rss_anon is None else process.rss_anon)
        room = f"anon, {format_bytes(free)} of swap free" if free else "anon stay: no free swap"
        label = f"page out  {process.pid} {printable(process.comm)[:15]}: {anon} {room}"
        items.append(Item(label, requests.ReclaimProcessRequest(process.id)))
    group = selection.group
    if group is not None:
        cache = format_bytes(group.file)
        items.append(Item(f"cache     {cache} of {_short(group)}", requests.ReclaimCgroupRequest(group.path)))
        ask = Ask(
            f"Reclaim from {printable(group.path)}", f"how much of {format_bytes(group.current)}, such as 512M",
            lambda text: requests.ReclaimCgroupRequest(group.path, parse_size(text)),
        )  # fmt: skip
        items.append(Item(f"some      of {_short(group)} ...", ask))
    items.append(Item("compact   make large free blocks; frees no memory", requests.CompactRequest()))
    return Offer(f"Reclaim from {selection.title}" if selection.targets or group else "Reclaim", tuple(items))


def swap_offer(selection: Selection) -> Offer:
    """Return the swap that can be added, and the areas that can be turned off."""
    facts = selection.facts
    ram = facts.meminfo.mem_total
    half = f"{max(1, round(ram / 2 / GIB))}G"
    file = Ask(
        "Add a swap file", "PATH SIZE [priority N] [persist]: persist adds a line to /etc/fstab",
        parse_swap_file, f"{_free_name(facts)} {half}",
    )  # fmt: skip
    zram = Ask(
        "Add compressed swap in memory (zram)", "SIZE [lz4|lzo-rle|zstd]: size of the uncompressed pages",
        parse_zram, half,
    )  # fmt: skip
    items = [Item("add a swap file ...", file), Item("add compressed swap in memory (zram) ...", zram)]
    for device in facts.swaps:
        path = device.path
        text = f"{printable(path)[:_NAME_WIDTH]}, {format_bytes(device.used)} of {format_bytes(device.size)} used"
        items.append(Item(f"off     {text}", requests.SwapOffRequest(path)))
        if device.kind == "file" or path.startswith("/dev/zram"):
            items.append(Item(f"remove  {text}", requests.SwapOffRequest(path, remove=True)))
    info = facts.meminfo
    total, free = info.swap_total or 0, info.swap_free or 0
    use = f"{format_bytes(total - free)} of {format_bytes(total)} used" if total else "none"
    return Offer(f"Swap: {use}; anonymous memory {format_bytes(info.anon_pages)}", tuple(items))


def _free_name(facts: Snapshot) -> str:
    used = {device.filename for device in facts.swaps}
    return next(name for number in range(1000) if (name := f"/swapfile{number or ''}") not in used)


def parse_swap_file(text: str) -> requests.SwapFileRequest:
    """Parse `/swapfile 4G priority 10 persist`.

    Raises:
        ValueError: the text has another format.
    """
    words = text.split()
    persist = "persist" in words[2:]
    rest = [word for word in words[2:] if word != "persist"]
    if len(words) < 2 or (rest and (len(rest) != 2 or rest[0] != "priority" or not rest[1].isdigit())):
        raise ValueError("expected PATH SIZE, optionally `priority N` and `persist`")
    return requests.SwapFileRequest(words[0], parse_size(words[1]), int(rest[1]) if rest else None, persist)


def parse_zram(text: str) -> requests.ZramRequest:
    """Parse `4G zstd`.

    Raises:
        ValueError: the text has another format.
    """
    words = text.split()
    if not 1 <= len(words) <= 2:
        raise ValueError("expected SIZE, optionally an algorithm")
    return requests.ZramRequest(parse_size(words[0]), words[1] if len(words) == 2 else None)


def limit_offer(selection: Selection) -> Offer | None:
    """Return the limits of the group with their current values, and a new group for the targets."""
    items: list[Item] = []
    group = selection.group
    if group is not None:
        raised = _raised(group)
        items.extend([raised] if raised is not None else [])
        version = 2 if selection.facts.cgroup_layout is None else selection.facts.cgroup_layout.version
        for limit in (Limit.HIGH, Limit.MAX, Limit.LOW) if version == 2 else (Limit.MAX,):
            items.extend(_limit_items(group, limit))
    if selection.targets:
        ask = Ask(
            f"Move {selection.title} into a new group", "NAME SIZE [high]: kill at SIZE, or throttle with `high`",
            partial(parse_confine, selection.targets), f"pid{selection.targets[0].pid} ",
        )  # fmt: skip
        items.append(Item("new group    for this selection only ...", ask))
    if not items:
        return None
    title = selection.title if group is None else f"{_short(group)}: {_use_of(group)}"
    return Offer(f"Limit {title}", tuple(items))


def _use_of(group: Cgroup) -> str:
    peak = "" if group.peak is None else f", peak {format_bytes(group.peak)}"
    return f"now {format_bytes(group.current)}{peak}"


def _raised(group: Cgroup) -> Item | None:
    """Return the limit raised by as much as the strip names."""
    if group.max is None or group.max >= 1 << 62:
        return None
    more = limit_step(group.max)
    label = f"memory.max   raise to {format_bytes(group.max + more)} (+{format_bytes(more)})"
    return Item(label, requests.LimitRequest(group.path, Limit.MAX, group.max + more))


_LIMIT_WORDS = {
    Limit.HIGH: "throttle above",
    Limit.MAX: "kill above",
    Limit.LOW: "reclaim last below",
}


def _limit_items(group: Cgroup, limit: Limit) -> list[Item]:
    now = {Limit.HIGH: group.high, Limit.MAX: group.max, Limit.LOW: group.low}[limit]
    # The kernel shows `max` as 2^62 or more.
    now = None if now is None or now >= 1 << 62 else now
    use = format_bytes(group.current)
    ask = Ask(
        f"memory.{limit.value} of {printable(group.path)}", f"SIZE such as 2G, or `none`; it uses {use} now",
        partial(parse_limit, group.path, limit), format_bytes(now).replace(".0", "") if now else "",
    )  # fmt: skip
    shown = "no limit" if now == limit.lifted else "all of it" if now is None else format_bytes(now)
    items = [Item(f"memory.{limit.value:4}  {_LIMIT_WORDS[limit]:20}  now {shown} ...", ask)]
    if now != limit.lifted:
        items.append(
            Item(f"memory.{limit.value:4}  remove the limit", requests.LimitRequest(group.path, limit, limit.lifted))
        )
    return items


def parse_limit(path: str, limit: Limit, text: str) -> requests.LimitRequest:
    """Parse `2G` or `none`, optionally followed by `lasting`.

    Raises:
        ValueError: the text has another format.
    """
    expected = "expected SIZE or `none`, optionally `lasting` to keep it in the systemd unit"
    (word,), lasting = _words(text, 1, "lasting", expected)
    size = limit.lifted if word == "none" else None if word in ("max", "infinity") else parse_size(word)
    return requests.LimitRequest(path, limit, size, lasting=lasting)


def parse_confine(targets: tuple[ProcessId, ...], text: str) -> requests.ConfineRequest:
    """Parse `NAME 2G` or `NAME 2G high`.

    Raises:
        ValueError: the text has another format.
    """
    expected = "expected NAME SIZE, optionally `high` to throttle instead of kill"
    (name, word), is_high = _words(text, 2, "high", expected)
    size = parse_size(word)
    return requests.ConfineRequest(targets, name, high=size if is_high else None, max=None if is_high else size)


def _words(text: str, count: int, option: str, expected: str) -> tuple[list[str], bool]:
    """Return the first `count` words, and whether `option` follows."""
    words = text.split()
    has_option = words[count:] == [option]
    if len(words) != count + has_option:
        raise ValueError(expected)
    return words[:count], has_option


def settings_offer(selection: Selection) -> Offer | None:
    """Return the settings that can be changed, those with a verdict first; the one under the cursor preselected."""
    rows = [row for row in selection.settings if row.setting is not None]
    items = tuple(Item(_setting_label(row), setting_ask(row.setting, row)) for row in rows if row.setting is not None)
    chosen = next((at for at, row in enumerate(rows) if row.name == selection.setting), 0)
    return Offer("Kernel settings", items, chosen) if items else None


def _setting_label(row: SettingRow) -> str:
    advised = "" if row.verdict is None or row.verdict.recommended is None else f"  advised {row.verdict.recommended}"
    return f"{row.name:26} {row.value:>8}{advised}"


def setting_ask(setting: Setting, row: SettingRow) -> Ask:
    """Return the prompt for a new value, prefilled with the advised one."""
    advised = None if row.verdict is None else row.verdict.recommended
    hint = (
        f"{setting.what}\n"
        f"{setting.lowest} to {setting.highest}; add `persist` to keep it across reboots, `forget` to stop keeping it"
    )
    text = row.value if advised is None else str(advised)
    return Ask(f"vm.{setting.name} is {row.value}", hint, partial(parse_setting, setting), text)


def parse_setting(setting: Setting, text: str) -> requests.SysctlRequest:
    """Parse `10`, `10 persist` or `10 forget`.

    Raises:
        ValueError: the text has another format, or is out of range.
    """
    words = text.split()
    keeps = {"": Keep.RUNTIME, "persist": Keep.PERSISTENT, "forget": Keep.FORGET}
    keep = keeps.get(" ".join(words[1:]))
    if not words or keep is None or not words[0].lstrip("-").isdigit():
        raise ValueError("expected a whole number, optionally `persist` or `forget`")
    if not setting.lowest <= int(words[0]) <= setting.highest:
        raise ValueError(f"from {setting.lowest} to {setting.highest}")
    return requests.SysctlRequest(setting.name, int(words[0]), keep)


def _short(group: Cgroup) -> str:
    """Return a short name of a group for a menu."""
    name = printable(name_of(group.path) or group.path)
    return name if len(name) <= _NAME_WIDTH else "..." + name[-_NAME_WIDTH + 3 :]


def labels(offer: Offer) -> Sequence[tuple[int, str]]:
    """Return the items of a menu: index and text."""
    return [(at, item.label) for at, item in enumerate(offer.items)]

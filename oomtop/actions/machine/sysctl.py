"""Kernel settings: written to `/proc/sys/vm`, and on request kept in oomtop's own sysctl.d file.

sysctl.d(5).  Sample line of `/etc/sysctl.d/60-oomtop.conf`: `vm.swappiness = 10`
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from oomtop.actions.base.atomic_file import read_text, remove_text, replace_text
from oomtop.actions.base.context import ActionContext
from oomtop.actions.base.errno_text import in_words
from oomtop.actions.base.kernel_file import KernelFile
from oomtop.actions.base.plan import Outcome, Plan, Status
from oomtop.actions.base.prepared import PreparedAction, refused
from oomtop.actions.base.requests import Keep, SysctlRequest
from oomtop.analysis.settings.table import Setting, find_setting
from oomtop.errors import ActionRefused
from oomtop.host.root import Root, read_int
from oomtop.units import printable

ACTION = "sysctl"
KEPT_IN = "/etc/sysctl.d/60-oomtop.conf"
_HEADER = "# Written by oomtop; each line may be changed or removed by hand.\n"
# Above this share of RAM min_free_kbytes starves programs of memory (Documentation/admin-guide/sysctl/vm.rst).
_MIN_FREE_SHARE = 0.05


def prepare_sysctl(request: SysctlRequest, context: ActionContext) -> PreparedAction:
    """Open the setting and plan the change."""
    title = f"Set vm.{printable(request.name.removeprefix('vm.'))} to {request.value}"
    try:
        setting = _checked(request, context)
        file = KernelFile(context.root.at(setting.file), "to run as root: the kernel requires uid 0 here")
    except ActionRefused as refusal:
        return refused(ACTION, title, str(refusal))
    plan = Plan(
        action=ACTION,
        title=title,
        steps=_steps(request, setting, context.root),
        effect=f"{setting.what}; holds {request.keep.value}",
        risk=setting.risk,
        warnings=_warnings(request, setting, context),
        undo="restore the previous value",
        recovery=_back(request, context.root, setting),
    )
    return PreparedAction(plan, partial(_write_now, request, setting, context.root, file), [file])


def _checked(request: SysctlRequest, context: ActionContext) -> Setting:
    context.guard.check_mode()
    setting = find_setting(request.name)
    if setting is None:
        raise ActionRefused("not a setting that oomtop knows")
    if not setting.lowest <= request.value <= setting.highest:
        raise ActionRefused(f"vm.{setting.name} must be from {setting.lowest} to {setting.highest}")
    return setting


def _steps(request: SysctlRequest, setting: Setting, root: Root) -> tuple[str, ...]:
    steps = [f"write {request.value} to {setting.file} (now {read_int(root.at(setting.file))})"]
    if request.keep is Keep.PERSISTENT:
        steps.append(f"put `vm.{setting.name} = {request.value}` into {KEPT_IN}")
    elif request.keep is Keep.FORGET:
        steps.append(f"take vm.{setting.name} out of {KEPT_IN}")
    return tuple(steps)


def _warnings(request: SysctlRequest, setting: Setting, context: ActionContext) -> tuple[str, ...]:
    if setting.name == "min_free_kbytes" and request.value * 1024 > context.meminfo.mem_total * _MIN_FREE_SHARE:
        return (f"more than {_MIN_FREE_SHARE:.0%} of RAM: the machine may run out of memory at once",)
    return ()


def _write_now(
    request: SysctlRequest, setting: Setting, root: Root, file: KernelFile, report: Callable[[str], None]
) -> Outcome:
    """Set the running kernel and read it back, then keep the value: one that it rejects is never kept."""
    path = root.at(setting.file)
    before = read_int(path)
    file.write(str(request.value))
    after = read_int(path)
    report(f"{setting.file}: {before} -> {after}")
    undo = None if before is None else _back(request, root, setting, before)
    details = _keep(request, setting, root)
    return Outcome(
        action=ACTION,
        status=Status.DONE if after == request.value and not details else Status.PARTLY,
        summary=f"vm.{setting.name}: {before} -> {after}, {request.keep.value}",
        details=details,
        before=str(before),
        after=str(after),
        undo=undo,
    )


def _keep(request: SysctlRequest, setting: Setting, root: Root) -> tuple[str, ...]:
    """Return the problem with the file, if any; the running kernel already has the value."""
    if request.keep is Keep.RUNTIME:
        return ()
    kept = read_kept(root)
    kept.pop(setting.name, None)
    if request.keep is Keep.PERSISTENT:
        kept[setting.name] = str(request.value)
    try:
        write_kept(root, kept)
    except OSError as error:
        return (f"{KEPT_IN}: {in_words(error)}: the value will be lost at the next boot",)
    return ()


def _back(request: SysctlRequest, root: Root, setting: Setting, before: int | None = None) -> SysctlRequest | None:
    """Return the request that restores the current value and file."""
    value = read_int(root.at(setting.file)) if before is None else before
    if value is None:
        return None
    return SysctlRequest(setting.name, value, _inverse(request.keep, read_kept(root).get(setting.name)))


def _inverse(keep: Keep, kept_before: str | None) -> Keep:
    """A value that was kept before is kept again; otherwise it is removed from the file."""
    if keep is Keep.RUNTIME:
        return keep
    return Keep.FORGET if kept_before is None else Keep.PERSISTENT


def read_kept(root: Root) -> dict[str, str]:
    """Return the settings in oomtop's own file, by short name.

    Raises:
        OSError: it exists and cannot be read, or other users can write it.
    """
    kept: dict[str, str] = {}
    for line in (read_text(root.at(KEPT_IN)) or "").splitlines():
        name, separator, value = line.partition("=")
        if separator and not line.startswith(("#", ";")):
            kept[name.strip().removeprefix("vm.")] = value.strip()
    return kept


def write_kept(root: Root, kept: dict[str, str]) -> None:
    """Replace the file atomically; remove it if it would be empty.

    Raises:
        OSError: the folder is missing or not writable.
    """
    path = root.at(KEPT_IN)
    if not kept:
        remove_text(path)
        return
    replace_text(path, _HEADER + "".join(f"vm.{name} = {value}\n" for name, value in kept.items()))

"""Add a swap file: create, fill, sign, turn on, optionally add to fstab; removed again if a step fails.

swapon(8) ("Files with holes", "Btrfs"), Documentation/admin-guide/mm/concepts.rst.  The file is 0600 from the start,
because swapped-out memory can be read from it.  Until it is signed it is named `.oomtop-part`, so that
the remains of an interrupted run are recognised.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import struct
from collections.abc import Callable
from functools import partial

from oomtop.actions.base.context import ActionContext
from oomtop.actions.base.errno_text import in_words
from oomtop.actions.base.plan import Outcome, Plan, Status
from oomtop.actions.base.prepared import PreparedAction, refused
from oomtop.actions.base.requests import SwapFileRequest, SwapOffRequest
from oomtop.actions.swap import fstab
from oomtop.actions.swap.syscalls import swap_header, swapon
from oomtop.errors import ActionRefused
from oomtop.frozen import frozen
from oomtop.host.privileges import Capability, has_capability
from oomtop.host.root import Root, read_optional
from oomtop.units import format_bytes, printable

ACTION = "swap"
_SMALLEST = 1 << 20
# A full file system does more harm than the swap does good.
_KEEP_FREE = 0.05
_CANNOT = (
    "tmpfs",
    "ramfs",
    "overlay",
    "nfs",
    "nfs4",
    "cifs",
    "9p",
    "fuse",
    "squashfs",
    "zfs",
    "proc",
    "sysfs",
    "devtmpfs",
)
_CHUNK = 4 << 20
_FS_IOC_GETFLAGS, _FS_IOC_SETFLAGS, _FS_NOCOW_FL = 0x80086601, 0x40086602, 0x00800000


@frozen
class FileSystem:
    """The file system that a path is on."""

    kind: str
    free: int
    total: int


def prepare_swap_file(request: SwapFileRequest, context: ActionContext) -> PreparedAction:
    """Check the location and plan the file."""
    title = f"Add a swap file of {format_bytes(request.size)} at {printable(request.path)}"
    try:
        place = _checked(request, context)
    except ActionRefused as refusal:
        return refused(ACTION, title, str(refusal))
    except OSError as error:
        return refused(ACTION, title, in_words(error))
    plan = Plan(
        action=ACTION,
        title=title,
        steps=(
            f"create {printable(request.path)} with mode 0600 and {format_bytes(request.size)}, without holes",
            "write the swap signature",
            f"swapon({'no priority' if request.priority is None else f'priority {request.priority}'})",
            *_persistence(request),
        ),
        effect=f"{format_bytes(request.size)} more swap for anonymous memory, "
        f"{'also after' if request.persist else 'until'} the next boot; "
        f"{format_bytes(place.free - request.size)} of the {place.kind} stay free",
        risk="swapping to a slow disk slows everything down; swapped memory is on disk, unencrypted",
        undo="swapoff and remove the file" + (" and its line in fstab" if request.persist else ""),
        recovery=SwapOffRequest(request.path, remove=True),
    )
    return PreparedAction(plan, partial(_add_now, request, place.kind, context.root))


def part_of(path: str) -> str:
    """Return the name of a swap file until it is complete."""
    return path + ".oomtop-part"


def _persistence(request: SwapFileRequest) -> tuple[str, ...]:
    if not request.persist:
        return ()
    line = fstab.line_for(request.path, request.priority)
    return (f"copy {fstab.FILE} to {fstab.BACKUP}, and append: {line}",)


def _checked(request: SwapFileRequest, context: ActionContext) -> FileSystem:
    context.guard.check_mode()
    if not os.path.isabs(request.path):
        raise ActionRefused("the path must be absolute")
    if any(ord(char) < 32 or char == "\x7f" for char in request.path):
        raise ActionRefused("the path of a swap file cannot contain control characters")
    if request.size < _SMALLEST or (request.priority is not None and not 0 <= request.priority <= 0x7FFF):
        raise ActionRefused(f"the size must be at least {format_bytes(_SMALLEST)}, the priority from 0 to 32767")
    if request.persist:
        fstab.check(request.path, context.root)
    if os.path.lexists(request.path):
        raise ActionRefused(f"{printable(request.path)} already exists")
    if not has_capability(Capability.SYS_ADMIN):
        raise ActionRefused("not permitted: swapon needs CAP_SYS_ADMIN")
    place = find_place(os.path.dirname(request.path), context.root)
    if place.kind.startswith(_CANNOT):
        raise ActionRefused(f"the kernel cannot swap to a file on {place.kind}")
    if place.free - request.size < place.total * _KEEP_FREE:
        raise ActionRefused(
            f"not enough space: {format_bytes(place.free)} are free, and {_KEEP_FREE:.0%} of the disk must stay free"
        )
    return place


def find_place(folder: str, root: Root) -> FileSystem:
    """Return the file system under `folder`.

    Raises:
        OSError: no such folder.
    """
    usage = os.statvfs(folder)
    real = os.path.realpath(folder)
    best, kind = "", "unknown"
    for line in (read_optional(root.at("/proc/self/mounts")) or "").splitlines():
        words = line.split()
        if len(words) < 3:
            continue
        mount = words[1].replace("\\040", " ")
        inside = real == mount or real.startswith(mount.rstrip("/") + "/")
        if inside and len(mount) >= len(best):
            best, kind = mount, words[2]
    return FileSystem(kind, usage.f_bavail * usage.f_frsize, usage.f_blocks * usage.f_frsize)


def _add_now(request: SwapFileRequest, kind: str, root: Root, report: Callable[[str], None]) -> Outcome:
    """Create, fill, sign, rename, turn on, add to fstab; a failure leaves no file behind."""
    path, size = request.path, request.size
    part = part_of(path)
    _remove(part)
    descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        written = _fill(descriptor, size, kind, report)
        # link(2) fails if the name was taken meanwhile; rename(2) would overwrite it.
        os.link(part, path)
        try:
            os.unlink(part)
            _switch_on(request, descriptor, written, report)
        except BaseException:
            _remove(path)
            raise
    except BaseException:
        _remove(part)
        raise
    finally:
        os.close(descriptor)
    details = _keep(request, root) if request.persist else ()
    return Outcome(
        action=ACTION,
        status=Status.PARTLY if details else Status.DONE,
        summary=f"{format_bytes(size)} of swap at {printable(path)}",
        details=details,
        before="no such file",
        after=f"in use, {format_bytes(size)}",
        undo=SwapOffRequest(path, remove=True),
    )


def _keep(request: SwapFileRequest, root: Root) -> tuple[str, ...]:
    """Return the problem with fstab, if any; the swap is already in use."""
    try:
        fstab.add(request.path, request.priority, root)
    except OSError as error:
        return (f"{fstab.FILE}: {in_words(error)}: the next boot will not use it",)
    return ()


def _fill(descriptor: int, size: int, kind: str, report: Callable[[str], None]) -> bool:
    """Fill the file; return whether it had to be written out."""
    if kind == "btrfs":
        _forbid_copy_on_write(descriptor)
    report(f"allocating {format_bytes(size)}")
    written = not _allocate(descriptor, size)
    if written:
        _write_out(descriptor, size, report)
    _sign(descriptor, size)
    return written


def _switch_on(request: SwapFileRequest, descriptor: int, written: bool, report: Callable[[str], None]) -> None:
    path, size = request.path, request.size
    report("swapon")
    try:
        swapon(path, request.priority)
    except OSError as error:
        # Kernels before 4.18 treat the unwritten extents of fallocate on xfs as holes.
        if error.errno != errno.EINVAL or written:
            raise
        _write_out(descriptor, size, report)
        _sign(descriptor, size)
        swapon(path, request.priority)


def _forbid_copy_on_write(descriptor: int) -> None:
    """Do what `chattr +C` does; btrfs requires it for swap, and allows it only on an empty file."""
    (flags,) = struct.unpack("l", fcntl.ioctl(descriptor, _FS_IOC_GETFLAGS, struct.pack("l", 0)))
    fcntl.ioctl(descriptor, _FS_IOC_SETFLAGS, struct.pack("l", flags | _FS_NOCOW_FL))


def _allocate(descriptor: int, size: int) -> bool:
    """Allocate; return whether that worked without writing."""
    try:
        os.posix_fallocate(descriptor, 0, size)
    except OSError as error:
        if error.errno in (errno.EOPNOTSUPP, errno.EINVAL):
            return False
        raise
    return True


def _write_out(descriptor: int, size: int, report: Callable[[str], None]) -> None:
    """Fill with zeros, dropping the page cache on the way, as memory is short."""
    zeros = bytes(_CHUNK)
    for at in range(0, size, _CHUNK):
        os.pwrite(descriptor, zeros[: min(_CHUNK, size - at)], at)
        if at % (16 * _CHUNK) == 0:
            os.fdatasync(descriptor)
            os.posix_fadvise(descriptor, 0, at, os.POSIX_FADV_DONTNEED)
            report(f"written {format_bytes(at)} of {format_bytes(size)}")


def _sign(descriptor: int, size: int) -> None:
    os.pwrite(descriptor, swap_header(size, os.sysconf("SC_PAGE_SIZE")), 0)
    os.fsync(descriptor)


def _remove(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)

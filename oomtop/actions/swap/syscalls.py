"""System interface for swap: the mkswap signature, swapon(2) and swapoff(2).

include/linux/swap.h (`union swap_header`, `SWAP_FLAG_*`).  No program is started: under pressure a
fork of the monitor may fail.
"""

from __future__ import annotations

import ctypes
import os
import struct
import uuid

_LIBC = ctypes.CDLL(None, use_errno=True)
_SWAP_FLAG_PREFER = 0x8000
_MAGIC = b"SWAPSPACE2"
LABEL = b"oomtop"
"""The label of swap areas made by oomtop."""


def swap_header(size: int, page_size: int, identity: uuid.UUID | None = None) -> bytes:
    """Return the first page of a swap area of `size` bytes; the default uuid is new."""
    pages = size // page_size
    # 1024 bytes for a boot loader; then version 1, last page, no bad pages, uuid, label.
    info = struct.pack("=III16s16s", 1, pages - 1, 0, (identity or uuid.uuid4()).bytes, LABEL)
    return (bytes(1024) + info).ljust(page_size - len(_MAGIC), b"\0") + _MAGIC


def is_signed(path: str, label: bytes) -> bool:
    """Whether `path` begins with a swap signature with `label`; False if it does not exist.

    Raises:
        OSError: it cannot be read.
    """
    head = _head(path)
    return head.endswith(_MAGIC) and head[1052:1068].rstrip(b"\0") == label


def read_identity(path: str) -> uuid.UUID | None:
    """Return the uuid of the swap signature of `path`, None without one.

    Raises:
        OSError: it cannot be read.
    """
    head = _head(path)
    return uuid.UUID(bytes=head[1036:1052]) if head.endswith(_MAGIC) else None


def _head(path: str) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return b""
    try:
        return os.pread(descriptor, os.sysconf("SC_PAGE_SIZE"), 0)
    finally:
        os.close(descriptor)


def swapon(path: str, priority: int | None) -> None:
    """Start swapping to `path`.

    Raises:
        OSError: EINVAL for holes or an unsupported file system, EPERM without CAP_SYS_ADMIN.
    """
    flags = 0 if priority is None else _SWAP_FLAG_PREFER | (priority & 0x7FFF)
    ctypes.set_errno(0)
    if _LIBC.swapon(os.fsencode(path), ctypes.c_int(flags)) != 0:
        _raise(path)


def swapoff(path: str) -> None:
    """Read everything back from `path` and stop swapping to it.

    Raises:
        OSError: ENOMEM if it does not fit, EINVAL if it is not a swap area in use.
    """
    ctypes.set_errno(0)
    if _LIBC.swapoff(os.fsencode(path)) != 0:
        _raise(path)


def _raise(path: str) -> None:
    number = ctypes.get_errno()
    raise OSError(number, os.strerror(number), path)

"""Errno values in plain words."""

from __future__ import annotations

import errno
import os

from oomtop.host.trusted_file import UntrustedFile

_WORDS = {
    errno.EPERM: "not permitted",
    errno.EACCES: "permission denied",
    errno.ESRCH: "it no longer exists",
    errno.ENOENT: "no such file",
    errno.EROFS: "the file system is mounted read-only, as it is in a container",
    errno.EINVAL: "the kernel does not accept this value",
    errno.EBUSY: "busy: something else uses it",
    errno.ENOSYS: "this kernel does not have it",
    errno.EOPNOTSUPP: "this kernel does not support it",
    errno.ENOMEM: "the kernel is out of memory for this",
    errno.ENOSPC: "no space left",
    errno.EAGAIN: "the kernel could only do part of it",
    errno.EMFILE: "oomtop has no file descriptor left",
    errno.ENODEV: "it no longer exists",
}


def in_words(error: OSError) -> str:
    """Return the error as a short text with the errno name: `not permitted (EPERM)`."""
    if isinstance(error, UntrustedFile):
        return error.reason
    number = error.errno
    if number is None:
        return str(error)
    return f"{_WORDS.get(number, os.strerror(number).lower())} ({errno.errorcode.get(number, str(number))})"

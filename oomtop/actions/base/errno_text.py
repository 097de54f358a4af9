"""What the kernel's errno means to the person who pressed the key."""

from __future__ import annotations

import errno
import os

from oomtop.host.trusted_file import UntrustedFile

_WORDS = {
    errno.EPERM: "not permitted",
    errno.EACCES: "permission denied",
    errno.ESRCH: "it is gone already",
    errno.ENOENT: "there is no such file",
    errno.EROFS: "the file system is mounted read-only, as it is in a container",
    errno.EINVAL: "the kernel does not take this value",
    errno.EBUSY: "busy: something else uses it",
    errno.ENOSYS: "this kernel does not have it",
    errno.EOPNOTSUPP: "this kernel does not support it",
    errno.ENOMEM: "the kernel had no memory for it",
    errno.ENOSPC: "no space left",
    errno.EAGAIN: "the kernel could not do all of it now",
    errno.EMFILE: "oomtop has no file descriptor left",
    errno.ENODEV: "it is there no longer",
}


def in_words(error: OSError) -> str:
    """Return the error as a short sentence with the errno's name: `not permitted (EPERM)`."""
    if isinstance(error, UntrustedFile):
        return error.reason
    number = error.errno
    if number is None:
        return str(error)
    return f"{_WORDS.get(number, os.strerror(number).lower())} ({errno.errorcode.get(number, str(number))})"

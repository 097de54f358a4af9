"""Opens files that oomtop obeys, and files that other users may have placed, so that neither can harm it.

A file is obeyed only where nobody but root and the user oomtop runs as can write it or put another in its place, as
sshd does with StrictModes: the file, each folder above it and each link on the way.  open(2) (O_NOFOLLOW, O_NONBLOCK),
path_resolution(7).
"""

from __future__ import annotations

import errno
import grp
import os
import pwd
import stat
from collections.abc import Mapping

from oomtop.frozen import frozen
from oomtop.host.user_names import answer_soon, user_name_soon

MOST = 1 << 20
"""Bytes of a file that is read whole, where the caller names no other bound."""
_MOST_LINKS = 40
_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_SYSTEM_GROUPS = 1000
# O_PATH: the right to pass through a folder is enough.
_FOLDER = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FLAGS = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY


class UntrustedFile(PermissionError):
    """Somebody else could have written it, or it is no regular file; `strerror` says which part of the path and why."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(errno.EPERM, reason, path)
        self.reason = reason


def trusted_users(environ: Mapping[str, str] = os.environ) -> frozenset[int]:
    """Return root, the user this runs as, and under sudo the user who called it."""
    users = {0, os.geteuid()}
    called_by = environ.get("SUDO_UID", "")
    # A set-uid program would believe its caller's environment.
    if os.getuid() == os.geteuid() == 0 and called_by.isascii() and called_by.isdigit():
        users.add(int(called_by))
    return frozenset(users)


def read_trusted(path: str, most: int = MOST) -> bytes:
    """Return what a file holds that only root and the user oomtop runs as can have written.

    Raises:
        UntrustedFile: somebody else could have, it is no regular file, or it has more than `most` bytes.
        OSError: it is missing or cannot be read.
    """
    return _read_and_close(open_trusted(path), path, most)


def open_trusted(path: str) -> int:
    """Return a descriptor for reading, the caller's, of a file that `read_trusted` would read.

    Raises:
        UntrustedFile, OSError: as `read_trusted`.
    """
    with Place(path) as place:
        return place.open(os.O_RDONLY)


def open_foreign(path: str) -> int:
    """Return a descriptor for reading, the caller's, of a file that `read_foreign` would read.

    Raises:
        UntrustedFile, OSError: as `read_foreign`.
    """
    with Place(path, obeyed=False) as place:
        return place.open(os.O_RDONLY)


def require_regular(path: str) -> None:
    """Check that a library can be given a path: it would wait for a FIFO.

    Raises:
        UntrustedFile, OSError: as `read_foreign`.
    """
    os.close(open_foreign(path))


def read_foreign(path: str, most: int = MOST) -> bytes:
    """Return what a regular file of anybody holds; links are followed only where root or oomtop's user made them.

    Raises:
        UntrustedFile: a link of somebody else, no regular file, or more than `most` bytes.
        OSError: it is missing or cannot be read.
    """
    return _read_and_close(open_foreign(path), path, most)


def _read_and_close(descriptor: int, path: str, most: int) -> bytes:
    try:
        return read_bounded(descriptor, path, most)
    finally:
        os.close(descriptor)


def read_bounded(descriptor: int, path: str, most: int = MOST) -> bytes:
    """Return the rest of an open file.

    Raises:
        UntrustedFile: it has more than `most` bytes.
        OSError: it cannot be read.
    """
    parts: list[bytes] = []
    left = most + 1
    while left and (part := os.read(descriptor, min(left, 1 << 16))):
        parts.append(part)
        left -= len(part)
    if not left:
        raise UntrustedFile(path, f"it is larger than {most} bytes")
    return b"".join(parts)


class Place:
    """The folder of a path, open, after every folder and link on the way was looked at; a context manager."""

    def __init__(self, path: str, obeyed: bool = True, follows: bool = True) -> None:
        """Walk to the folder of `path`; `obeyed` asks whether others could change what is found there.

        `follows` takes a link in place of the file itself for what it points to.

        Raises:
            UntrustedFile: they could, or the file itself is a link.
            OSError: a folder is missing or may not be entered.
        """
        self.path = os.path.abspath(path)
        self._obeyed = obeyed
        self._follows = follows
        self._users = trusted_users()
        self.folder, self.name = self._walk()

    def __enter__(self) -> Place:
        return self

    def __exit__(self, *error: object) -> None:
        os.close(self.folder)

    def open(self, flags: int, mode: int = 0o600) -> int:
        """Open the file itself, a regular one, and return the descriptor, which is the caller's.

        Raises:
            UntrustedFile: it is no regular file, or others could have written it.
            OSError: as open(2).
        """
        descriptor = os.open(self.name, flags | _FLAGS, mode, dir_fd=self.folder)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise UntrustedFile(self.path, f"it is {_KINDS.get(stat.S_IFMT(status.st_mode), 'no regular file')}")
            if self._obeyed:
                self._require(_Part(descriptor, self.path, status), flags & os.O_ACCMODE != os.O_RDONLY)
        except OSError:
            os.close(descriptor)
            raise
        return descriptor

    def status(self) -> os.stat_result | None:
        """Return the status of the file, None where there is none yet."""
        try:
            return os.stat(self.name, dir_fd=self.folder, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def _walk(self) -> tuple[int, str]:
        names = [name for name in self.path.split("/") if name]
        folder, at, links = os.open("/", _FOLDER), "", 0
        try:
            while len(names) > 1 or (names and _is_link(folder, names[0])):
                if len(names) == 1 and not self._follows:
                    raise UntrustedFile(self.path, "it is a link")
                name = names.pop(0)
                if not _is_link(folder, name):
                    folder, at = _enter(folder, name), os.path.normpath(f"{at}/{name}")
                    self._require_folder(folder, at, is_last=len(names) == 1)
                    continue
                links += 1
                target = self._target(folder, name, f"{at}/{name}", links)
                names[:0] = [part for part in target.split("/") if part and part != "."]
                if target.startswith("/"):
                    folder, at = _enter(folder, "/"), ""
            if not names:
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), self.path)
        except OSError:
            os.close(folder)
            raise
        return folder, names[0]

    def _target(self, folder: int, name: str, at: str, links: int) -> str:
        owner = os.stat(name, dir_fd=folder, follow_symlinks=False).st_uid
        if owner not in self._users:
            raise UntrustedFile(self.path, f"{at} is a link that {_user(owner)} made")
        if links > _MOST_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), self.path)
        return os.readlink(name, dir_fd=folder)

    def _require_folder(self, folder: int, at: str, is_last: bool) -> None:
        if not self._obeyed:
            return
        status = os.fstat(folder)
        if status.st_mode & stat.S_ISVTX and status.st_uid in self._users:
            # Nobody can rename or remove what is not his there; whose the next part is, is looked at.
            return
        # Ubuntu's /var/log belongs to root:syslog and is group-writable.  What could be put there instead of the next
        # part would have another owner.
        is_system = status.st_uid == 0 and status.st_gid < _SYSTEM_GROUPS and not status.st_mode & stat.S_IWOTH
        if is_last or not is_system:
            self._require(_Part(folder, at, status))

    def _require(self, part: _Part, is_written: bool = False) -> None:
        status = part.status
        if status.st_uid not in self._users and not (stat.S_ISDIR(status.st_mode) and _is_unmapped(status.st_uid)):
            raise UntrustedFile(self.path, f"{part.path} belongs to {_user(status.st_uid)}")
        if status.st_mode & _OTHERS and not _is_of_own_group(part):
            mode = stat.S_IMODE(status.st_mode)
            raise UntrustedFile(self.path, f"others can write {part.path} (mode {mode:o}); chmod go-w {part.path}")
        if is_written and status.st_nlink > 1:
            raise UntrustedFile(self.path, f"it has {status.st_nlink} names (hard links)")


@frozen
class _Part:
    """One part of a path: a folder or the file, open."""

    descriptor: int
    path: str
    status: os.stat_result


_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def _is_link(folder: int, name: str) -> bool:
    try:
        return stat.S_ISLNK(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        return False


def _enter(folder: int, name: str) -> int:
    """Return the folder below, and close the one it was in."""
    below = os.open(name, _FOLDER, dir_fd=folder)
    os.close(folder)
    return below


def _is_of_own_group(part: _Part) -> bool:
    """Whether only the owner is in the group that may write: distributions with umask 002 give each user one."""
    status = part.status
    if status.st_mode & stat.S_IWOTH or _has_acl(part.descriptor):
        return False
    # Without an answer from the name service nobody is trusted.
    return answer_soon(lambda: _is_private(status.st_uid, status.st_gid), otherwise=False)


def _is_private(uid: int, gid: int) -> bool:
    group, owner = grp.getgrgid(gid), pwd.getpwuid(uid)
    return group.gr_name == owner.pw_name and owner.pw_gid == gid and set(group.gr_mem) <= {owner.pw_name}


def _has_acl(descriptor: int) -> bool:
    """Whether others than the group share its bits (acl(5))."""
    try:
        # Through /proc: a descriptor of O_PATH is not taken itself.
        return bool(os.getxattr(f"/proc/self/fd/{descriptor}", "system.posix_acl_access"))
    except OSError as error:
        return error.errno not in (errno.ENODATA, errno.ENOTSUP)


def _is_unmapped(user: int) -> bool:
    """Whether it is the id that stands for all users outside this user namespace (user_namespaces(7))."""
    try:
        with open("/proc/self/uid_map", encoding="ascii") as file:
            is_all = file.read().split() == ["0", "0", "4294967295"]
        with open("/proc/sys/kernel/overflowuid", encoding="ascii") as file:
            return not is_all and user == int(file.read())
    except (OSError, ValueError):
        return False


def _user(uid: int) -> str:
    name = user_name_soon(uid)
    return f"uid {uid}" if name == str(uid) else f"{name} (uid {uid})"

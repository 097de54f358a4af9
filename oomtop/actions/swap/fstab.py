"""The line of `/etc/fstab` that switches a swap file on at boot: added with a copy of the file before, and removed.

fstab(5).  Sample line: `/swapfile none swap sw,nofail,pri=10 0 0`
"""

from __future__ import annotations

from oomtop.actions.base.atomic_file import has_fresh, read_text, remove_fresh, remove_text, replace_text
from oomtop.errors import ActionRefused
from oomtop.host.root import Root
from oomtop.units import printable

FILE = "/etc/fstab"
BACKUP = "/etc/fstab.oomtop-before"


def line_for(path: str, priority: int | None) -> str:
    """Return the line; `nofail`, because a machine must boot without its swap file too."""
    options = "sw,nofail" if priority is None else f"sw,nofail,pri={priority}"
    return f"{_escaped(path)} none swap {options} 0 0"


def has_line(path: str, root: Root) -> bool:
    """Whether a line of fstab is for the swap at `path`.

    Raises:
        OSError: the file cannot be read.
    """
    return any(_is_for(line, path) for line in (read_text(root.at(FILE)) or "").splitlines())


def check(path: str, root: Root) -> None:
    """Look before anything is done whether the line can be added.

    Raises:
        ActionRefused: there is one for `path` already, or the path cannot be written there.
        OSError: the file cannot be read.
    """
    if any(char in path for char in "\n\r") or printable(path) != path:
        raise ActionRefused("a path with control characters does not go into fstab")
    if has_line(path, root):
        raise ActionRefused(f"{FILE} has a line for {printable(path)} already")


def add(path: str, priority: int | None, root: Root) -> None:
    """Copy the file, then append the line.

    Raises:
        OSError: it cannot be written.
    """
    before = read_text(root.at(FILE)) or ""
    replace_text(root.at(BACKUP), before)
    ending = "" if before.endswith("\n") or not before else "\n"
    replace_text(root.at(FILE), f"{before}{ending}{line_for(path, priority)}\n")


def has_traces(root: Root) -> bool:
    """Whether an `add` that was cut off left a copy of what fstab still says, or a text that never took its place.

    Raises:
        OSError: a file cannot be read.
    """
    file, backup = root.at(FILE), root.at(BACKUP)
    copy = read_text(backup)
    is_same = copy is not None and copy.rstrip("\n") == (read_text(file) or "").rstrip("\n")
    return is_same or has_fresh(file) or has_fresh(backup)


def remove(path: str, root: Root) -> bool:
    """Take the line for `path` out and the copy away; return whether there was one.

    The copy goes only when it says the same: then it is no longer of use to anybody.

    Raises:
        OSError: the file cannot be read or written.
    """
    file, backup = root.at(FILE), root.at(BACKUP)
    before = read_text(file) or ""
    left = "".join(line for line in before.splitlines(keepends=True) if not _is_for(line, path))
    copy = read_text(backup)
    is_same = copy is not None and copy.rstrip("\n") == left.rstrip("\n")
    if copy is not None and is_same:
        # The end of the last line, where it had none, was added with the line.
        left = copy
    if left != before:
        replace_text(file, left)
    if is_same:
        remove_text(backup)
    for name in (file, backup):
        remove_fresh(name)
    return left != before


def _is_for(line: str, path: str) -> bool:
    words = line.split()
    return len(words) >= 3 and words[0] == _escaped(path) and words[2] == "swap"


def _escaped(path: str) -> str:
    """Fields are separated by blanks: those inside are octal."""
    return path.replace("\\", "\\134").replace(" ", "\\040").replace("\t", "\\011").replace("#", "\\043")

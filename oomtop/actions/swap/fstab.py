"""The `/etc/fstab` line for a swap file: added after a backup copy, and removed.

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
    """Return the line, with `nofail` so that the machine boots without the swap file too."""
    options = "sw,nofail" if priority is None else f"sw,nofail,pri={priority}"
    return f"{_escaped(path)} none swap {options} 0 0"


def has_line(path: str, root: Root) -> bool:
    """Whether a line of fstab is for the swap at `path`.

    Raises:
        OSError: the file cannot be read.
    """
    return any(_is_for(line, path) for line in (read_text(root.at(FILE)) or "").splitlines())


def check(path: str, root: Root) -> None:
    """Check in advance whether the line can be added.

    Raises:
        ActionRefused: there is already one for `path`, or the path is not allowed in fstab.
        OSError: the file cannot be read.
    """
    if any(char in path for char in "\n\r") or printable(path) != path:
        raise ActionRefused("fstab does not allow a path with control characters")
    if has_line(path, root):
        raise ActionRefused(f"{FILE} already has a line for {printable(path)}")


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
    """Whether an interrupted `add` left an unneeded backup copy or a temporary file.

    Raises:
        OSError: a file cannot be read.
    """
    file, backup = root.at(FILE), root.at(BACKUP)
    copy = read_text(backup)
    is_same = copy is not None and copy.rstrip("\n") == (read_text(file) or "").rstrip("\n")
    return is_same or has_fresh(file) or has_fresh(backup)


def remove(path: str, root: Root) -> bool:
    """Remove the line for `path` and the backup copy; return whether there was one.

    The copy is removed only if it equals fstab, so that it is not needed.

    Raises:
        OSError: the file cannot be read or written.
    """
    file, backup = root.at(FILE), root.at(BACKUP)
    before = read_text(file) or ""
    left = "".join(line for line in before.splitlines(keepends=True) if not _is_for(line, path))
    copy = read_text(backup)
    is_same = copy is not None and copy.rstrip("\n") == left.rstrip("\n")
    if copy is not None and is_same:
        # `add` also added a missing newline at the end.
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
    """Escape blanks in octal, as they separate fields."""
    return path.replace("\\", "\\134").replace(" ", "\\040").replace("\t", "\\011").replace("#", "\\043")

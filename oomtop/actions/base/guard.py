"""`Guard`: the processes that no action touches, and the modes without any actions.

Pid 1, kernel threads, oomtop itself, its ancestors (the shell and the SSH session that it runs in), and
matches of the protected list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from oomtop.analysis.process_patterns import ProcessNames, is_protected, names_of
from oomtop.errors import ActionRefused
from oomtop.frozen import field, frozen
from oomtop.host.lineage import own_lineage
from oomtop.host.namespaces import is_in_namespace
from oomtop.host.process import Process, ProcessId
from oomtop.host.process_folder import read_executable
from oomtop.host.process_scan import parse_status
from oomtop.host.root import Root, read_optional
from oomtop.units import printable


@frozen
class Guard:
    """Decides what is refused; `protected` holds shell patterns of names, command lines, units or users (`sshd*`)."""

    protected: tuple[str, ...] = ()
    read_only: bool = False
    replay: bool = False
    lineage: tuple[ProcessId, ...] = field(default_factory=own_lineage)
    """oomtop itself first, then its parent and so on."""
    users: Callable[[int | None], str] = str
    """Returns the user name of a uid."""
    root: Root = field(default_factory=Root)

    def mode_refusal(self) -> str | None:
        """Return why all actions are disabled, or None; no request can override this."""
        if self.replay:
            return "this is a recording: actions are disabled"
        if self.read_only:
            return "oomtop was started with --read-only"
        return None

    def check_mode(self) -> None:
        """Check that actions are enabled.

        Raises:
            ActionRefused: they are not.
        """
        mode = self.mode_refusal()
        if mode is not None:
            raise ActionRefused(mode)

    def refusal(self, process: Process, override: bool = False) -> str | None:
        """Return why `process` may not be acted on, or None."""
        mode = self.mode_refusal()
        if mode is not None or override:
            return mode
        return self._identity_refusal(process) or self._name_refusal(process)

    def group_refusal(self, members: Iterable[Process], override: bool = False) -> str | None:
        """Return why a group with these members may not be acted on, or None."""
        for process in members:
            reason = self.refusal(process, override)
            if reason is not None:
                return f"{process.pid} ({printable(process.comm)}) is in it: {reason}"
        return self.mode_refusal()

    def _identity_refusal(self, process: Process) -> str | None:
        if process.pid == 1 and not is_in_namespace("pid", self.root):
            return "pid 1 is init: the whole machine depends on it"
        if process.is_kernel_thread:
            return "a kernel thread: it owns no memory and ignores signals"
        if self.lineage and process.id == self.lineage[0]:
            return "oomtop itself"
        if process.id in self.lineage:
            # The shell of `docker run -it IMAGE bash`; with `docker exec` the container's init is no ancestor.
            if process.pid == 1:
                return "an ancestor of oomtop and the container's init: your session depends on it (unless --override)"
            return "an ancestor of oomtop: your session depends on it"
        return None

    def _name_refusal(self, process: Process) -> str | None:
        if not self.protected:
            return None
        names = read_names(process, self.users, self.root)
        pattern = next((pattern for pattern in self.protected if is_protected(pattern, names)), None)
        return None if pattern is None else f"protected by your list ({pattern})"


def read_names(process: Process, users: Callable[[int | None], str], root: Root) -> ProcessNames:
    """Read the current names of a process: it may have changed program or group since it was seen.

    Reading `exe`, `cgroup` and `status` takes no lock of the process.
    """
    folder = root.at(f"/proc/{process.pid}")
    lines = (read_optional(f"{folder}/cgroup") or "").splitlines()
    owner = parse_status((read_optional(f"{folder}/status") or "").encode()).get("euid", process.euid)
    paths = [path for line in lines for path in line.split(":", 2)[2:]]
    return names_of(process, None if owner is None else users(owner), read_executable(folder), paths)

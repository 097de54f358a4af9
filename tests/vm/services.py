"""A real systemd inside the machine, as the first process of a pid namespace: up in seconds where a boot takes minutes.

It refuses who is not in its namespace, so what talks to it runs inside, as on any machine that systemd booted.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.present import present

UNITS = Path("/run/units")
CONTROL = "/etc/systemd/system.control:/run/systemd/system.control"
_EMPTY = "[Unit]\nDefaultDependencies=no\n"
_STUBS = ("sysinit", "basic", "shutdown", "multi-user", "sockets", "timers", "paths", "slices", "ours")


def service(command: str, *lines: object, adj: int = 0) -> str:
    """Return the unit file of a service that is started again whenever it ends."""
    more = "".join(f"{line}\n" for line in lines)
    return f"{_EMPTY}[Service]\nExecStart={command}\nRestart=always\nRestartSec=100ms\nOOMScoreAdjust={adj}\n{more}"


class Systemd:
    """The service manager with units of the test's own, by file name."""

    def __init__(self, units: dict[str, str]) -> None:
        UNITS.mkdir(exist_ok=True)
        for name in _STUBS:
            (UNITS / f"{name}.target").write_text(_EMPTY)
        for name, text in units.items():
            (UNITS / name).write_text(text)
        path = f"{CONTROL}:{UNITS}:/etc/systemd/system:/run/systemd/system:/lib/systemd/system"
        words = ["/lib/systemd/systemd", "--system", "--unit=ours.target", "--log-target=kmsg", "--show-status=0"]
        self._process = subprocess.Popen(
            ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", *words],
            # Generators make units of fstab and the like, which nothing here needs.
            env=os.environ | {"SYSTEMD_UNIT_PATH": path, "SYSTEMD_GENERATOR_PATH": "/nowhere", "container": "oomtop"},
            stdin=subprocess.DEVNULL,
        )
        self.run("systemctl", "is-active", "--wait", "ours.target", patience=300)

    @property
    def pid(self) -> str | None:
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        return children[0] if children else None

    def inside(self, *command: str) -> list[str]:
        """Return the command that runs in the namespace."""
        return ["nsenter", "-t", present(self.pid), "-p", "-m", *command]

    def run(self, *command: str, patience: float = 0) -> str:
        """Run a command inside until it succeeds, for as long as `patience`; return what it said."""
        end = time.monotonic() + patience
        while True:
            done = None
            if self.pid is not None:
                done = subprocess.run(self.inside(*command), capture_output=True, text=True)
                if done.returncode == 0:
                    return done.stdout.strip()
            if time.monotonic() > end:
                raise RuntimeError(f"{command}: {done and done.stdout + done.stderr}")
            time.sleep(0.3)

    def load(self, name: str, folder: str | Path) -> ServiceLoad:
        """Return the service of that name as a load to follow; `folder` is its cgroup's."""
        return ServiceLoad(self, name, folder)

    def show(self, name: str, unit: str) -> str:
        """Return a property of a unit."""
        return self.run("systemctl", "show", "-P", name, unit)

    def oomtop(self, *words: str) -> dict[str, Any]:
        """Run oomtop inside; return its exit status and both outputs."""
        done = subprocess.run(self.inside(sys.executable, "-m", "oomtop", *words), capture_output=True, text=True)
        return {"code": done.returncode, "said": done.stdout + done.stderr}

    def close(self) -> None:
        """End it with all it started; nobody is to take this machine for one that systemd runs."""
        self._process.kill()
        self._process.wait()
        shutil.rmtree("/run/systemd", ignore_errors=True)


class ServiceLoad:
    """A service in the place of a `guest.Load`: one process, which lives for as long as its cgroup has any."""

    def __init__(self, systemd: Systemd, name: str, folder: str | Path) -> None:
        self.name, self.process = name, self
        self.pid: int | None = None
        self._systemd, self._folder = systemd, Path(folder)

    def go(self) -> ServiceLoad:
        self._systemd.run("systemctl", "start", f"{self.name}.service", patience=60)
        self.pid = self._pids()[0]
        return self

    def more(self) -> None:
        """It takes what it takes at once."""

    def poll(self) -> int | None:
        return None if self._pids() else -9

    def end(self) -> None:
        self._systemd.run("systemctl", "stop", f"{self.name}.service", patience=60)

    def _pids(self) -> list[int]:
        try:
            return [int(line) for line in (self._folder / "cgroup.procs").read_text().split()]
        except OSError:
            # The group goes with the last process.
            return []

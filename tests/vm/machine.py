"""A machine of its own: Debian's kernel in QEMU through virtme-ng, with the host's file system as its root.

No KVM is needed; a boot takes some 15 s then.  Nothing inside can harm the host: its root is read-only, /tmp, /run and
the usual writable folders are the guest's own.
"""

from __future__ import annotations

import compileall
import contextlib
import inspect
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
MARK = b"OOMTOP-VM "
BOOT_SECONDS = 400
SEARCHED = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


@dataclass(frozen=True)
class Shape:
    """What a machine is made of; machines of the same shape are booted once."""

    memory: int = 512
    """MiB."""
    cpus: int = 2
    swap: int = 0
    """MiB of a swap disk, which the scenario switches on (`guest.swap_on`)."""
    iops: int = 0
    """Limit of that disk, 0 for none."""
    nodes: int = 1
    """NUMA nodes, of equal size."""
    append: str = ""
    """Kernel command line, such as `psi=0`."""


class GuestFailed(AssertionError):
    """A scenario raised, was killed or took too long; the text is what it said."""


def missing() -> str | None:
    """Return why no machine can be booted here, None if one can."""
    if shutil.which("qemu-system-x86_64") is None:
        return "qemu-system-x86_64 is missing (apt-get install --no-install-recommends qemu-system-x86)"
    if kernel() is None:
        return "no Debian kernel in /boot (apt-get install --no-install-recommends linux-image-amd64)"
    gone = [name for name in ("udevadm", "modprobe") if shutil.which(name, path=SEARCHED) is None]
    if gone:
        return f"{' and '.join(gone)}: not installed (apt-get install --no-install-recommends udev kmod)"
    if vng() is None:
        return "virtme-ng is missing (pip install virtme-ng)"
    return None


def kernel() -> str | None:
    """Return the newest kernel that can be read."""
    found = [path for path in Path("/boot").glob("vmlinuz-*-amd64") if "cloud" not in path.name]
    return str(max(found)) if found and os.access(max(found), os.R_OK) else None


def vng() -> str | None:
    """Return virtme-ng of this environment."""
    return shutil.which("vng", path=f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}")


class NotBooted(GuestFailed):
    """QEMU or the kernel did not come as far as running anything of ours."""


class Machine:
    """One booted machine."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self._disk = self._make_disk()
        # The guest cannot write beside the modules: it would compile them anew each time, at a twentieth of the speed.
        for folder in (HERE, HERE.parents[1] / "oomtop"):
            compileall.compile_dir(folder, quiet=2)
        command = f"cd {HERE.parents[1]}; exec env PYTHONDONTWRITEBYTECODE=1 {self._search_path()} {sys.executable} -S -E {HERE / 'agent.py'}"
        environ = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}"}
        self._process = subprocess.Popen(
            [*self._vng(), "--", command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=environ,
        )
        self._unread = b""
        self._log = b""
        self.is_spoilt = False
        """Whether a scenario ended before its end: what it left behind would be the next one's trouble."""
        try:
            self._answer(BOOT_SECONDS)
        except GuestFailed as failed:
            self.close()
            raise NotBooted(str(failed)) from None

    def _search_path(self) -> str:
        return f"PYTHONPATH={HERE.parents[1]}"

    def _make_disk(self) -> str | None:
        if not self.shape.swap:
            return None
        descriptor, path = tempfile.mkstemp(suffix=".img")
        os.ftruncate(descriptor, self.shape.swap << 20)
        os.close(descriptor)
        return path

    def _vng(self) -> list[str]:
        shape = self.shape
        program, image = vng(), kernel()
        assert program is not None
        assert image is not None
        words = [program, "--run", image, "--disable-kvm", "--force-9p", "--user", "root"]
        words += ["--memory", f"{shape.memory}M", "--cpus", str(shape.cpus)]
        words += ["--rodir", f"/usr/lib/udev/rules.d={HERE / 'udev'}"]
        if shape.append:
            words += ["--append", shape.append]
        if shape.nodes > 1:
            words += [f"--numa={shape.memory // shape.nodes}M" for _ in range(shape.nodes)]
        if self._disk is not None:
            throttle = f",throttling.iops-total={shape.iops}" if shape.iops else ""
            words += [f"--qemu-opts=-drive file={self._disk},if=virtio,format=raw{throttle}"]
        return words

    def call(self, scenario: Callable[..., Any], timeout: float = 300, **values: Any) -> Any:
        """Run a function inside the machine as root, and return what it returns.

        Its source is shipped, so it imports inside itself and uses no name from around it; values and result are
        JSON.  `tests.vm.guest` and `oomtop` can be imported there.

        Raises:
            GuestFailed: it raised, was killed or took too long.
        """
        code = textwrap.dedent(inspect.getsource(scenario))
        request = {"code": code, "name": scenario.__name__, "values": values, "timeout": timeout}
        self.is_spoilt = True
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        self._process.stdin.flush()
        answer = self._answer(timeout + 120)
        if "error" in answer:
            raise GuestFailed(f"{scenario.__name__}: {answer['error']}\n{answer['said']}")
        self.is_spoilt = False
        return answer["result"]

    def _answer(self, seconds: float) -> dict[str, Any]:
        assert self._process.stdout is not None
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            line, found, rest = self._unread.partition(b"\n")
            if found:
                self._unread = rest
                self._log = (self._log + line + b"\n")[-6000:]
                if MARK in line:
                    answer: dict[str, Any] = json.loads(line.partition(MARK)[2])
                    return answer
                continue
            if select.select([self._process.stdout], [], [], min(left, 1.0))[0]:
                data = os.read(self._process.stdout.fileno(), 1 << 16)
                if not data:
                    break
                self._unread += data
        raise GuestFailed(f"the machine does not answer: {self._log.decode(errors='replace')[-3000:]}")

    def close(self) -> None:
        """Switch the machine off."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        if self._disk is not None:
            os.unlink(self._disk)

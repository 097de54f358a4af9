"""Bytes on a terminal: letters that are no UTF-8, broken and endless sequences, answers, pastes, mice far away.

The monitor runs on a pty of its own, read-only.  It has to be there after every burst, to answer the next key, and to
end with 0 when it is left.  How long that takes is told by the CPU time that it uses: a busy machine makes it wait.
"""

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import tempfile
import termios
import time
from random import Random

from tests.fuzz.harness import CPU_SECONDS, MEMORY, NASTY, Door, mutate

SECONDS = 110.0
"""How long an answer may take on the busiest machine."""
PAUSE = 0.3
"""Seconds for one answer; what is sent meanwhile is not asked for."""
BUSY_SECONDS = 10.0
"""The CPU time that an answer may take: far more than any start or layout does."""
SEQUENCES = (
    b"\xe4", b"\xeb", b"\x9bA", b"\xe2\x82", b"\xed\xa0\x80", b"\x1b[99999999999~", b"\x1b[1114112u", b"\x1b[0u",
    b"\x1b[55296u", b"\x1b[97;0u", b"\x1b[97;1:3u", b"\x1b[0;;229u", b"\x1b]52;c;a2tra2s=\x07", b"\x1bP1$r0m\x1b\\",
    b"\x1b[1;1R", b"\x1b[?62;c", b"\x1b[?2026;2$y", b"\x1b[?2048;1$y", b"\x1b[48;99999;99999;1;1t", b"\x1b[48;0;0;0;0t",
    b"\x1b[<0;999999999;999999999M", b"\x1b[<64;1;1M", b"\x1b[<35;5;5M", b"\x1b[<0;5;5M\x1b[<0;5;5m", b"\x1b[M   ",
    b"\x1b[200~k\r\r\x1b[201~", b"\x1b[200~", b"\x1b[I", b"\x1b[O", b"\x1b[", b"\x1b", b"\x1bO", b"\x1b]", b"\x1b[A", b"\x1bOB",
    b"\r", b"\t", b"/", b"\\", b"?", b"A", b"e", b"w", b"t", b"g", b":", b"S", b"\0", b"\x7f", "ü".encode(),
)  # fmt: skip


def make(rng: Random) -> list[bytes]:
    """Return bursts of bytes."""
    return [_burst(rng) for _ in range(40)]


def _burst(rng: Random) -> bytes:
    data = b"".join(rng.choice(SEQUENCES) for _ in range(rng.randint(1, 6)))
    if rng.random() < 0.4:
        data = mutate(rng, data, 3)
    # Ctrl-C, Ctrl-Q, Ctrl-Z, q and F10 end or stop it, as they should; what writes a file is left out as well.
    return (data + rng.choice((b"", b"", rng.choice(NASTY))))[:6000].translate(None, b"\x03\x11\x1aqX")


def attempt(bursts: list[bytes]) -> None:
    """Send the bursts to a monitor; it has to answer a key and to end with 0."""
    with tempfile.TemporaryDirectory() as folder:
        pid, master = _start(folder)
        try:
            _wait_for(pid, master, b"COMMAND")
            before = _resident(pid)
            for burst in bursts:
                used = _cpu(pid)
                os.write(master, burst)
                _drain(master, 0.03)
                assert os.waitpid(pid, os.WNOHANG) == (0, 0), f"it ended after {burst!r}"
                assert _cpu(pid) - used < CPU_SECONDS, f"it was busy for {_cpu(pid) - used:.1f} s after {burst!r}"
            # A paste or a sequence without an end is given up.
            _drain(master, 1.3)
            grown = _peak(pid) - before
            assert grown < MEMORY, f"{grown >> 20} MiB more"
            _wait_for(pid, master, b"\x1b[?1049l", keys=(b"\x1b", b"q"))
            _end_of(pid, master)
        finally:
            _end(pid, master)


def _start(folder: str) -> tuple[int, int]:
    pid, master = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm-256color", LANG="C.UTF-8", OOMTOP_AUDIT_LOG=f"{folder}/audit.jsonl")
        os.environ.update({f"XDG_{name}_HOME": folder for name in ("CONFIG", "STATE", "DATA")})
        os.execv(sys.executable, [sys.executable, "-m", "oomtop", "--read-only", "--interval", "1"])
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    return pid, master


def _wait_for(pid: int, master: int, text: bytes, keys: tuple[bytes, ...] = ()) -> None:
    """Read until `text` comes, sending keys every now and then; using much CPU without it is a finding."""
    seen, end, used = b"", time.monotonic() + SECONDS, _cpu(pid)
    while text not in seen:
        assert time.monotonic() < end, f"{text!r} did not come in {SECONDS:.0f} s: {seen[-2000:]!r}"
        assert _cpu(pid) - used < BUSY_SECONDS, f"{text!r} did not come in {_cpu(pid) - used:.0f} s of CPU"
        for key in keys:
            os.write(master, key)
            seen += _drain(master, PAUSE)
        seen += _drain(master, PAUSE)


def _drain(master: int, seconds: float) -> bytes:
    seen, end = b"", time.monotonic() + seconds
    while select.select([master], [], [], max(0.0, end - time.monotonic()))[0]:
        try:
            seen += os.read(master, 65536)
        except OSError:
            break
    return seen


def _end_of(pid: int, master: int) -> None:
    """Wait until the process has ended, which it has to do with 0."""
    end, seen = time.monotonic() + SECONDS, b""
    while time.monotonic() < end:
        seen += _drain(master, PAUSE)
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            assert os.waitstatus_to_exitcode(status) == 0, seen
            return
        time.sleep(0.01)
    raise AssertionError(f"it does not end: {seen!r}")


def _cpu(pid: int) -> float:
    """Return the seconds of CPU that a process and all its threads have used."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _peak(pid: int) -> int:
    with open(f"/proc/{pid}/status") as file:
        return next(int(line.split()[1]) << 10 for line in file if line.startswith("VmHWM"))


def _resident(pid: int) -> int:
    with open(f"/proc/{pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _end(pid: int, master: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    except (ProcessLookupError, ChildProcessError):
        pass
    os.close(master)


DOOR = Door("bytes", make, attempt, few=1, many=50)

"""The terminal disappears: the monitor ends, and does not live on without one."""

import os
import pty
import select
import sys
import time


def test_the_monitor_ends_with_its_terminal() -> None:
    pid, master = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm-256color")
        os.execv(sys.executable, [sys.executable, "-m", "oomtop", "--interval", "0.5"])
    drawn = b""
    end = time.monotonic() + 60
    while b"oomtop" not in drawn and time.monotonic() < end:
        if select.select([master], [], [], 0.5)[0]:
            drawn += os.read(master, 65536)
    assert b"oomtop" in drawn
    os.close(master)
    end = time.monotonic() + 60
    gone = 0
    while not gone and time.monotonic() < end:
        gone, _ = os.waitpid(pid, os.WNOHANG)
        time.sleep(0.02)
    if not gone:
        os.kill(pid, 9)
        os.waitpid(pid, 0)
    assert gone == pid

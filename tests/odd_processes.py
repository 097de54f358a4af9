"""Processes that `/proc` shows in odd ways: a main thread that has ended, a vfork child that never execs, CLONE_VM."""

import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.present import present

HAS_MACHINE_CODE = platform.machine() == "x86_64"
# `run` calls machine code: the child of it does nothing but pause(2), so that it may use the stack of its parent.
PRELUDE = r"""
import ctypes, mmap, os, threading

pages = []

def run(code):
    page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    pages.append(page)
    page.write(bytes.fromhex(code))
    ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()

def vfork():
    run("b83a000000" "0f05" "85c0" "7509" "b822000000" "0f05" "ebf7" "c3")

def clone_vm():
    run("b838000000" "bf11010000" "31f6" "0f05" "85c0" "7509" "b822000000" "0f05" "ebf7" "c3")

def state(task):
    return open(f"/proc/self/task/{task}/stat").read().rpartition(")")[2].split()[0]

def end_main_thread(afterwards):
    def last():
        while state(os.getpid()) != "Z":
            os.sched_yield()
        afterwards()
    threading.Thread(target=last).start()
    ctypes.CDLL(None).syscall({"x86_64": 60}.get(os.uname().machine, 93), 0)
"""


@contextmanager
def odd_process(text: str) -> Iterator[subprocess.Popen[bytes]]:
    """Give the Popen of a Python program that knows the functions above and prints a line when it is ready."""
    child = subprocess.Popen([sys.executable, "-I", "-S", "-c", PRELUDE + text], stdout=subprocess.PIPE)
    try:
        present(child.stdout).readline()
        yield child
    finally:
        if child.poll() is None:
            for pid in (*children_of(child.pid), child.pid):
                os.kill(pid, 9)
            child.wait()
        present(child.stdout).close()


def children_of(pid: int) -> list[int]:
    """Return the children of a process's main thread."""
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(word) for word in file.read().split()]


def wait_for_child(pid: int) -> int:
    """Return the one child that a process is about to have."""
    while not (found := children_of(pid)):
        os.sched_yield()
    return found[0]

"""What another tool writes, read with a deadline: a journalctl or zstd that hangs costs its log, never the rest."""

from __future__ import annotations

import io
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO, cast

from oomtop.errors import OomtopError
from oomtop.host.ready import readable

SILENCE = 10.0
"""Seconds without a byte after which a tool is given up."""
DEADLINE = 120.0
"""Seconds that a tool may take in all."""


class _Timed(io.RawIOBase):
    """A pipe whose reader does not wait for ever."""

    def __init__(self, pipe: BinaryIO, what: str, silence: float, deadline: float) -> None:
        self._pipe, self._what, self._silence = pipe, what, silence
        self._end = time.monotonic() + deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        wait = min(self._silence, max(0.0, self._end - time.monotonic()))
        if not readable((self._pipe.fileno(),), wait):
            raise OomtopError(f"{self._what} was silent for {wait:.0f} s and was given up; what came before is shown")
        data = self._pipe.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


@contextmanager
def through(argv: Sequence[str], what: str, silence: float = SILENCE, deadline: float = DEADLINE) -> Iterator[BinaryIO]:
    """Run a tool and read what it writes; a tool that fails says so at the end.

    Raises:
        OomtopError: it is not installed, fails, or takes too long; what was read of it before holds.
    """
    try:
        process = subprocess.Popen(
            argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, bufsize=0
        )
    except FileNotFoundError:
        raise OomtopError(f"{what}: needs the tool {argv[0]}, which is not installed") from None
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        yield cast(BinaryIO, io.BufferedReader(_Timed(cast(BinaryIO, process.stdout), argv[0], silence, deadline)))
        said = (process.stderr.read(2000) or b"").decode("utf-8", "backslashreplace").strip()
        if process.wait(silence) != 0:
            raise OomtopError(f"{what}: {argv[0]}: {said or f'exit code {process.returncode}'}")
    except subprocess.TimeoutExpired:
        raise OomtopError(f"{what}: {argv[0]} does not end") from None
    finally:
        process.kill()
        process.stdout.close()
        process.stderr.close()
        process.wait()

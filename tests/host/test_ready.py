"""Waiting for descriptors, beyond the 1,024 that select(2) takes."""

import fcntl
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from oomtop.host.ready import readable, writable

HIGH = 1500


@contextmanager
def many_files() -> Iterator[None]:
    """Let this process have descriptors with numbers above 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard <= HIGH:
        pytest.skip(f"no more than {hard} open files are allowed here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, HIGH + 100), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.parametrize("lowest", [3, HIGH])
def test_a_pipe_is_ready_when_it_has_something(lowest: int) -> None:
    with many_files():
        near, far = os.pipe()
        reader, writer = (fcntl.fcntl(one, fcntl.F_DUPFD_CLOEXEC, lowest) for one in (near, far))
        try:
            assert readable((reader,), 0) == []
            assert writable(writer, 0)
            os.write(writer, b"x")
            assert readable((reader,), None) == [reader]
        finally:
            for one in (near, far, reader, writer):
                os.close(one)


def test_one_whose_other_end_is_gone_is_ready() -> None:
    reader, writer = os.pipe()
    os.close(writer)
    assert readable((reader,), None) == [reader]
    os.close(reader)

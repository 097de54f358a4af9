"""What a process holds open, and which of it is memory that no folder shows any more."""

import os
from pathlib import Path

import pytest

from oomtop.host.open_files import parse_tmpfs_devices, read_open_files
from oomtop.host.process import ProcessId
from oomtop.host.process_folder import ProcessGone
from oomtop.host.process_scan import parse_stat
from oomtop.host.root import Root


@pytest.fixture
def me() -> ProcessId:
    with open("/proc/self/stat", "rb") as file:
        return parse_stat(file.read(), 1, 1).id


def test_a_memfd_is_memory(me: ProcessId) -> None:
    descriptor = os.memfd_create("held")
    try:
        os.write(descriptor, b"x" * (1 << 20))
        files = read_open_files(Root(), me)
        found = next(file for file in files.files if file.fd == descriptor)
    finally:
        os.close(descriptor)
    assert (found.target, found.kind, found.in_memory, found.deleted) == ("/memfd:held (deleted)", "file", True, True)
    assert found.size == 1 << 20
    assert files.in_memory >= 1 << 20


@pytest.mark.skipif(not os.access("/dev/shm", os.W_OK), reason="no tmpfs to write to")
def test_a_deleted_file_on_tmpfs_is_memory(me: ProcessId, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = f"/dev/shm/oomtop-test-{os.getpid()}"
    with open(path, "wb") as file:
        os.unlink(path)
        file.write(b"x" * (1 << 20))
        file.flush()
        found = next(f for f in read_open_files(Root(), me).files if f.fd == file.fileno())
    assert (found.in_memory, found.deleted) == (True, True)
    assert (found.allocated or 0) >= 1 << 20


def test_a_hole_is_not_allocated(me: ProcessId, tmp_path: Path) -> None:
    with open(tmp_path / "hole", "wb") as file:
        file.truncate(1 << 30)
        found = next(f for f in read_open_files(Root(), me).files if f.fd == file.fileno())
    assert found.size == 1 << 30
    assert (found.allocated or 0) < 1 << 20
    assert not found.deleted


def test_pipes_and_sockets_have_no_size(me: ProcessId) -> None:
    reader, writer = os.pipe()
    found = {f.fd: f for f in read_open_files(Root(), me).files}
    os.close(reader)
    os.close(writer)
    assert (found[reader].kind, found[reader].size) == ("pipe", None)


def test_a_process_that_is_gone(me: ProcessId) -> None:
    with pytest.raises(ProcessGone):
        read_open_files(Root(), ProcessId(me.pid, me.start_time + 1))


def test_file_systems_in_memory() -> None:
    text = (
        "24 1 0:22 / /dev/shm rw,nosuid - tmpfs tmpfs rw\n"
        "31 1 254:0 / / rw shared:1 - ext4 /dev/root rw\n"
        "32 1 0:40 / /run rw shared:2 master:7 - tmpfs none rw\n"
    )
    assert parse_tmpfs_devices(text) == {os.makedev(0, 22), os.makedev(0, 40)}

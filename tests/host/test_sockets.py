"""The sockets of this very process, opened for the purpose."""

import os
import socket
import sys
from pathlib import Path

import pytest

from oomtop.host.open_files import read_open_files
from oomtop.host.process import ProcessId
from oomtop.host.root import Root
from oomtop.host.sockets import read_sockets


@pytest.fixture
def me() -> ProcessId:
    with open("/proc/self/stat") as file:
        words = file.read().rpartition(")")[2].split()
    return ProcessId(os.getpid(), int(words[19]))


def test_both_ends_of_a_connection_and_who_listens(me: ProcessId) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        there, here = server.getsockname()[1], client.getsockname()[1]
        names = read_sockets(Root(), me)
        assert names[server.fileno()] == f"tcp 127.0.0.1:{there} LISTEN"
        assert names[client.fileno()] == f"tcp 127.0.0.1:{here} -> 127.0.0.1:{there} ESTABLISHED"
        shown = {file.fd: file.target for file in read_open_files(Root(), me).files}
        assert shown[client.fileno()] == names[client.fileno()]


def test_datagrams_and_unix_sockets(me: ProcessId, tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagram, socket.socket(socket.AF_UNIX) as local:
        datagram.bind(("127.0.0.1", 0))
        local.bind(str(tmp_path / "s"))
        names = read_sockets(Root(), me)
        assert names[datagram.fileno()] == f"udp 127.0.0.1:{datagram.getsockname()[1]}"
        assert names[local.fileno()] == f"unix {tmp_path}/s"


def test_the_numbers_stay_where_the_addresses_cannot_be_known(
    me: ProcessId, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert read_sockets(Root(str(tmp_path)), me) == {}
    assert read_sockets(Root(), ProcessId(2**22 - 1, 1)) == {}
    monkeypatch.setitem(sys.modules, "psutil", None)
    assert read_sockets(Root(), me) == {}

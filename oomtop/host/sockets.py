"""Where the sockets of a process lead: psutil joins `/proc/PID/fd` and `/proc/PID/net/*` (proc_pid_net(5)).

The kernel's link says `socket:[48211]` only; who leaks sockets is understood by the address at their other end.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import TYPE_CHECKING

from oomtop.host.process import ProcessId
from oomtop.host.root import Root

if TYPE_CHECKING:
    from psutil._ntuples import addr, pconn


def read_sockets(root: Root, identity: ProcessId) -> Mapping[int, str]:
    """Return what to call each socket by its descriptor: `tcp 10.0.0.5:5432 -> 10.0.0.9:40112 ESTABLISHED`.

    Empty where it cannot be known: another root than this machine's, no right to look, or no psutil, which is
    compiled and therefore not in the single-file build.
    """
    if root.path != "/":
        return {}
    try:
        import psutil
    except ImportError:
        return {}
    try:
        connections = psutil.Process(identity.pid).net_connections("all")
    except (psutil.Error, OSError):
        return {}
    return {connection.fd: name_of(connection) for connection in connections}


def name_of(connection: pconn) -> str:
    """Return protocol, addresses and state as `ss` shows them."""
    if connection.family == socket.AF_UNIX:
        return f"unix {connection.laddr or '(no name)'}"
    is_stream = connection.type == socket.SOCK_STREAM
    protocol = ("tcp" if is_stream else "udp") + ("6" if connection.family == socket.AF_INET6 else "")
    other = f" -> {_endpoint(connection.raddr)}" if connection.raddr else ""
    state = f" {connection.status}" if is_stream else ""
    return f"{protocol} {_endpoint(connection.laddr)}{other}{state}"


def _endpoint(address: addr | tuple[()] | str) -> str:
    if not address or isinstance(address, str):
        return address or "*"
    ip, port = address
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"

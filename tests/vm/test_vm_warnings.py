"""Warnings to people from the systemd units as they ship: a real systemd, a logged-in terminal, a desktop's session bus."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.present import present
from tests.vm.machine import Machine, Shape

ROOT = Path(__file__).parents[2]
SHAPE = Shape(memory=1024)
COMMANDS = {"record": "record --file /run/kept/r.db", "exporter": "exporter --listen 127.0.0.1:0 --interval 1"}


def drop_in() -> str:
    """Return what docs/configuration.md tells to put into `systemctl edit oomtop-record`."""
    return present(re.search(r"^```ini\n(.*?)^```", (ROOT / "docs/configuration.md").read_text(), re.S | re.M))[1]


def sandbox(name: str) -> str:
    """Return the `[Service]` section as it ships, but for its command and the folders of this machine."""
    text = (ROOT / f"packaging/systemd/oomtop-{name}.service").read_text()
    # Nor with its share of a processor: a fifth of an emulated one takes minutes to start Python.
    section = present(re.search(r"^\[Service\]\n(.*?)^\[Install\]", text, re.S | re.M))[1]
    return re.sub(r"^(ExecStart|StateDirectory\w*|LogsDirectory\w*|MemoryMin|CPUQuota)=.*\n", "", section, flags=re.M)


def warned(name: str, section: str, command: str, more: str) -> dict[str, Any]:
    import os
    import pty
    import select
    import shutil
    import socket
    import struct
    import subprocess
    import sys
    import time
    from pathlib import Path

    from tests.vm import services

    user = 1000
    home = Path(f"/run/user/{user}")
    shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True, mode=0o700)
    bus = socket.socket(socket.AF_UNIX)
    bus.bind(str(home / "bus"))
    bus.listen(8)
    for path in (home, home / "bus"):
        os.chown(path, user, user)
    programs = Path("/run/programs")
    programs.mkdir(exist_ok=True)
    (programs / "notify-send").write_text(
        "#!/usr/bin/perl\nuse IO::Socket::UNIX;\n"
        "$ENV{DBUS_SESSION_BUS_ADDRESS} =~ /path=(.*)/;\n"
        'print {IO::Socket::UNIX->new(Peer => $1) || die "no bus: $!"} "user $> $ARGV[-1]\\n";\n'
    )
    (programs / "notify-send").chmod(0o755)
    # Where a user's own PATH looks; the unit's is not handed on.
    subprocess.run(["mount", "--bind", programs, "/usr/local/bin"], check=True)
    ours, theirs = pty.openpty()
    line = os.ttyname(theirs).removeprefix("/dev/")
    os.chown(f"/dev/{line}", user, 5)
    os.chmod(f"/dev/{line}", 0o620)
    # utmp(5) of a user's login.
    entry = struct.pack(
        "hxxi32s4s32s256shhiii4i20x", 7, os.getpid(), line.encode(), b"1", b"joe", b"", 0, 0, 0, 0, 0, *[0] * 4
    )
    Path("/run/utmp").write_bytes(entry)

    def heard() -> str:
        text = b""
        while select.select([ours], [], [], 0.5)[0]:
            text += os.read(ours, 4096)
        return text.decode(errors="replace")

    subprocess.run(["wall"], input="by hand\n", text=True, check=False)
    said: dict[str, Any] = {"by hand": "by hand" in heard()}
    config = Path("/run/config/oomtop")
    config.mkdir(parents=True, exist_ok=True)
    (config / "config.toml").write_text(
        'interval = 1\n[[alert]]\nname = "many"\nwhen = "processes > 1"\nwall = true\ndesktop = true\n'
    )
    told = Path(f"/run/{name}.said")
    told.write_text("")
    environ = {
        "PYTHONPATH": os.environ["PYTHONPATH"], "PYTHONDONTWRITEBYTECODE": "1", "XDG_CONFIG_HOME": "/run/config",
    }  # fmt: skip
    lines = "".join(f"Environment={key}={value}\n" for key, value in environ.items())
    # By a shell: systemd starts nothing from a folder of root's as another user, whatever capabilities that has.
    start = f"ExecStart=/bin/sh -c 'exec {sys.executable} -m oomtop {command}'\n"
    text = (
        f"[Unit]\nDefaultDependencies=no\n[Service]\n{section}{start}{lines}StandardError=file:{told}\n"
        f"RuntimeDirectory=kept\n{more}"
    )
    systemd = services.Systemd({f"{name}.service": text})
    systemd.run("systemctl", "start", f"{name}.service", patience=30)
    bus.settimeout(1)
    # Three times what it takes on a busy host; it ends when both ways have been heard or refused.
    end, shown, desktop = time.monotonic() + 180, "", ""
    while time.monotonic() < end:
        refused = told.read_text()
        if (shown or "wall" in refused or not said["by hand"]) and (desktop or "desktop" in refused):
            break
        shown += heard()
        try:
            desktop += bus.accept()[0].recv(4096).decode()
        except TimeoutError:
            continue
    said |= {"shown": shown, "desktop": desktop, "told": told.read_text()}
    said["state"] = systemd.show("ActiveState", f"{name}.service")
    systemd.close()
    subprocess.run(["umount", "/usr/local/bin"], check=True)
    return said


@pytest.mark.parametrize(("name", "more"), [("record", ""), ("record", "with the drop-in"), ("exporter", "")])
def test_a_unit_warns_as_is_documented(machine: Callable[[Shape], Machine], name: str, more: str) -> None:
    added = drop_in().removeprefix("[Service]\n") if more else ""
    said = machine(SHAPE).call(
        warned, timeout=300, name=name, section=sandbox(name), command=COMMANDS[name], more=added
    )
    assert said["state"] == "active", said
    # Where terminals are not found in utmp(5), there is nobody for `wall` to reach.
    is_reached = said["by hand"] and name == "record"
    assert ("many: processes" in said["shown"]) == is_reached, said
    if more:
        assert said["desktop"].startswith("user 1000 many: processes"), said
        assert "could not be delivered" not in said["told"], said
    else:
        assert said["desktop"] == ""
        assert ("drop-in" if name == "record" else "can reach no session bus") in said["told"], said
        assert ("wall reaches no terminal" in said["told"]) == (name == "exporter"), said

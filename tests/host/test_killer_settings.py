"""What daemons that kill are told, from their command lines and files."""

from dataclasses import replace
from pathlib import Path

import pytest

from oomtop.host.killer_settings import (
    find_killers,
    killer_name,
    parse_kubelet,
    parse_nohang,
    parse_oomctl,
    read_killer,
)  # fmt: skip
from oomtop.host.process import Process, ProcessId
from oomtop.host.root import Root
from tests.synthetic import SyntheticMachine

OOMCTL = """Dry Run: no
Swap Used Limit: 90.00%
Default Memory Pressure Limit: 60.00%
Default Memory Pressure Duration: 30s
System Context:
        Memory: Used: 20.1G Total: 31.2G
        Swap: Used: 0B Total: 8.0G
Swap Monitored CGroups:
        Path: /
                Swap Usage: (see System Context)
Memory Pressure Monitored CGroups:
        Path: /user.slice/user-1000.slice/user@1000.service
                Memory Pressure Limit: 50.00%
                Pressure: Avg10: 0.00, Avg60: 0.00, Avg300: 0.00, Total: 0
"""


def process(comm: str, euid: int = 0, cgroup: str = "/system.slice/x.service", state: str = "S") -> Process:
    base = SyntheticMachine(1, 3).processes[0]
    return replace(base, comm=comm, euid=euid, cgroup=cgroup, state=state, flags=0)


@pytest.mark.parametrize(
    ("found", "name"),
    [
        (process("earlyoom"), "earlyoom"),
        (process("earlyoom", 1000, "/user.slice/a.scope"), None),
        (process("earlyoom", 61000, "/system.slice/earlyoom.service"), "earlyoom"),
        (process("earlyoom", 1000, "/user.slice/user@1000.service/system.slice/earlyoom.service"), None),
        (process("python3", 0, "/system.slice/nohang.service"), "nohang"),
        (process("nohang-desktop"), "nohang-desktop"),
        (process("python3"), None),
        (process("kubelet", state="Z"), None),
        (process("bash"), None),
    ],
)
def test_only_what_root_or_systemd_runs_is_believed(found: Process, name: str | None) -> None:
    assert killer_name(found) == name
    assert len(find_killers([found])) == (name is not None)


def test_oomctl_tells_limits_and_groups() -> None:
    found = parse_oomctl(OOMCTL)
    assert ("Swap Used Limit", "90.00%") in found
    assert ("swap", "/") in found
    assert ("pressure", "/user.slice/user-1000.slice/user@1000.service") in found
    assert ("pressure limit", "50.00%") in found


def test_nohang_and_kubelet_files() -> None:
    text = "# a = b\nsoft_threshold_min_mem  = 5 %\n@BADNESS_ADJ_RE_NAME 200 /// ^Web$\n$x = 1\nrubbish\n"
    assert parse_nohang(text) == (("soft_threshold_min_mem", "5 %"), ("@BADNESS_ADJ_RE_NAME", "200 /// ^Web$"))
    yaml = 'kind: KubeletConfiguration\nevictionHard:\n  memory.available: "500Mi" # x\n  a.b: 1\nother:\n  c: 2\n'
    assert parse_kubelet(yaml) == (("evictionHard.memory.available", "500Mi"), ("evictionHard.a.b", "1"))


def test_arguments_keep_their_blanks_and_the_version_is_in_the_program(tmp_path: Path) -> None:
    folder = tmp_path / "proc/300"
    folder.mkdir(parents=True)
    (folder / "stat").write_text("300 (earlyoom) S " + " ".join(["0"] * 18) + " 77 0 0\n")
    (folder / "cmdline").write_bytes(b"/usr/bin/earlyoom\0-m\x0010\0--prefer\0^(Web Content)$\0")
    (folder / "exe").write_bytes(b"\x7fELF ignored since earlyoom v1.2\n\0earlyoom v1.8.2\n\0")
    found = read_killer(Root(str(tmp_path)), "earlyoom", ProcessId(300, 77))
    assert found.arguments == ("-m", "10", "--prefer", "^(Web Content)$")
    assert found.version == "1.8.2"
    with pytest.raises(ProcessLookupError):
        read_killer(Root(str(tmp_path)), "earlyoom", ProcessId(300, 78))


def test_nohangs_own_configuration_is_read(tmp_path: Path) -> None:
    (tmp_path / "proc/5").mkdir(parents=True)
    (tmp_path / "proc/5/stat").write_text("5 (nohang) S " + " ".join(["0"] * 18) + " 7 0 0\n")
    (tmp_path / "proc/5/cmdline").write_bytes(b"python3\0/usr/sbin/nohang\0--config\0/etc/n.conf\0")
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/n.conf").write_text("soft_threshold_min_mem = 7 %\n")
    found = read_killer(Root(str(tmp_path)), "nohang", ProcessId(5, 7))
    assert found.setting("soft_threshold_min_mem") == "7 %"
    assert found.setting("unknown") is None

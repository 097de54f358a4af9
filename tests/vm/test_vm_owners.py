"""Groups that another program owns: a unit of systemd, a container of docker, one of podman; all three are real."""

import shutil
from collections.abc import Callable
from typing import Any

import pytest

from tests.vm.machine import Machine, Shape

MIB = 1 << 20
SHAPE = Shape(memory=1024)


def unit() -> dict[str, Any]:
    import time
    from pathlib import Path

    from tests.vm import services

    systemd = services.Systemd({"fragile.service": services.service("/bin/sleep 100000")})
    systemd.run("systemctl", "start", "fragile.service", patience=30)
    group = Path("/sys/fs/cgroup/system.slice/fragile.service")

    def state() -> dict[str, str]:
        pid = systemd.show("MainPID", "fragile.service")
        inside = systemd.run("cat", f"/proc/{pid}/oom_score_adj")
        return {"pid": pid, "adj": inside, "high": (group / "memory.high").read_text().strip()}

    said: dict[str, Any] = {"first": state()}
    said["limit"] = systemd.oomtop("limit", "/system.slice/fragile.service", "--high", "64M", "--yes")
    said["known"] = systemd.show("MemoryHigh", "fragile.service")
    systemd.run("systemctl", "daemon-reload")
    said["limited"] = state()
    said["undo"] = systemd.oomtop("undo", "--yes")
    said["unlimited"] = state()
    said["lasting"] = systemd.oomtop("limit", "fragile.service", "--high", "48M", "--lasting", "--yes")
    said["files"] = [path.read_text() for path in Path("/etc/systemd/system.control/fragile.service.d").iterdir()]
    systemd.run("systemctl", "restart", "fragile.service")
    said["lasted"] = state()
    systemd.oomtop("undo", "--yes")
    said["protect"] = systemd.oomtop("protect", "--unit", "fragile.service", "--adj", "-500", "--yes")
    systemd.run("systemctl", "restart", "fragile.service")
    said["protected"] = state()
    said["forget"] = systemd.oomtop("undo", "--yes")
    systemd.run("systemctl", "restart", "fragile.service")
    said["forgotten"] = state()
    said["killed"] = systemd.oomtop("kill", said["forgotten"]["pid"], "--yes")
    time.sleep(0.3)
    said["fresh"] = state()
    systemd.close()
    return said


def container(engine: str) -> dict[str, Any]:
    import subprocess
    import sys
    import time
    from pathlib import Path

    groups = Path("/sys/fs/cgroup")
    (groups / "cgroup.subtree_control").write_text("+cpu +memory +pids")
    root = Path("/run/boxroot")
    for name in ("bin", "proc", "sys", "dev", "etc", "tmp"):
        (root / name).mkdir(parents=True, exist_ok=True)
    (root / "bin/busybox").write_bytes(Path("/bin/busybox").read_bytes())
    (root / "bin/busybox").chmod(0o755)

    def run(*words: str) -> str:
        done = subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=90)
        if done.returncode:
            raise RuntimeError(f"{words}: {done.stdout}{done.stderr}")
        return done.stdout.strip()

    daemons = []
    common = ("run", "-d", "--network", "none", "--memory", "200m", "--security-opt", "seccomp=unconfined")

    def daemon(*words: str, until: list[str]) -> None:
        log = open("/run/daemon.log", "wb")
        daemons.append(subprocess.Popen(words, stdout=log, stderr=log))
        end = time.monotonic() + 150
        while subprocess.run(until, capture_output=True).returncode != 0:
            if daemons[-1].poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{words[0]}: {Path('/run/daemon.log').read_text()[-2000:]}")
            time.sleep(1)

    if engine == "docker":
        # Docker gives a containerd of its own 15 s to start, which a busy host does not always keep.
        socket = "/run/containerd.sock"
        daemon("containerd", "--address", socket, until=["ctr", "--address", socket, "version"])
        places = ("--containerd", socket, "--data-root", "/run/docker-data", "--exec-root", "/run/docker-exec")
        bare = ["--iptables=false", "--ip6tables=false", "--bridge=none", "--storage-driver=vfs"]
        # By itself it takes systemd wherever that ever ran.
        bare += ["--exec-opt", "native.cgroupdriver=cgroupfs"]
        daemon("dockerd", *bare, *places, until=["docker", "version"])
        subprocess.run("tar -C /run/boxroot -c . | docker import - box", shell=True, check=True, capture_output=True)
        run("docker", *common, "--security-opt", "apparmor=unconfined", "box", "/bin/busybox", "sleep", "100000")
    else:
        storage = ("--cgroup-manager=cgroupfs", "--storage-driver=vfs")
        run("podman", *storage, *common, "--runtime", "crun", "--rootfs", str(root), "/bin/busybox", "sleep", "100000")
    parent = groups / ("docker" if engine == "docker" else "libpod_parent")
    folder = next(path for path in parent.iterdir() if len(path.name.rpartition("-")[2]) == 64)
    name, identity = f"/{folder.relative_to(groups)}", folder.name.rpartition("-")[2]

    def oomtop(*words: str) -> dict[str, Any]:
        done = subprocess.run((sys.executable, "-m", "oomtop", *words), capture_output=True, text=True)
        return {"code": done.returncode, "said": done.stdout + done.stderr}

    def read(file: str) -> str:
        return (folder / file).read_text().strip()

    said: dict[str, Any] = {"before": read("memory.max")}
    said["limit"] = oomtop("limit", name, "--max", "100M", "--yes")
    said["max"] = read("memory.max")
    field = "{{.HostConfig.Memory}}"
    said["known"] = run(engine, "inspect", "-f", field, identity) if engine == "docker" else None
    said["undo"] = oomtop("undo", "--yes")
    said["after"] = read("memory.max")
    # By the beginning of its id, as people copy it from a list of containers.
    said["protect"] = oomtop("limit", identity[:12], "--low", "50M", "--yes")
    said["low"] = read("memory.low")
    said["lift"] = oomtop("limit", name, "--low", "none", "--yes")
    said["lifted"] = read("memory.low")
    said["high"] = oomtop("limit", name, "--high", "60M", "--yes")
    said["throttled"] = read("memory.high")
    said["kill"] = oomtop("kill", "--cgroup", name, "--signal", "KILL", "--yes")
    said["left"] = read("cgroup.procs") if folder.exists() else ""
    for process in daemons:
        process.kill()
    return said


def assert_done(*outcomes: dict[str, Any]) -> None:
    for outcome in outcomes:
        assert outcome["code"] == 0, outcome["said"]


@pytest.mark.skipif(shutil.which("/lib/systemd/systemd") is None, reason="systemd is not installed")
def test_a_unit_of_systemd(machine: Callable[[Shape], Machine]) -> None:
    said = machine(SHAPE).call(unit)
    assert_done(*(said[name] for name in ("limit", "undo", "lasting", "protect", "forget", "killed")))
    assert "systemctl set-property --runtime fragile.service" in said["limit"]["said"]
    assert said["first"]["high"] == said["unlimited"]["high"] == "max"
    assert said["known"] == said["limited"]["high"] == str(64 * MIB)
    assert any(f"MemoryHigh={48 * MIB}" in text for text in said["files"])
    assert said["lasted"]["high"] == str(48 * MIB)
    assert said["lasted"]["pid"] != said["first"]["pid"]
    assert (said["first"]["adj"], said["protected"]["adj"], said["forgotten"]["adj"]) == ("0", "-500", "0")
    assert f"restarted by systemd as pid {said['fresh']['pid']}" in said["killed"]["said"]
    assert said["fresh"]["pid"] != said["forgotten"]["pid"]


@pytest.mark.parametrize("engine", ["docker", "podman"])
def test_a_container(machine: Callable[[Shape], Machine], engine: str) -> None:
    needed = {"docker": ("docker", "dockerd"), "podman": ("podman", "crun")}[engine]
    gone = [name for name in (*needed, "busybox") if shutil.which(name) is None]
    if gone:
        pytest.skip(f"{', '.join(gone)}: not installed")
    said = machine(SHAPE).call(container, engine=engine)
    assert_done(*(said[name] for name in ("limit", "undo", "protect", "lift", "high", "kill")))
    assert f"{engine} update --memory" in said["limit"]["said"]
    assert (said["before"], said["max"], said["after"]) == (str(200 * MIB), str(100 * MIB), str(200 * MIB))
    assert said["known"] in (None, str(100 * MIB))
    assert (said["low"], said["lifted"]) == (str(50 * MIB), "0")
    assert said["throttled"] == str(60 * MIB)
    assert said["left"] == ""

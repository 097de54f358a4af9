"""Names of cgroups: real paths of every engine, and the state files that give ids a name."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from oomtop.host.container_names import ContainerNames, read_container_names
from oomtop.host.containers import container_at, ids_of, name_of, unit_at, unit_of
from oomtop.host.root import Root
from tests.present import present

H = "f3f6c0e2b1a94d7c8e5b2a1d0c9f8e7d6c5b4a39281706f5e4d3c2b1a0998877"
OTHER = "0" * 63 + "1"
P = "4d2a6c1e-8b7f-4a3d-9c5e-1f2b3a4c5d6e"
U = P.replace("-", "_")
STATIC = "b1c2d3e4f5061728394a5b6c7d8e9f00"
USER = "/user.slice/user-1000.slice/user@1000.service"
KUBE = "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod"
IN_POD = "pod/4d2a6c1e/f3f6c0e2b1a9"

PATHS = {
    "/": None,
    "/init.scope": None,
    "/system.slice": None,
    "/user.slice/user-1000.slice": None,
    "/docker/buildkit/abc123": None,
    "/kubepods.slice/kubepods-burstable.slice": None,
    "/kubepods/burstable/podabc": None,
    "/system.slice/ssh.service": "ssh.service",
    "/system.slice/system-getty.slice/getty@tty1.service": "getty@tty1.service",
    "/system.slice/system-postgresql.slice/postgresql@15-main.service": "postgresql@15-main.service",
    r"/system.slice/systemd-fsck@dev-disk-by\x2duuid-1.service": "systemd-fsck@dev-disk-by-uuid-1.service",
    "/system.slice/dev-hugepages.mount": "dev-hugepages.mount",
    "/system.slice/dbus.socket": "dbus.socket",
    r"/system.slice/dev-disk-by\x2duuid-7.swap": "dev-disk-by-uuid-7.swap",
    "/user.slice/user-1000.slice/session-2.scope": "session-2.scope",
    f"{USER}/init.scope": "user@1000.service",
    f"{USER}/app.slice/app-gnome-firefox-2411.scope": "1000/app-gnome-firefox-2411.scope",
    f"{USER}/app.slice/pipewire.service": "1000/pipewire.service",
    f"{USER}/app.slice/app-org.gnome.Terminal.slice/vte-spawn-1c0.scope": "1000/vte-spawn-1c0.scope",
    r"/machine.slice/machine-qemu\x2d1\x2dvm1.scope/libvirt/emulator": "machine-qemu-1-vm1.scope",
    "/machine.slice/systemd-nspawn@debian.service/payload": "systemd-nspawn@debian.service",
    f"/docker/{H}": "docker/f3f6c0e2b1a9",
    f"/system.slice/docker-{H}.scope": "docker/f3f6c0e2b1a9",
    f"/docker/{H}/init.scope": "docker/f3f6c0e2b1a9",
    f"/docker/{H}/system.slice/nginx.service": "docker/f3f6c0e2b1a9",
    f"{USER}/app.slice/docker-{H}.scope": "1000/docker/f3f6c0e2b1a9",
    f"/system.slice:docker:{H}": "docker/f3f6c0e2b1a9",
    f"/actions_job/{H}": "container/f3f6c0e2b1a9",
    f"/ecs/cluster/0a1b2c/{H}": "container/f3f6c0e2b1a9",
    f"/machine.slice/libpod-{H}.scope": "libpod/f3f6c0e2b1a9",
    f"/machine.slice/libpod-{H}.scope/container": "libpod/f3f6c0e2b1a9",
    f"/machine.slice/libpod-conmon-{H}.scope": "libpod/f3f6c0e2b1a9 (conmon)",
    f"/libpod_parent/libpod-{H}": "libpod/f3f6c0e2b1a9",
    f"/machine.slice/machine-libpod_pod_{OTHER}.slice/libpod-{H}.scope": "libpod/f3f6c0e2b1a9",
    f"{USER}/user.slice/libpod-{H}.scope/container": "1000/libpod/f3f6c0e2b1a9",
    f"{USER}/user.slice/user-libpod_pod_{OTHER}.slice/libpod-{H}.scope": "1000/libpod/f3f6c0e2b1a9",
    f"/default/{H}": "container/f3f6c0e2b1a9",
    f"/k8s.io/{H}": "container/f3f6c0e2b1a9",
    f"/system.slice/nerdctl-{H}.scope": "nerdctl/f3f6c0e2b1a9",
    "/system.slice/containerd.service": "containerd.service",
    f"/crio-{H}": "crio/f3f6c0e2b1a9",
    f"/kubepods/pod{P}/{H}": IN_POD,
    f"/kubepods/burstable/pod{P}/{H}": IN_POD,
    f"/kubepods/besteffort/pod{P}/{H}": IN_POD,
    f"/kubepods/burstable/pod{P}": "pod/4d2a6c1e",
    f"/kubepods/burstable/pod{STATIC}/{H}": "pod/b1c2d3e4/f3f6c0e2b1a9",
    f"/kubepods.slice/kubepods-pod{U}.slice/cri-containerd-{H}.scope": IN_POD,
    f"{KUBE}{U}.slice/cri-containerd-{H}.scope": IN_POD,
    f"{KUBE}{U}.slice/crio-{H}.scope": IN_POD,
    f"{KUBE}{U}.slice/crio-{H}.scope/container": IN_POD,
    f"{KUBE}{U}.slice/crio-conmon-{H}.scope": f"{IN_POD} (conmon)",
    f"{KUBE}{U}.slice/docker-{H}.scope": IN_POD,
    f"{KUBE}{U}.slice": "pod/4d2a6c1e",
    f"{KUBE}{STATIC}.slice/cri-containerd-{H}.scope": "pod/b1c2d3e4/f3f6c0e2b1a9",
    f"/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-pod{U}.slice/cri-containerd-{H}.scope": IN_POD,
    f"/system.slice/docker-{OTHER}.scope/kubelet.slice/kubelet-kubepods-pod{U}.slice/cri-containerd-{H}.scope": "docker/000000000000",
    f"/system.slice/k3s.service/kubepods/burstable/pod{P}/{H}": IN_POD,
    f"/system.slice/containerd.service/kubepods-burstable-pod{U}.slice:cri-containerd:{H}": IN_POD,
    "/lxc/web": "lxc/web",
    "/lxc/101/ns": "lxc/101",
    "/lxc.payload.web": "lxc/web",
    "/lxc.payload/web": "lxc/web",
    "/lxc.monitor.web": "lxc/web",
    "/lxc.payload.proj_db1/init.scope": "lxc/proj_db1",
    "/lxc.payload.web/system.slice/nginx.service": "lxc/web",
    "/system.slice/ci.service/sshd.service": "ci.service",
    f"/system.slice/ci.service/docker-{H}.scope": "ci.service",
    f"/system.slice/ci.service/kubepods.slice/kubepods-pod{U}.slice": "ci.service",
    f"{USER}/app.slice/sshd.service": "1000/sshd.service",
    f"{USER}/sshd.service/docker-{H}.scope": "1000/sshd.service",
    f"{USER}/user@0.service/sshd.service": "1000/0/sshd.service",
    "/user.slice/user-1000.slice/session-2.scope/sshd.service": "session-2.scope",
    "/machine.slice/systemd-nspawn@debian.service/payload/system.slice/cron.service": "systemd-nspawn@debian.service",
    f"/docker/{H}/docker/{OTHER}": "docker/f3f6c0e2b1a9",
    "/_cgroup.service": "cgroup.service",
    "/a b.service": None,
    "/sshd.service/": "sshd.service",
}


@pytest.mark.parametrize(("path", "name"), PATHS.items())
def test_real_paths(path: str, name: str | None) -> None:
    assert name_of(path) == name


@pytest.mark.parametrize(
    ("path", "unit", "own"),
    [
        ("/system.slice/ssh.service", "ssh.service", "ssh.service"),
        ("/system.slice/system-getty.slice/getty@tty1.service", "getty@tty1.service", "getty@tty1.service"),
        ("/system.slice/ssh.service/sub", "ssh.service", None),
        ("/system.slice", None, "system.slice"),
        ("/user.slice/user-1000.slice", None, "user-1000.slice"),
        ("/init.scope", "init.scope", "init.scope"),
        (f"/docker/{H}/system.slice/ssh.service", None, None),
        (f"/system.slice/docker-{H}.scope/system.slice/ssh.service", f"docker-{H}.scope", None),
        ("/lxc.payload.web/system.slice/nginx.service", None, None),
        ("/machine.slice/machine-x.scope/payload/system.slice/cron.service", "machine-x.scope", None),
        ("/system.slice/ci.service/sshd.service", "ci.service", None),
        (f"{USER}/app.slice/sshd.service", "user@1000.service", None),
        (f"{USER}/app.slice", "user@1000.service", None),
        ("/anything/system.slice/ssh.service", None, None),
        ("/ssh.service", "ssh.service", "ssh.service"),
        ("/.service", None, None),
        ("/", None, None),
        ("", None, None),
        (None, None, None),
    ],
)
def test_the_unit_is_the_first_from_the_root(path: str | None, unit: str | None, own: str | None) -> None:
    assert unit_of(path) == unit
    assert unit_at(path or "") == own


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (f"/docker/{H}", ("docker", H)),
        (f"/system.slice/docker-{H}.scope", ("docker", H)),
        (f"/machine.slice/libpod-{H}.scope", ("libpod", H)),
        (f"/machine.slice/libpod-conmon-{H}.scope", None),
        (f"/docker/{H}/sub", None),
        (f"/docker/{H}/docker/{OTHER}", None),
        (f"{USER}/app.slice/docker-{H}.scope", None),
        (f"/system.slice/ci.service/docker-{H}.scope", None),
        ("/", None),
    ],
)
def test_a_container_is_roots_where_root_made_it(path: str, found: tuple[str, str] | None) -> None:
    assert container_at(path) == found


def test_ids_of_a_path() -> None:
    assert ids_of(f"{KUBE}{U}.slice/crio-{H}.scope/container") == (P, H)
    assert ids_of("/system.slice/ssh.service") == ()


def test_a_known_id_has_its_name_and_its_kind_stays() -> None:
    names = {H: "web-1", P: "shop/cart-0"}
    assert name_of(f"/docker/{H}", names) == "docker/web-1"
    assert name_of(f"{KUBE}{U}.slice", names) == "pod/shop/cart-0"
    assert name_of(f"/machine.slice/libpod-conmon-{H}.scope", names) == "libpod/f3f6c0e2b1a9 (conmon)"


@pytest.fixture
def root(tmp_path: Path) -> Root:
    return Root(str(tmp_path))


@pytest.fixture
def state(tmp_path: Path) -> Callable[..., None]:
    def write(path: str, text: str = "") -> None:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)

    return write


STORAGE = "containers/storage/overlay-containers/containers.json"


@pytest.mark.parametrize(
    ("path", "text", "number", "name"),
    [
        (f"var/lib/docker/containers/{H}/config.v2.json", json.dumps({"ID": H, "Name": "/web-1"}), H, "web-1"),
        (f"var/lib/{STORAGE}", json.dumps([{"id": H, "names": ["db"]}, {"id": OTHER}]), H, "db"),
        (f"home/ann/.local/share/{STORAGE}", json.dumps([{"id": H, "names": ["mine"]}]), H, "mine"),
        ("var/lib/nerdctl/1935db59/names/default/cache", H, H, "cache"),
        (f"var/log/containers/cart-0_shop_app-{H}.log", "", H, "shop/cart-0/app"),
        (f"var/log/pods/shop_cart-0_{P}/app/0.log", "", P, "shop/cart-0"),
    ],
)
def test_state_files_of_every_engine(
    root: Root, state: Callable[..., None], path: str, text: str, number: str, name: str
) -> None:
    state(path, text)
    assert read_container_names(root, {number}) == {number: name}
    assert read_container_names(root, {"f" * 64}) == {}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"Name": 7}', '{"Name": ""}', "[" * 100_000])
def test_damaged_state_files_know_nothing(root: Root, state: Callable[..., None], text: str) -> None:
    state(f"var/lib/docker/containers/{H}/config.v2.json", text)
    state(f"var/lib/{STORAGE}", text)
    assert read_container_names(root, {H}) == {}


def test_names_are_read_once_for_the_same_ids(root: Root, state: Callable[..., None]) -> None:
    state(f"var/lib/docker/containers/{H}/config.v2.json", json.dumps({"Name": "/web"}))
    known = ContainerNames(root)
    assert known.names([f"/docker/{H}"]) in ((), ((H, "web"),))  # as fast as the thread was
    reading = present(known._thread)
    reading.join(10)
    names = known.names([f"/docker/{H}", "/system.slice"])
    assert names == ((H, "web"),)
    assert known.names([f"/docker/{H}"]) is names
    assert known._thread is reading
    known.names([f"/docker/{H}", f"/docker/{OTHER}"])
    assert known._thread is not reading
    present(known._thread).join(10)


@pytest.mark.skipif(os.geteuid() != 0, reason="gives files to another user")
@pytest.mark.parametrize("kind", ["zero", "fifo", "huge", "shadow", "folder", "link of a folder"])
def test_what_a_user_puts_into_his_home_costs_nothing(tmp_path: Path, kind: str) -> None:
    home = tmp_path / "home/eve/.local/share/containers/storage/overlay-containers"
    home.mkdir(parents=True)
    file = home / "containers.json"
    if kind == "huge":
        with file.open("wb") as text:
            text.truncate(1 << 40)
    elif kind == "fifo":
        os.mkfifo(file)
    elif kind == "folder":
        file.mkdir()
    elif kind == "link of a folder":
        home.rmdir()
        (tmp_path / "secret").mkdir()
        (tmp_path / "secret/containers.json").write_text(json.dumps([{"id": H, "names": ["stolen"]}]))
        home.symlink_to(tmp_path / "secret")
        os.lchown(home, 65534, 65534)
    else:
        file.symlink_to({"zero": "/dev/zero", "shadow": "/etc/shadow"}[kind])
        os.lchown(file, 65534, 65534)
    assert read_container_names(Root(str(tmp_path)), [H]) == {}


def test_a_users_own_file_names_no_container_of_root(tmp_path: Path) -> None:
    for folder, name in (("var/lib", "web"), ("home/eve/.local/share", "spoofed")):
        storage = tmp_path / folder / "containers/storage/overlay-containers"
        storage.mkdir(parents=True)
        (storage / "containers.json").write_text(json.dumps([{"id": H, "names": [name]}]))
    docker = tmp_path / "var/lib/docker/containers" / OTHER
    docker.mkdir(parents=True)
    (docker / "config.v2.json").write_text('{"Name": "/db"}')
    spoof = tmp_path / "home/eve/.local/share/containers/storage/overlay-containers/containers.json"
    spoof.write_text(json.dumps([{"id": H, "names": ["spoofed"]}, {"id": OTHER, "names": ["spoofed"]}]))
    assert read_container_names(Root(str(tmp_path)), [H, OTHER]) == {H: "web", OTHER: "db"}

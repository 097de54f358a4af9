"""Files of others: what root would obey, and what root only reads, with every trick that a user has."""

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from oomtop.actions.base.atomic_file import append_bytes, has_fresh, read_text, remove_text, replace_text
from oomtop.actions.journal.audit_log import read_entries
from oomtop.config.load import load_config
from oomtop.errors import ConfigError, OomtopError
from oomtop.exporter.access import read_users
from oomtop.host.trusted_file import UntrustedFile, read_foreign, read_trusted, trusted_users
from oomtop.recording.layout import open_for_writing
from oomtop.recording.ownership import take_lock
from oomtop.tui.style.theme import load_theme

EVE = 65534
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="gives files to another user")


def _link_of_eve(path: Path, folder: Path) -> None:
    path.with_name("real").write_text("x = 1\n")
    path.symlink_to("real")
    os.lchown(path, EVE, EVE)


def _folder_link_of_eve(path: Path, folder: Path) -> None:
    (folder / "elsewhere").mkdir()
    (folder / "elsewhere" / path.name).write_text("x = 1\n")
    path.parent.rmdir()
    path.parent.symlink_to(folder / "elsewhere")
    os.lchown(path.parent, EVE, EVE)


def _zero(path: Path, folder: Path) -> None:
    path.symlink_to("/dev/zero")
    os.lchown(path, EVE, EVE)


def _owner(path: Path, folder: Path) -> None:
    path.write_text("x = 1\n")
    os.chown(path, EVE, EVE)


def _folder_owner(path: Path, folder: Path) -> None:
    path.write_text("x = 1\n")
    os.chown(path.parent, EVE, EVE)


def _folder_above_owner(path: Path, folder: Path) -> None:
    path.write_text("x = 1\n")
    os.chown(folder, EVE, EVE)


def _mode(mode: int) -> Callable[[Path, Path], None]:
    def make(path: Path, folder: Path) -> None:
        path.write_text("x = 1\n")
        path.chmod(mode)

    return make


def _folder_mode(mode: int, group: int = 0) -> Callable[[Path, Path], None]:
    def make(path: Path, folder: Path) -> None:
        path.write_text("x = 1\n")
        os.chown(path.parent, 0, group)
        path.parent.chmod(mode)

    return make


def _folder_above_mode(mode: int, group: int) -> Callable[[Path, Path], None]:
    def make(path: Path, folder: Path) -> None:
        path.write_text("x = 1\n")
        os.chown(folder, 0, group)
        folder.chmod(mode)

    return make


def _group_file(path: Path, folder: Path) -> None:
    path.write_text("x = 1\n")
    os.chown(path, 0, 100)
    path.chmod(0o664)


def _fifo(path: Path, folder: Path) -> None:
    os.mkfifo(path)


def _huge(path: Path, folder: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 40)


FOREIGN = {
    "a link of another user": _link_of_eve,
    "a folder that is a link of another user": _folder_link_of_eve,
    "a link to a device": _zero,
    "another owner": _owner,
    "another owner of the folder": _folder_owner,
    "another owner of the folder above": _folder_above_owner,
    "a file that all can write": _mode(0o666),
    "a file that a group can write": _group_file,
    "a folder that all can write": _folder_mode(0o777),
    "a folder that a group can write": _folder_mode(0o775, 4),
    "a folder above that all can write": _folder_above_mode(0o777, 0),
    "a folder above that a group of users can write": _folder_above_mode(0o775, 1234),
}
STRANGE: dict[str, Callable[[Path, Path], None]] = {
    "a FIFO": _fifo,
    "a huge file": _huge,
    "a folder": lambda path, folder: path.mkdir(),
}


@pytest.fixture
def place(tmp_path: Path) -> tuple[Path, Path]:
    folder = tmp_path / "home"
    (folder / "conf").mkdir(parents=True)
    return folder / "conf" / "file.toml", folder


def _config(path: Path) -> None:
    _, mistakes = load_config((str(path),))
    if mistakes:
        raise mistakes[0]


DOORS: dict[str, Callable[[Path], object]] = {
    "read_trusted": lambda path: read_trusted(str(path)),
    "configuration": _config,
    "theme": lambda path: load_theme(str(path)),
    "audit log, read": lambda path: read_entries(str(path)),
    "passwords": lambda path: read_users(str(path)),
    "file of /etc, read": lambda path: read_text(str(path)),
    "file of /etc, replaced": lambda path: replace_text(str(path), "new\n"),
    "audit log, appended": lambda path: append_bytes(str(path), b"new\n"),
    "recording": lambda path: open_for_writing(str(path)),
    "lock of a recording": lambda path: take_lock(str(path).removesuffix("-lock")),
}


@root_only
@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("kind", FOREIGN)
def test_what_others_could_have_written_is_not_obeyed_and_said(place: tuple[Path, Path], kind: str, door: str) -> None:
    path, folder = place
    path = path.with_name("file.toml-lock") if door == "lock of a recording" else path
    FOREIGN[kind](path, folder)
    before = _tree(folder)
    with pytest.raises((OSError, OomtopError), match=r"belongs to|others can write|that nobody|it is a link") as caught:
        DOORS[door](path)
    assert str(folder) in str(caught.value) or isinstance(caught.value, UntrustedFile)
    assert _tree(folder) == before


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("kind", STRANGE)
def test_what_is_no_small_regular_file_costs_nothing(place: tuple[Path, Path], kind: str, door: str) -> None:
    path, folder = place
    STRANGE[kind](path, folder)
    if kind == "a huge file" and door in (
        "audit log, appended",
        "file of /etc, replaced",
        "recording",
        "lock of a recording",
    ):
        pytest.skip("writes without reading it")
    if door == "lock of a recording":
        path.rename(path.with_name("file.toml-lock"))
        path = path.with_name("file.toml-lock")
    with pytest.raises(
        (OSError, OomtopError),
        match=r"it is a F|other users can read|it is a folder|it is larger|Is a dir|No such device",
    ):
        DOORS[door](path)


def _tree(folder: Path) -> list[tuple[str, int, int, int, str]]:
    found = []
    for path in sorted(folder.parent.rglob("*")):
        status = path.lstat()
        text = path.read_text() if stat.S_ISREG(status.st_mode) else ""
        found.append((str(path), status.st_mode, status.st_uid, status.st_gid, text))
    return found


@root_only
@pytest.mark.parametrize(
    "make",
    [
        _mode(0o644),
        _mode(0o600),
        _folder_mode(0o1777),
        _folder_above_mode(0o1777, 0),
        _folder_above_mode(0o775, 104),
        lambda path, folder: (path.with_name("real").write_text("x = 1\n"), path.symlink_to("real")),
        lambda path, folder: (path.write_text("x = 1\n"), os.link(path, folder / "second")),
    ],
    ids=["0644", "0600", "sticky", "sticky above", "/var/log of Ubuntu", "own link", "second name"],
)
def test_what_only_root_can_have_written_is_read(
    place: tuple[Path, Path], make: Callable[[Path, Path], object]
) -> None:
    path, folder = place
    make(path, folder)
    assert read_trusted(str(path)) == b"x = 1\n"


@root_only
def test_the_caller_of_sudo_is_trusted_with_his_home_and_nobody_else(
    place: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, folder = place
    path.write_text("x = 1\n")
    for part in (folder, path.parent, path):
        os.chown(part, EVE, EVE)
    with pytest.raises(UntrustedFile):
        read_trusted(str(path))
    monkeypatch.setenv("SUDO_UID", str(EVE))
    assert read_trusted(str(path)) == b"x = 1\n"
    replace_text(str(path), "new\n")
    replace_text(str(path.with_name("other")), "new\n")
    assert (path.stat().st_uid, path.with_name("other").stat().st_uid) == (EVE, EVE)
    monkeypatch.setenv("SUDO_UID", "1000")
    with pytest.raises(UntrustedFile):
        read_trusted(str(path))


@pytest.mark.parametrize("text", ["", "-1", "root", "٣", "1e3"])
def test_a_caller_that_is_no_number_is_none(text: str) -> None:
    assert trusted_users({"SUDO_UID": text}) == {0, os.geteuid()}


@root_only
def test_a_private_group_may_write_and_a_shared_one_may_not(place: tuple[Path, Path]) -> None:
    path, _ = place
    path.write_text("x = 1\n")
    path.chmod(0o664)
    assert read_trusted(str(path)) == b"x = 1\n"
    done = subprocess.run(["setfacl", "-m", "u:65534:rw", str(path)], check=False) if _has("setfacl") else None
    if done is not None and done.returncode == 0:
        with pytest.raises(UntrustedFile, match="others can write"):
            read_trusted(str(path))


def _has(program: str) -> bool:
    return any(Path(folder, program).exists() for folder in os.environ["PATH"].split(":"))


@root_only
def test_a_file_with_a_second_name_is_not_appended_to(place: tuple[Path, Path]) -> None:
    path, folder = place
    (folder / "victim").write_text("root's\n")
    os.link(folder / "victim", path)
    with pytest.raises(UntrustedFile, match="hard links"):
        append_bytes(str(path), b"x\n")
    assert (folder / "victim").read_text() == "root's\n"


@root_only
def test_a_foreign_file_is_read_but_leads_nowhere(place: tuple[Path, Path]) -> None:
    path, folder = place
    path.write_text("{}")
    for part in (folder, path.parent, path):
        os.chown(part, EVE, EVE)
    assert read_foreign(str(path)) == b"{}"
    path.unlink()
    path.symlink_to("/etc/passwd")
    os.lchown(path, EVE, EVE)
    with pytest.raises(UntrustedFile, match="link"):
        read_foreign(str(path))


def test_a_chain_of_links_ends(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(OSError, match="levels"):
        read_trusted(str(tmp_path / "a"))


def test_links_that_climb_are_followed_as_the_kernel_does(tmp_path: Path) -> None:
    (tmp_path / "one/two").mkdir(parents=True)
    (tmp_path / "file").write_text("x")
    (tmp_path / "one/two/link").symlink_to("../.././file")
    (tmp_path / "one/absolute").symlink_to(tmp_path / "one/two")
    assert read_trusted(str(tmp_path / "one/absolute/link")) == b"x"


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o640])
def test_what_is_replaced_never_was_open_to_more_than_it_is_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    path.chmod(mode)
    seen, fsync = [], os.fsync

    def look(descriptor: int) -> None:
        status = os.fstat(descriptor)
        if stat.S_ISREG(status.st_mode):
            seen.append(stat.S_IMODE(status.st_mode))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", look)
    replace_text(str(path), "new")
    assert seen == [stat.S_IMODE(path.stat().st_mode)] == [mode]


def test_what_waits_at_a_guessed_name_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    os.mkfifo(tmp_path / "file.oomtop-new")
    (tmp_path / ".file.oomtop-new").symlink_to("/dev/full")
    replace_text(str(path), "new")
    assert path.read_text() == "new"
    assert sorted(os.listdir(tmp_path)) == [".file.oomtop-new", "file", "file.oomtop-new"]


def test_a_cut_off_text_is_found_and_removed(tmp_path: Path) -> None:
    path = tmp_path / "file"
    code = f"""
import os
from oomtop.actions.base.atomic_file import replace_text
os.fsync = lambda descriptor: os._exit(9)
replace_text({str(path)!r}, "new")
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 9
    assert has_fresh(str(path))
    remove_text(str(path))
    assert os.listdir(tmp_path) == []


def test_a_configuration_that_is_ignored_says_so_and_the_rest_counts(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.toml", tmp_path / "bad.toml"
    good.write_text("interval = 1.0\n")
    bad.write_text("interval = 9.0\n")
    bad.chmod(0o666)
    config, mistakes = load_config((str(good), str(bad)))
    assert config.interval == 1.0
    assert isinstance(mistakes[0], ConfigError)
    assert str(mistakes[0]) == f"{bad}: ignored: others can write {bad} (mode 666); chmod go-w {bad}"

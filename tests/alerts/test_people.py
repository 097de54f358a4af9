"""Alerts to terminals and desktops: what each program is given, whatever a process calls itself, and in what time."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from oomtop.alerts import hook as hook_module
from oomtop.alerts import people
from oomtop.alerts.notice import Letter, Notice, write_letter
from oomtop.alerts.people import Desktop, Wall
from oomtop.alerts.watch import AlertWatch
from oomtop.analysis.assessment import assess
from oomtop.analysis.model.assessment import FiringAlert, Severity
from oomtop.config.load import Config, apply_table
from oomtop.config.ready_alerts import READY
from oomtop.config.toml_text import loads
from oomtop.history import History
from oomtop.host.own_priority import started_with
from oomtop.selfguard import SelfGuard
from tests.present import present
from tests.synthetic import SyntheticMachine

NAME = "evil\x1b]2;owned\x07 <b>bold</b> \\033[2J `reboot` $(reboot) ‮ -x"
UNGUARDED = SelfGuard((), *started_with())


@pytest.fixture
def letter() -> Letter:
    """The letter about a process that is called what no terminal should be shown."""
    tick = next(iter(SyntheticMachine(20, 5).ticks(1)))
    history = History()
    history.add(tick)
    (rule,) = apply_table(Config(), loads('[[alert]]\nname = "big"\nwhen = "process.rss > 1G"'), "")[0].alerts
    alert = FiringAlert("big", Severity.CRITICAL, NAME, f"{NAME} has 2G", tick.snapshot.time)
    return write_letter(Notice(rule, alert, "1", True, alert.since), assess(tick, history, None))


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder first on the PATH; what a program of it is given is in `NAME.given`, one line an argument."""
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(hook_module, "GRACE_SECONDS", 0.2)
    for name in ("wall", "notify-send", "setpriv"):
        put(tmp_path / name, f'printf "%s\\n" "$@" "$(cat)" "$DBUS_SESSION_BUS_ADDRESS" > {tmp_path}/{name}.given')
    return tmp_path


def put(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_a_wall_gets_nothing_but_printable_text_on_its_input(programs: Path, letter: Letter) -> None:
    assert Wall(UNGUARDED, threading.Event())(letter) is None
    said = (programs / "wall.given").read_text().strip()
    assert said == ("oomtop: big: evil?]2;owned? <b>bold</b> \\033[2J `reboot` $(reboot) ? -x has 2G")


def test_a_terminal_that_takes_nothing_holds_up_a_wall_only_so_long(
    programs: Path, letter: Letter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(people, "SECONDS", 0.2)
    put(programs / "wall", "exec sleep 1000")
    assert Wall(UNGUARDED, threading.Event())(letter) == "wall did not finish within 0.2 s and was killed"


def test_a_desktop_gets_no_markup_and_no_escape(programs: Path, letter: Letter) -> None:
    desktop = Desktop(UNGUARDED, threading.Event(), str(programs / "none"), {"DBUS_SESSION_BUS_ADDRESS": "unix:x"})
    assert desktop(letter) is None
    *options, title, body = (programs / "notify-send.given").read_text().splitlines()[:5]
    assert options == ["--app-name=oomtop", "--urgency=critical", "--"]
    assert title == "Memory"
    assert body == "big: evil?]2;owned? &lt;b&gt;bold&lt;/b&gt; \\\\033[2J `reboot` $(reboot) ? -x has 2G"


@pytest.fixture
def users(tmp_path: Path) -> Iterator[Path]:
    """Folders as in /run/user: two with a bus, one without, one with a file in its place."""
    folder, sockets = tmp_path / "user", []
    for uid, what in ((1000, "bus"), (1001, "bus"), (1002, ""), (1003, "file")):
        own = folder / str(uid)
        own.mkdir(parents=True)
        if what == "bus":
            sockets.append(socket.socket(socket.AF_UNIX))
            sockets[-1].bind(str(own / "bus"))
        elif what == "file":
            (own / "bus").touch()
        if os.geteuid() == 0:
            os.chown(own, uid, uid)
    yield folder
    for one in sockets:
        one.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_roots_go_to_every_desktop_as_its_user_without_roots_environment(
    programs: Path, letter: Letter, users: Path
) -> None:
    put(programs / "setpriv", f'printf "%s\\n" "$@" >> {programs}/setpriv.given')
    assert Desktop(UNGUARDED, threading.Event(), str(users), {})(letter) is None
    given = (programs / "setpriv.given").read_text()
    for uid in (1000, 1001):
        bus = f"env\nDBUS_SESSION_BUS_ADDRESS=unix:path={users}/{uid}/bus\nnotify-send"
        assert f"--reuid={uid}\n--regid={uid}\n--clear-groups\n--reset-env\n{bus}\n" in given
    assert given.count("notify-send") == 2


def test_without_a_desktop_it_says_so(programs: Path, letter: Letter) -> None:
    problem = Desktop(UNGUARDED, threading.Event(), str(programs / "none"), {})(letter)
    whose = "nobody has a" if os.geteuid() == 0 else "this user can reach no"
    assert problem == f"no desktop: {whose} session bus"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_what_is_missing_is_named_not_what_looked_for_it(programs: Path, letter: Letter, users: Path) -> None:
    put(programs / "setpriv", "exit 127")
    assert "notify-send is not installed" in present(Desktop(UNGUARDED, threading.Event(), str(users), {})(letter))
    put(programs / "notify-send", "exit 127")
    own = {"DBUS_SESSION_BUS_ADDRESS": "unix:x"}
    said = Desktop(UNGUARDED, threading.Event(), str(programs / "none"), own)(letter)
    assert said == "notify-send is not installed (libnotify-bin)"


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_a_unit_without_the_capabilities_for_it_names_its_drop_in(
    programs: Path, letter: Letter, users: Path, tmp_path: Path
) -> None:
    status = tmp_path / "status"
    for held in ("0000000000000000", "0000000000000080", "ffffffffffffff3f"):
        status.write_text(f"Name:\toomtop\nCapEff:\t{held}\n")
        said = present(Desktop(UNGUARDED, threading.Event(), str(users), {}, str(status))(letter))
        assert "docs/configuration.md has a drop-in" in said
    assert not (programs / "setpriv.given").exists()


def test_a_wall_that_would_reach_nobody_says_so(
    programs: Path, letter: Letter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    status = tmp_path / "status"
    for user, bit, reaches in ((0, 1, True), (1000, 0, True), (1000, 1, False)):
        monkeypatch.setattr(os, "geteuid", lambda user=user: user)
        status.write_text(f"Name:\toomtop\nNoNewPrivs:\t{bit}\nSeccomp:\t2\n")
        said = Wall(UNGUARDED, threading.Event(), str(status))(letter)
        assert (said is None) == reaches, said


def test_one_line_of_the_configuration_is_enough() -> None:
    config, errors = apply_table(Config(), loads('warn = ["wall", "desktop", "title", "bell"]'), "")
    assert errors == ()
    assert [rule.name for rule in config.all_alerts] == [table["name"] for table in READY]
    for rule in config.all_alerts:
        assert (rule.wall, rule.desktop, rule.title, rule.bell, rule.severity) == (True, True, True, True, "critical")
    watch = AlertWatch(config.all_alerts, print)
    assert len(watch.outboxes) == 2 * len(READY)
    watch.close()


def test_an_alert_of_the_same_name_takes_the_place_of_a_ready_one() -> None:
    text = f'warn = ["bell"]\n[[alert]]\nname = "{READY[0]["name"]}"\nwhen = "available < 5%"'
    rules = apply_table(Config(), loads(text), "")[0].all_alerts
    assert [rule.bell for rule in rules] == [False, True, True]
    assert rules[0].words == "available < 5%"


@pytest.mark.parametrize("value", ['"wall"', '["walls"]', '[["wall"]]', "[1]"])
def test_a_way_that_is_none_is_named(value: str) -> None:
    config, (error,) = apply_table(Config(), loads(f"warn = {value}"), "/etc/x")
    assert "/etc/x: warn: expected a list of bell, title, wall, desktop" in str(error)
    assert config.all_alerts == ()


def test_the_title_is_of_the_first_alert_that_is_for_it() -> None:
    text = '[[alert]]\nname = "a"\nwhen = "oom_kill"\n[[alert]]\nname = "b"\nwhen = "oom_kill"\ntitle = true'
    watch = AlertWatch(apply_table(Config(), loads(text), "")[0].all_alerts, print)
    first, second = (FiringAlert(name, Severity.WARNING, "", "x", 0.0) for name in "ab")
    assert watch.title([first, second]) == "b: x"
    assert watch.title([first]) == ""
    watch.close()
    assert present(watch.rules[1]).title

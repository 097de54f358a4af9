"""Hooks and webhooks that hang, flood, refuse and lie: the thread that ticks never waits, and nothing stays behind."""

from __future__ import annotations

import json
import os
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from oomtop.alerts import hook as hook_module
from oomtop.alerts import watch as watch_module
from oomtop.alerts import webhook as webhook_module
from oomtop.alerts.hook import Hook
from oomtop.alerts.notice import Letter
from oomtop.alerts.outbox import MOST_WAITING, Outbox
from oomtop.alerts.watch import AlertWatch
from oomtop.alerts.webhook import Webhook
from oomtop.analysis.assessment import assess
from oomtop.config.load import Config, apply_table
from oomtop.config.toml_text import loads
from oomtop.history import History
from oomtop.host.root import read_int
from oomtop.selfguard import SelfGuard
from tests.present import present
from tests.synthetic import SyntheticMachine

LETTER = Letter(b'{"a": 1}', {"OOMTOP_TEXT": "x; $(reboot)"})
DEADLINE = 20


def run_hook(*words: str, timeout: float = 10.0) -> str | None:
    unguarded = SelfGuard((), read_int("/proc/self/oom_score_adj") or 0, os.getpriority(os.PRIO_PROCESS, 0))
    return Hook(words, timeout, unguarded, threading.Event())(LETTER)


def children() -> set[object]:
    with open(f"/proc/self/task/{threading.get_native_id()}/children") as file:
        return set(file.read().split())


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(hook_module, "GRACE_SECONDS", 0.2)
    monkeypatch.setattr(webhook_module, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(watch_module, "_CLOSE_SECONDS", 0.1)
    before = children()
    yield
    assert children() <= before


def test_facts_come_in_the_environment_and_on_stdin(tmp_path: Path) -> None:
    out = tmp_path / "out"
    script = tmp_path / "hook"
    script.write_text('#!/bin/sh\n{ cat; printf "|%s|%s" "$OOMTOP_TEXT" "$1"; } > "$0.out"\n')
    script.chmod(0o755)
    assert run_hook(str(script), "$HOME") is None
    assert (tmp_path / "hook.out").read_text() == '{"a": 1}|x; $(reboot)|$HOME'
    assert not out.exists()


def test_a_hook_that_is_not_there_or_fails_says_so() -> None:
    assert run_hook("/no/such/hook") == "hook cannot be started: No such file or directory"
    assert run_hook("false") == "false exited with code 1"
    assert run_hook("/bin/sh", "-c", "kill -9 $$") == "sh was killed by signal 9"


@pytest.mark.parametrize(
    "script",
    ["sleep 1000", "trap '' TERM; while :; do sleep 1; done", "yes & trap '' TERM; yes"],
    ids=["never ends", "ignores SIGTERM", "floods stdout, with a child"],
)
def test_a_hook_that_never_ends_is_ended_with_its_children(script: str) -> None:
    assert "did not finish within 0.2 s" in present(run_hook("/bin/sh", "-c", script, timeout=0.2))


def test_a_hook_may_be_ended_though_its_parent_blocks_signals() -> None:
    import signal

    old = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    try:
        assert run_hook("/bin/sh", "-c", "kill -TERM $$; exit 3") == "sh was killed by signal 15"
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, old)


class Site:
    """A server that does to each connection what it is told to."""

    def __init__(self, act: Callable[[Site, socket.socket], object]) -> None:
        self.bodies: list[object] = []
        self.connected = 0
        self._act = act
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.port = self._socket.getsockname()[1]
        self._serving = threading.Thread(target=self._serve, daemon=True)
        self._serving.start()

    def _serve(self) -> None:
        while True:
            try:
                one, _ = self._socket.accept()
            except OSError:
                return
            self.connected += 1
            self._open.append(one)
            threading.Thread(target=self._attend, args=(one,), daemon=True).start()

    def _attend(self, one: socket.socket) -> None:
        # Whoever asked may have gone by now.
        with suppress(OSError):
            self._act(self, one)

    def take(self, one: socket.socket) -> None:
        data = b""
        while b"\r\n\r\n" not in data:
            data += one.recv(65536)
        head, _, body = data.partition(b"\r\n\r\n")
        length = int(
            next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")).split()[1]
        )
        while len(body) < length:
            body += one.recv(65536)
        self.bodies.append(json.loads(body))

    def close(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        # What it has just accepted is closed too.
        self._serving.join()
        for one in self._open:
            one.close()


def answer(status: int) -> Callable[[Site, socket.socket], None]:
    def act(site: Site, one: socket.socket) -> None:
        site.take(one)
        one.sendall(f"HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n".encode())

    return act


def trickle(site: Site, one: socket.socket) -> None:
    site.take(one)
    try:
        while True:
            one.sendall(b"H")
            time.sleep(0.05)
    except OSError:
        pass


ACTS = {
    "hangs": lambda site, one: None,
    "closes early": lambda site, one: one.close(),
    "answers 500": answer(500),
    "answers a byte now and then": trickle,
    "answers no HTTP": lambda site, one: (one.recv(1), one.sendall(b"SSH-2.0\r\n\r\n"), one.close()),
}
SAID = {
    "hangs": "no response|closed|timed out",
    "closes early": "closed|reset|Broken pipe",
    "answers 500": "returned status 500",
    "answers a byte now and then": "no response|closed|invalid response|BadStatus|reset|Broken",
    "answers no HTTP": "invalid response|reset|Broken",
}


def post(site: Site, timeout: float = 0.1, **more: Any) -> str | None:
    return Webhook(f"http://127.0.0.1:{site.port}/a?b", more, timeout, threading.Event())(LETTER)


def test_a_webhook_is_posted_once() -> None:
    with closing(Site(answer(204))) as site:
        assert post(site, 5.0) is None
        assert site.bodies == [{"a": 1}]


@pytest.mark.parametrize("act", ACTS)
def test_a_bad_webhook_is_tried_again_and_then_given_up(act: str) -> None:
    with closing(Site(ACTS[act])) as site:
        # Only where no answer is to come is the time short.
        said = present(post(site, 0.1 if "no response" in SAID[act] else 5.0))
        assert any(word in said for word in SAID[act].split("|")), said
        assert site.connected == webhook_module.ATTEMPTS


def test_a_refusal_is_tried_again_and_a_mistake_is_not() -> None:
    with closing(Site(answer(404))) as site:
        assert post(site, 5.0) == "webhook 127.0.0.1: returned status 404"
        assert site.connected == 1
        port = site.port
    found = present(Webhook(f"http://127.0.0.1:{port}/", {}, 1.0, threading.Event())(LETTER))
    assert "refused" in found


def test_one_that_recovers_is_told() -> None:
    tries = []

    def act(site: Site, one: socket.socket) -> None:
        tries.append(1)
        answer(200 if len(tries) == 3 else 503)(site, one)

    with closing(Site(act)) as site:
        assert post(site, 5.0) is None
        assert len(tries) == 3


def test_too_many_are_dropped_and_the_sender_never_waits() -> None:
    entered, leave, said = threading.Event(), threading.Event(), list[str]()

    def deliver(letter: Letter) -> str:
        entered.set()
        leave.wait(DEADLINE)
        return "lost"

    box = Outbox("a", deliver, said.append)
    box.put(LETTER)
    assert entered.wait(DEADLINE)
    for _ in range(MOST_WAITING + 10):
        box.put(LETTER)
    assert box.dropped == 10
    leave.set()
    box.join(0)
    while box.failed < MOST_WAITING + 1:
        time.sleep(0.01)
    box.end()
    box.join(DEADLINE)
    assert said == ["alert a could not be delivered: lost; 10 dropped so far"]


def test_a_full_queue_ends_as_well_as_an_empty_one() -> None:
    entered, leave = threading.Event(), threading.Event()

    def deliver(letter: Letter) -> None:
        entered.set()
        leave.wait(DEADLINE)

    box = Outbox("a", deliver, print)
    box.put(LETTER)
    assert entered.wait(DEADLINE)
    for _ in range(MOST_WAITING + 10):
        box.put(LETTER)
    box.end()
    leave.set()
    box.join(DEADLINE)
    assert not box._thread.is_alive()


@pytest.mark.parametrize("act", [*ACTS, "refuses", "a hook that never ends", "a hook that floods"])
def test_no_tick_is_lost(act: str) -> None:
    """A hundred incidents while nothing can be told: all ticks are judged with one letter under way at the most."""
    site = Site(ACTS.get(act, ACTS["hangs"]))
    where = f'webhook = "http://127.0.0.1:{site.port}/"'
    if act == "refuses":
        site.close()
    if "hook that" in act:
        where = "shell = true\ncommand = \"trap '' TERM; {} \"".format("yes" if "floods" in act else "sleep 1000")
    text = f'[[alert]]\nname = "a"\nwhen = "available < 10%"\ntimeout = "0.1s"\n{where}'
    config, errors = apply_table(Config(), loads(text), "test")
    assert not errors
    before = set(threading.enumerate())
    said: queue.Queue[str] = queue.Queue()
    watch = AlertWatch(config.alerts, said.put)
    (box,) = watch.outboxes
    history, found = History(), None
    ticks = list(SyntheticMachine(20, 5).ticks(3))
    for tick in ticks:
        history.add(tick)
        found = assess(tick, history, found)
    last, firing = present(found), 0
    for number in range(200):
        low = replace(last.memory, available=0 if number % 2 == 0 else last.memory.total)
        judged, _ = watch.judge(replace(last, memory=low, monotonic=last.monotonic + number))
        firing += bool(judged.alerts)
    assert firing == 100
    assert box.failed + box.dropped + MOST_WAITING + 1 >= 200
    assert "could not be delivered" in said.get(timeout=DEADLINE)
    watch.close()
    site.close()
    started = [thread for thread in threading.enumerate() if thread not in before]
    assert sum(thread.name == "oomtop-alert" for thread in started) <= 1


def test_nothing_remains_of_a_hook_when_the_watch_ends() -> None:
    text = '[[alert]]\nname = "a"\nwhen = "processes > 0"\ntimeout = "500s"\ncommand = ["sleep", "1000"]'
    config, _ = apply_table(Config(), loads(text), "test")
    watch = AlertWatch(config.alerts, print)
    history = History()
    tick = next(iter(SyntheticMachine(20, 5).ticks(1)))
    history.add(tick)
    watch.judge(assess(tick, history, None))
    end = time.monotonic() + DEADLINE
    while not _sleepers() and time.monotonic() < end:
        time.sleep(0.01)
    assert _sleepers()
    watch.close()
    assert not _sleepers()


def _sleepers() -> list[str]:
    found = []
    for entry in os.listdir("/proc"):
        try:
            with open(f"/proc/{entry}/stat") as file:
                stat = file.read().rpartition(")")[2].split()
            with open(f"/proc/{entry}/cmdline", "rb") as file:
                line = file.read()
        except OSError:
            continue
        if int(stat[1]) == os.getpid() and line.startswith(b"sleep\x001000"):
            found.append(entry)
    return found

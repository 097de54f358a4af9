"""Keys in bursts, pastes, clicks, ticks and new sizes, over the monitor, a replay and the table of machines.

Nothing is really done: what performs an action, opens a tool or ends the program is replaced.
"""

import asyncio
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from functools import lru_cache
from random import Random
from typing import Any
from unittest.mock import patch

from textual import events

from oomtop.actions.base.plan import Outcome, Prepared, Status
from oomtop.oomlog import log_files
from oomtop.oomlog.evidence import Evidence
from oomtop.recording.reader import Recording
from oomtop.recording.store import Store
from oomtop.snapshot import Tick
from oomtop.sources.live import LiveSource
from oomtop.sources.replay import ReplaySource
from oomtop.sources.sampler import Sampler
from oomtop.tui.actions import controller
from oomtop.tui.base.messages import NewAssessment
from oomtop.tui.fleet.app import FleetApp
from oomtop.tui.process import controller as inspections
from oomtop.tui.shell.app import OomtopApp, Options
from tests.fuzz.harness import CPU_SECONDS, Cost, Door
from tests.present import present
from tests.synthetic import SyntheticMachine, make_event
from tests.tui.factories import make_assessment

# What happens at once: a kind and its value.
Burst = list[tuple[str, Any]]
# App, size, bursts.
Case = tuple[str, tuple[int, int], list[Burst]]
KEYS = (
    *"abcdefghijklmnopqrstuvwxyz", *"ABCDEFGHIJKLMNOPQRSTUVWXYZ", *"0123456789",
    *("question_mark", "slash", "backslash", "colon", "less_than_sign", "greater_than_sign", "plus", "minus", "comma"),
    *("equals_sign", "at", "left_square_bracket", "right_square_bracket", "left_curly_bracket", "right_curly_bracket"),
    *("left_parenthesis", "right_parenthesis", "full_stop", "asterisk", "number_sign", "exclamation_mark"),
    *("up", "down", "left", "right", "home", "end", "pageup", "pagedown", "space", "backspace", "delete", "insert"),
    *(f"f{n}" for n in range(1, 13)), "ctrl+a", "ctrl+c", "ctrl+d", "ctrl+e", "ctrl+k", "ctrl+l", "ctrl+p", "ctrl+u",
    *("ctrl+w", "ctrl+x", "ctrl+v", "ctrl+z", "shift+tab", "alt+x", "shift+up", "ctrl+right", "\udce4", "ü"),
)  # fmt: skip
OFTEN = ("enter", "enter", "escape", "tab", "down", "k", "e", "A", "question_mark", "slash", "colon", "L", "S", "B")
TEXTS = ("k\r\r", "", "\n", "x" * 5000, "a\x1b[201~\n", "rss>1g and", "!(", "日本語\u202e", "\t")
SIZES = ((80, 24), (80, 24), (40, 12), (120, 40), (200, 60), (20, 5))
BURSTS = 120


def make(rng: Random) -> Case:
    """Return (app, size, bursts); a burst is a list of things that happen with no pause between them."""
    app = rng.choice(("monitor", "monitor", "monitor", "replay", "fleet"))
    return app, rng.choice(SIZES[:4]), [_burst(rng) for _ in range(BURSTS)]


def _burst(rng: Random) -> Burst:
    if rng.random() < 0.2:
        return [("key", rng.choice(KEYS + OFTEN))] * rng.randint(2, 12)
    return [_happening(rng) for _ in range(rng.choice((1, 1, 2, 3, 5, 8)))]


def _happening(rng: Random) -> tuple[str, Any]:
    at = rng.random()
    if at < 0.05:
        return "tick", rng.randrange(3)
    if at < 0.08:
        return "paste", rng.choice(TEXTS)
    if at < 0.11:
        return "size", rng.choice(SIZES)
    if at < 0.16:
        return "mouse", (rng.choice((0, 1, 3, 10, 79, 5000)), rng.choice((0, 1, 2, 7, 23, 5000)), rng.random() < 0.3)
    return "key", rng.choice(OFTEN if at < 0.6 else KEYS)


def attempt(case: Case) -> Cost:
    """Let a session go its way; an error of the app, of its threads, or a burst that takes too long is a finding."""
    kind, size, bursts = case
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        variables = {f"XDG_{name}_HOME": folder for name in ("CONFIG", "STATE", "DATA")}
        variables["OOMTOP_AUDIT_LOG"] = f"{folder}/audit.jsonl"
        stack.enter_context(patch.dict(os.environ, variables))
        stack.enter_context(patch.object(os, "getcwd", lambda: folder))
        stack.enter_context(patch.object(controller, "carry_out", _nothing_done))
        stack.enter_context(patch.object(inspections, "run_in_place", lambda *_: True))
        stack.enter_context(patch.object(log_files, "read_journal", lambda since=None: Evidence()))
        stack.enter_context(
            patch.object(log_files, "read_machine_logs", lambda folder="/var/log", since=None: Evidence())
        )
        return asyncio.run(_session(_app(kind), size, bursts))


def _nothing_done(prepared: Prepared, *_: object) -> Outcome:
    prepared.close()
    return Outcome("nothing", Status.DONE, "nothing was done")


async def _session(app: OomtopApp | FleetApp, size: tuple[int, int], bursts: list[Burst]) -> Cost:
    for name in ("exit", "action_suspend_process"):
        setattr(app, name, lambda *_, **__: None)
    worst = Cost()
    async with app.run_test(size=size, notifications=True, tooltips=True) as pilot:
        for number, burst in enumerate(bursts):
            begun = time.process_time()
            for what, value in burst:
                _happen(app, what, value)
            # Most bursts come before the last one is drawn: people type faster than that.
            await (pilot.pause() if number % 4 == 0 else pilot._wait_for_screen())
            spent = time.process_time() - begun
            worst.add(Cost(spent))
            assert spent < CPU_SECONDS, f"a burst took {spent:.1f} s of CPU: {burst}"
            if app._exception is not None:
                break
        await pilot.pause()
    remarks = [text for _, text in app.state.remarks] if isinstance(app, OomtopApp) else []
    assert not [text for text in remarks if "oomtop failed" in text], remarks
    return worst


def _happen(app: OomtopApp | FleetApp, what: str, value: Any) -> None:
    if what == "tick" and isinstance(app, OomtopApp) and not app.options.replay:
        app._take(app._source, _ticks()[value])
    elif what == "key":
        _send(app, events.Key(value, _character(value)))
    elif what == "paste":
        _send(app, events.Paste(value))
    elif what == "size":
        _send(app, events.Resize.from_dimensions(value, None))
    elif what == "mouse":
        x, y, scrolls = value
        for kind in (events.MouseScrollDown,) if scrolls else (events.MouseMove, events.MouseDown, events.MouseUp):
            _send(app, kind(None, x, y, 0, 0, 1, False, False, False, screen_x=x, screen_y=y))


def _send(app: OomtopApp | FleetApp, event: events.Event) -> None:
    present(app._driver).process_message(event)


def _character(key: str) -> str | None:
    return key if len(key) == 1 else {"enter": "\r", "tab": "\t", "space": " ", "escape": "\x1b"}.get(key)


class _Quiet(LiveSource):
    """A source without ticks of its own."""

    def __init__(self) -> None:
        super().__init__()
        self._ended = threading.Event()

    def ticks(self) -> Iterator[Tick]:
        self._ended.wait()
        return iter(())

    def refresh(self) -> None:
        pass

    def close(self) -> None:
        self._ended.set()


def _app(kind: str) -> OomtopApp | FleetApp:
    if kind == "fleet":
        return FleetApp(lambda now: (), "http://127.0.0.1:9", 3600.0, None, False)
    if kind == "replay":
        recording = Recording(_recording())
        return OomtopApp(ReplaySource(recording, recording.moments[40].time), Options(replay=True))
    app = OomtopApp(_Quiet(), Options(recording=_recording()))
    app._waiting = None
    app.facts, app.latest = _ticks()[0].snapshot, _ticks()[0].assessment
    return app


@lru_cache
def _ticks() -> tuple[NewAssessment, ...]:
    """Three ticks: a machine with processes of its own, an empty one, and one with a kill that was recorded."""
    from tests.tui.test_every_key import EVENTS, machine

    sampler = Sampler()
    snapshot = sampler.sample()
    sampler.close()
    full = machine(snapshot)
    when = Recording(_recording()).moments[100].time
    events_ = (make_event(when), *EVENTS[:8])
    return (
        full,
        NewAssessment(make_assessment([], cgroups=(), events=()), snapshot),
        NewAssessment(make_assessment(full.assessment.rows[5:], cgroups=(), events=events_), snapshot),
    )


@lru_cache
def _recording() -> str:
    path = os.path.join(tempfile.mkdtemp(prefix="oomtop-fuzz-"), "r.db")
    ticks = list(SyntheticMachine(25, 6, busy=0.4).ticks(120))
    ticks[100] = Tick(ticks[100].snapshot, (make_event(ticks[100].snapshot.time - 1),))
    store = Store(path)
    for tick in ticks:
        store.write(tick)
    store.close()
    return path


DOOR = Door("keys", make, attempt, few=1, many=170, cpu_seconds=100.0)

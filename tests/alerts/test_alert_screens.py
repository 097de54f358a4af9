"""Alerts on the screen: the header names them, the event pane tells them, `A` lists them, the bell rings."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from oomtop.alerts.notice import Notice
from oomtop.alerts.watch import AlertWatch
from oomtop.config.load import Config, apply_table
from oomtop.config.toml_text import loads
from oomtop.snapshot import Tick
from oomtop.sources.live import LiveSource
from oomtop.tui.alerts.screen import AlertsScreen
from oomtop.tui.shell.app import OomtopApp, Options
from oomtop.tui.widgets.line_view import LineView
from tests.synthetic import SyntheticMachine

TEXT = """
[[alert]]
name = "many"
when = "processes > 3"
severity = "critical"
bell = true
[[alert]]
name = "low"
when = "available < 1%"
for = "30s"
"""


class Made(LiveSource):
    """A source of made-up ticks."""

    def __init__(self) -> None:
        super().__init__()
        self._ended = threading.Event()

    def ticks(self) -> Iterator[Tick]:
        yield from SyntheticMachine(20, 5).ticks(3)
        self._ended.wait()

    def close(self) -> None:
        self._ended.set()


@pytest.mark.parametrize("size", [(80, 24), (160, 50)])
async def test_alerts_are_told_and_listed(monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]) -> None:
    config, errors = apply_table(Config(), loads(TEXT), "test")
    assert not errors
    notes: list[Notice] = []
    watch = AlertWatch(config.alerts, print, notes.append)
    app = OomtopApp(Made(), Options(alerts=watch))
    rung = []
    monkeypatch.setattr(app, "bell", lambda: rung.append(1))
    async with app.run_test(size=size) as pilot:
        while not app.state.remarks:
            await pilot.pause()
        assert "alert firing: many: processes 20 is above 3" in app.state.remarks[-1][1]
        assert rung == [1]
        assert [notice.state for notice in notes] == ["firing"]
        await pilot.press("a")
        await pilot.pause()
        assert isinstance(app.screen, AlertsScreen)
        text = app.screen.query_one(LineView).text
        assert "CRITICAL" in text
        assert "FIRING  critical  many: processes > 3" in text
        assert "quiet   warning   low: available < 1% for 30s" in text
        await pilot.press("escape")
        assert not isinstance(app.screen, AlertsScreen)


async def test_without_alerts_an_example_is_shown() -> None:
    app = OomtopApp(Made(), Options())
    async with app.run_test(size=(80, 24)) as pilot:
        while app.latest is None:
            await pilot.pause()
        await pilot.press("a")
        await pilot.pause()
        assert "[[alert]]" in app.screen.query_one(LineView).text

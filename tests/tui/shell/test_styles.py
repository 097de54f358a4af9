"""How much is styled: nothing is parsed twice, and a key styles no more widgets than it changes."""

from __future__ import annotations

import pytest
from textual.css.stylesheet import Stylesheet

from oomtop.tui.shell.app import OomtopApp, Options
from tests.tui.pilot import Scripted, settled


async def test_no_key_has_the_styles_of_all_widgets_parsed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []
    reparse = Stylesheet.reparse

    def noted(self: Stylesheet) -> None:
        parsed.append(type(app.screen).__name__)
        reparse(self)

    app = OomtopApp(Scripted(), Options(interval=60))
    async with app.run_test(size=(120, 40)) as pilot:
        await settled(pilot, lambda: bool(app.dashboard.table.lines))
        monkeypatch.setattr(Stylesheet, "reparse", noted)
        for key in "tab tab tab tab enter escape w escape a escape question_mark escape k escape colon escape".split():
            await pilot.press(key)
            await pilot.pause()
        assert parsed == []

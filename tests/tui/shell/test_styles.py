"""How much is styled: nothing is parsed twice, and a key styles no more widgets than it changes."""

from __future__ import annotations

import pytest
from textual.css.stylesheet import Stylesheet
from textual.dom import DOMNode

from oomtop.tui.shell.app import OomtopApp, Options
from tests.tui.pilot import Scripted, settled
from tests.tui.states import Still, state

OPENS = ("enter", "w", "a", "question_mark", "k", "colon")


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
        for key in (*("tab",) * 5, *(press for opening in OPENS for press in (opening, "escape"))):
            await pilot.press(key)
            await pilot.pause()
        assert parsed == []


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
@pytest.mark.parametrize(("before", "after"), [("calm", "leak"), ("leak", "calm")])
async def test_a_danger_styles_what_it_changes_and_nothing_else(
    size: tuple[int, int], before: str, after: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    styled: list[DOMNode] = []
    apply = Stylesheet.apply

    def noted(self: Stylesheet, node: DOMNode, **options: object) -> None:
        styled.append(node)
        apply(self, node, **options)  # type: ignore[arg-type]

    app = OomtopApp(Still(), Options())
    app.latest = state(before)
    async with app.run_test(size=size) as pilot:
        app.feed()
        await pilot.pause()
        monkeypatch.setattr(Stylesheet, "apply", noted)
        app.latest = state(after)
        app.feed()
        await pilot.press("v")
        await pilot.pause()
        assert styled
        assert app.dashboard.table not in styled
        shapes = [(node.id, node.styles.display, node.styles.height) for node in app.dashboard.walk_children()]
        app.dashboard.update_node_styles()
        assert shapes == [(node.id, node.styles.display, node.styles.height) for node in app.dashboard.walk_children()]

"""How much is styled: nothing is parsed twice, and a key styles no more widgets than it changes."""

from __future__ import annotations

import pytest
from textual.css.stylesheet import Stylesheet
from textual.dom import DOMNode

from oomtop.tui.shell.app import OomtopApp, Options
from oomtop.tui.widgets.key_bar import KeyBar
from tests.tui.pilot import Scripted, settled
from tests.tui.states import Still, state

OPENS = ("enter", "w", "a", "question_mark", "k", "colon")


@pytest.fixture
def styled(monkeypatch: pytest.MonkeyPatch) -> list[DOMNode]:
    """Return the list of all widgets that are styled from now on, as often as they are."""
    found: list[DOMNode] = []
    apply = Stylesheet.apply

    def noted(self: Stylesheet, node: DOMNode, **options: object) -> None:
        found.append(node)
        apply(self, node, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Stylesheet, "apply", noted)
    return found


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
    size: tuple[int, int], before: str, after: str, styled: list[DOMNode]
) -> None:
    app = OomtopApp(Still(), Options())
    app.latest = state(before)
    async with app.run_test(size=size) as pilot:
        app.feed()
        await pilot.pause()
        styled.clear()
        app.latest = state(after)
        app.feed()
        await pilot.press("v")
        await pilot.pause()
        assert styled
        assert app.dashboard.table not in styled
        shapes = [(node.id, node.styles.display, node.styles.height) for node in app.dashboard.walk_children()]
        app.dashboard.update_node_styles()
        assert shapes == [(node.id, node.styles.display, node.styles.height) for node in app.dashboard.walk_children()]


async def test_a_tab_is_not_styled_again_for_its_size_when_it_is_first_opened(styled: list[DOMNode]) -> None:
    app = OomtopApp(Still(), Options())
    app.latest = state("leak")
    async with app.run_test(size=(120, 40)) as pilot:
        for _ in range(4):
            await pilot.press("tab")
            await pilot.pause()
            # As it is mounted, and with each of the two events by which Textual has a mode resume.
            assert styled.count(app.screen.query_one(KeyBar)) <= 3

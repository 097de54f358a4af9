"""Of a screen's widgets those that changed are rendered, and what is painted is the same."""

from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.screen import Screen
from textual.strip import Strip
from textual.widgets import Static

from oomtop.tui.terminal.textual_private import render_changed_widgets


class Line(Static):
    """A line that counts how often it is rendered."""

    rendered = 0

    def render_lines(self, crop: Region) -> list[Strip]:
        self.rendered += 1
        return super().render_lines(crop)


class Three(Screen[None]):
    def __init__(self) -> None:
        super().__init__()
        render_changed_widgets(self)

    def compose(self) -> ComposeResult:
        for name in ("first", "second", "third"):
            yield Line(name, id=name)


class Lines(App[None]):
    def on_mount(self) -> None:
        self.push_screen(Three())


async def test_what_lies_between_two_that_changed_is_not_rendered() -> None:
    async with (app := Lines()).run_test(size=(20, 5)) as pilot:
        lines = list(app.screen.query(Line))
        await pilot.pause()
        for line in lines:
            line.rendered = 0
        for line in (lines[0], lines[2]):
            line.update(f"new {line.id}")
        await pilot.pause()
        assert [line.rendered for line in lines] == [1, 0, 1]
        assert [strip.text.strip() for strip in app.screen._compositor.render_strips()[:3]] == [
            "new first", "second", "new third",
        ]  # fmt: skip

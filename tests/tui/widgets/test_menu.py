"""Keys that come before a list of choices is drawn."""

from textual.app import App, ComposeResult

from oomtop.tui.widgets.menu import PagedChoices


class _Undrawn(App[None]):
    def compose(self) -> ComposeResult:
        choices = PagedChoices("one", "two")
        choices.display = False
        yield choices


async def test_a_page_key_before_the_first_picture_does_nothing() -> None:
    app = _Undrawn()
    async with app.run_test():
        choices = app.query_one(PagedChoices)
        choices.highlighted = 1
        choices.action_page_up()
        choices.action_page_down()
        assert choices.highlighted == 1

"""What is typed has an end, so that no key has to measure thousands of characters."""

from textual.app import App, ComposeResult

from oomtop.tui.widgets.prompt_line import MOST_TYPED, PromptLine


class Asking(App[None]):
    def compose(self) -> ComposeResult:
        yield PromptLine(lambda: None)


async def test_more_than_a_line_is_not_taken() -> None:
    async with (app := Asking()).run_test() as pilot:
        prompt = app.query_one(PromptLine)
        prompt.ask("/", lambda text: None)
        for _ in range(6):
            prompt.insert_text_at_cursor("ü" * 400)
        await pilot.press("x")
        assert prompt.value == "ü" * 800 + "x"
        assert len(prompt.value) <= MOST_TYPED

"""The smallest Textual app that shows something: what a start costs before anything of one's own."""

from textual.app import App, ComposeResult
from textual.widgets import Static


class Empty(App[None]):
    """One word."""

    def compose(self) -> ComposeResult:
        """Show it."""
        yield Static("READY")


Empty().run()

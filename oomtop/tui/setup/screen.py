"""The setup screen: choices take effect at once; Enter saves them, Escape reverts them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widgets import Static

from oomtop.tui.base.options import Options
from oomtop.tui.base.screens import Dialog
from oomtop.tui.setup.choices import SetupLine, choices_for, move_column
from oomtop.tui.style.palette import Look
from oomtop.tui.style.rich_text import to_rich
from oomtop.tui.style.text import Text
from oomtop.tui.style.theme_file import theme_names
from oomtop.tui.widgets.key_bar import KeyBar
from oomtop.tui.widgets.text_parts import section

_KEYS = (
    ("Enter", "Save"), ("Esc", "Discard"), ("Space", "Change"), ("Left", "Before"), ("Right", "Next"),
    ("<>", "Move column"),
)  # fmt: skip


class ChoiceList(ScrollView, can_focus=True):
    """The lines, with a cursor."""

    DEFAULT_CSS = """
    ChoiceList { height: 1fr; overflow-x: hidden; overflow-y: auto; scrollbar-size-vertical: 1; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "screen.move(-1)", "Up", show=False, id="setup.up"),
        Binding("down", "screen.move(1)", "Down", show=False, id="setup.down"),
        Binding("pageup,home", "screen.move(-99)", "First", show=False, id="setup.first"),
        Binding("pagedown,end", "screen.move(99)", "Last", show=False, id="setup.last"),
        Binding("right,space", "screen.change(1)", "Change", id="setup.next"),
        Binding("left", "screen.change(-1)", "Change back", id="setup.before"),
        Binding("less_than_sign,left_square_bracket", "screen.move_column(-1)", "Column left", id="setup.move_left"),
        Binding(
            "greater_than_sign,right_square_bracket", "screen.move_column(1)", "Column right", id="setup.move_right"
        ),
        Binding("enter", "screen.keep", "Save", id="setup.keep"),
    ]

    def __init__(self, look: Look) -> None:
        super().__init__(id="setup-list")
        self._look = look
        self._choices: Sequence[SetupLine] = ()
        self._lines: list[tuple[Text, int | None]] = []
        self.cursor = 0

    @property
    def current(self) -> SetupLine:
        """The line under the cursor."""
        return self._choices[self.cursor]

    @property
    def text(self) -> str:
        """All lines."""
        return "\n".join(line.plain for line, _ in self._lines)

    def set_choices(self, choices: Sequence[SetupLine], cursor: int) -> None:
        """Show these."""
        self._choices = choices
        self.cursor = max(0, min(cursor, len(choices) - 1))
        self._draw()

    def on_resize(self) -> None:
        """Draw for the new width."""
        self._draw()

    def _draw(self) -> None:
        width = self.scrollable_content_region.width
        self._lines = []
        for at, choice in enumerate(self._choices):
            if choice.heading:
                self._lines.append((section(choice.heading, width, self._look), None))
            line = Text(f" {choice.name:11} {choice.value:18} ").append(choice.note, self._look.style("dim"))
            if at == self.cursor:
                line.stylize("reverse")
            line.truncate(width, pad=True)
            self._lines.append((line, at))
        self.virtual_size = Size(width, len(self._lines))
        self.refresh()

    @property
    def _cursor_at(self) -> int:
        return next((y for y, (_, at) in enumerate(self._lines) if at == self.cursor), 0)

    @property
    def cursor_line(self) -> int | None:
        """The line of the view with the cursor."""
        return self._cursor_at - int(self.scroll_offset.y)

    def keep_in_sight(self) -> None:
        """Scroll as little as needed."""
        line = self._cursor_at
        top, height = int(self.scroll_offset.y), max(1, self.size.height)
        if line <= top:
            self.scroll_to(y=max(0, line - 1), animate=False, force=True)
        elif line >= top + height:
            self.scroll_to(y=line - height + 1, animate=False, force=True)

    def choice_at(self, y: int) -> int | None:
        """Return the number of the choice on a line of the view."""
        at = int(self.scroll_offset.y) + y
        return self._lines[at][1] if 0 <= at < len(self._lines) else None

    def render_line(self, y: int) -> Strip:
        """Return the line that stands at `y` after scrolling."""
        at, width, style = int(self.scroll_offset.y) + y, self.size.width, self.rich_style
        if at >= len(self._lines):
            return Strip.blank(width, style)
        line = self._lines[at][0]
        return (
            Strip(list(to_rich(line).render(self.app.console)), line.cell_len)
            .apply_style(style)
            .adjust_cell_length(width)
        )


class SetupScreen(Dialog["Options | None"]):
    """Returns the options to keep, None to revert all."""

    DEFAULT_CSS = """
    SetupScreen { align: center middle; }
    SetupScreen Vertical { width: 78; max-width: 100%; height: 90%; background: $panel; border: round $primary; }
    SetupScreen Vertical { padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,f10", "dismiss", "Discard", id="setup.leave"),
    ]

    def __init__(
        self, options: Options, look: Look, shown: Sequence[str], apply: Callable[[Options], object], path: str
    ) -> None:
        super().__init__()
        self.options = options
        self._look = look
        self._shown = shown
        self._apply = apply
        self._path = path

    def compose(self) -> ComposeResult:
        """Mount the lines."""
        with Vertical():
            yield Static(f"Setup, saved to {self._path}", markup=False)
            yield ChoiceList(self._look)
            yield KeyBar(_KEYS, self._look, id="setup-keys")

    def on_mount(self) -> None:
        """Keys go to the lines."""
        self.view.focus()
        self._show()

    @property
    def view(self) -> ChoiceList:
        """The lines."""
        return self.query_one(ChoiceList)

    def _show(self, cursor: int = 0) -> None:
        self.view.set_choices(choices_for(self.options, theme_names(), self._shown), cursor)

    def _take(self, options: Options, cursor: int) -> None:
        if options != self.options:
            self.options = options
            self._apply(options)
        self._show(cursor)

    def action_move(self, step: int) -> None:
        """Move the cursor."""
        self._show(self.view.cursor + step)
        self.view.keep_in_sight()

    def action_change(self, step: int) -> None:
        """Take the next value of the line, or the one before."""
        name = self.view.current.column or self.view.current.name
        self._take(self.view.current.change(self.options, step), self.view.cursor)
        self._follow(name)

    def action_move_column(self, step: int) -> None:
        """Move the column under the cursor."""
        id = self.view.current.column
        if id is not None:
            self._take(move_column(self.options, id, step, self._shown), self.view.cursor)
            self._follow(id)

    def _follow(self, name: str) -> None:
        """Keep the cursor on its line, which may have moved."""
        choices = choices_for(self.options, theme_names(), self._shown)
        at = next((at for at, item in enumerate(choices) if (item.column or item.name) == name), self.view.cursor)
        self.view.set_choices(choices, at)
        self.view.keep_in_sight()

    def action_keep(self) -> None:
        """Keep what was chosen."""
        self.dismiss(self.options)

    def on_click(self, event: events.Click) -> None:
        """A click goes to a line, a second one changes it."""
        if event.widget is not self.view:
            return
        at = self.view.choice_at(event.y)
        if at is not None and at == self.view.cursor:
            self.action_change(1)
        elif at is not None:
            self._show(at)

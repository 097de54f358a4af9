"""The Kernel tab: memory settings and kernel state."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message

from oomtop.analysis.kernel_state import KernelState, assess_kernel
from oomtop.analysis.model.assessment import Assessment
from oomtop.analysis.settings.verdicts import SettingRow
from oomtop.tui.base.session import State
from oomtop.tui.dangers.panel import tab_head
from oomtop.tui.kernel import sections
from oomtop.tui.style.palette import Look
from oomtop.tui.style.stylesheet import stylesheet
from oomtop.tui.style.text import Text
from oomtop.tui.widgets.key_bar import KeyBar
from oomtop.tui.widgets.panel import Panel
from oomtop.tui.widgets.tab_screen import TabScreen
from oomtop.tui.widgets.text_block import Page, Sheet

_KEYS = (
    ("?", "Help"), ("Tab", "Next tab"), ("Enter", "Change"), ("W", "Swap"), ("d", "Drop caches"), ("q", "Quit"),
    ("z", "Undo"), ("C", "Copy"), ("Z", "Pause"), (":", "All"),
)  # fmt: skip
_PARTS: tuple[tuple[str, Callable[[Assessment, KernelState, int, Look], list[Text]]], ...] = (
    ("watermarks", sections.draw_watermarks),
    ("fragmentation", sections.draw_fragmentation),
    ("swap", sections.draw_swap_devices),
    ("overcommit", sections.draw_overcommit),
    ("huge", sections.draw_huge_pages),
    ("slabs", sections.draw_slabs),
)


class SettingList(Sheet):
    """The settings; a click puts the cursor on one."""

    class Clicked(Message):
        """The line of a setting was clicked."""

        def __init__(self, index: int) -> None:
            super().__init__()
            self.index = index

    def on_click(self, event: events.Click) -> None:
        """The first line is the title."""
        if event.y > 0:
            self.post_message(self.Clicked(event.y - 1))


class KernelPage(Page):
    """A scrolling page; up and down first move the cursor through the settings."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "screen.move(-1)", "Up", show=False, id="kernel.up"),
        Binding("down", "screen.move(1)", "Down", show=False, id="kernel.down"),
        Binding("enter", "screen.change", "Change the setting", id="kernel.change"),
    ]


class KernelScreen(TabScreen):
    """Settings on the left or on top, the kernel's state on the right or below."""

    DEFAULT_CSS = stylesheet("kernel/screen.tcss")

    def __init__(self, state: State, look: Look) -> None:
        super().__init__(state, look, name="kernel-tab")
        self._kernel: KernelState | None = None
        self._cursor: str | None = None
        self._has_moved = False
        """Whether the cursor was moved; until then it stands on the first line, the gravest verdict."""
        self._is_built = False

    # -- life ---------------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        """Mount every widget once."""
        yield from tab_head(self, "kernel")
        with KernelPage(id="kernel-page"):
            with Vertical(id="kernel-left"):
                yield SettingList(self._settings, id="kernel-settings")
            with Vertical(id="kernel-right"):
                for name, draw in _PARTS:
                    yield Sheet(partial(self._part, draw), id=f"kernel-{name}")
        yield Sheet(self._detail, id="kernel-detail")
        yield KeyBar(_KEYS, self.look, id="kernel-keys")

    def on_mount(self) -> None:
        """Focus the page, and show a tick that came before the widgets."""
        self.query_one(KernelPage).focus()
        self._is_built = True
        self.watch_assessment(self.assessment)

    def watch_assessment(self, assessment: Assessment | None) -> None:
        """Show a tick; the order of the settings changes only when a verdict does."""
        if assessment is None or not self._is_built:
            return
        self._kernel = assess_kernel(assessment)
        if self._rows and (not self._has_moved or self._index() is None):
            self._cursor = self._rows[0].name
        self.query_one("#kernel-header", Panel).show(assessment)
        self.show_strip(assessment)
        self._draw()

    def show_remarks(self) -> None:
        """Draw the header anew."""
        if self.assessment is not None:
            self.query_one("#kernel-header", Panel).show(self.assessment)

    def _draw(self) -> None:
        for sheet in self.query(Sheet):
            sheet.update()

    @property
    def _rows(self) -> tuple[SettingRow, ...]:
        return () if self._kernel is None else self._kernel.settings

    def _index(self) -> int | None:
        return next((at for at, row in enumerate(self._rows) if row.name == self._cursor), None)

    # -- what is drawn --------------------------------------------------------------------------------

    def _settings(self, width: int) -> list[Text]:
        return self._fitted(sections.draw_settings(self._rows, self._cursor, width, self.look), width)

    def _part(self, draw: Callable[[Assessment, KernelState, int, Look], list[Text]], width: int) -> list[Text]:
        if self.assessment is None or self._kernel is None:
            return []
        return self._fitted(draw(self.assessment, self._kernel, width, self.look), width)

    def _fitted(self, lines: list[Text], width: int) -> list[Text]:
        """Return the lines, those that are too long cut with a sign."""
        for line in lines:
            if line.cell_len > width:
                line.truncate(width, overflow="crop" if self.look.ascii else "ellipsis")
        return lines

    def _detail(self, width: int) -> list[Text]:
        at = self._index()
        return self._fitted(sections.draw_setting(None if at is None else self._rows[at], width, self.look), width)

    # -- keys -----------------------------------------------------------------------------------------

    def selected_setting(self) -> str | None:
        """Return the name of the setting under the cursor, None for one that oomtop only shows."""
        at = self._index()
        if at is None or self._rows[at].setting is None:
            return None
        return self._rows[at].name

    def copies(self) -> tuple[tuple[str, str], ...]:
        """Return the setting in sysctl.d format, its verdict, and everything."""
        at = self._index()
        if at is None:
            return ()
        row = self._rows[at]
        line = f"vm.{row.name} = {row.value}" if row.setting is not None else f"{row.file}: {row.value}"
        everything = "\n".join(sheet.text for sheet in self.query(Sheet) if sheet.text.strip())
        return (
            ("setting", line),
            ("verdict", row.verdict.text if row.verdict else row.what),
            ("everything", everything),
        )

    def action_move(self, step: int) -> None:
        """Move the cursor; past the last setting, or before the first, the page scrolls."""
        page, at = self.query_one(KernelPage), self._index()
        following = (at or 0) + step
        if at is None or not 0 <= following < len(self._rows) or not self._in_sight(at):
            page.scroll_relative(y=step, animate=False)
            return
        self._put_cursor(following)

    def _in_sight(self, index: int) -> bool:
        """Whether a setting's line is visible; a cursor scrolled out of view does not jump back."""
        page = self.query_one(KernelPage)
        return page.scroll_offset.y - 1 <= index + 1 <= page.scroll_offset.y + page.size.height

    def _put_cursor(self, index: int) -> None:
        """Select a setting and scroll as little as needed; the title line is above the first one."""
        page, line = self.query_one(KernelPage), index + 1
        self._cursor, self._has_moved = self._rows[index].name, True
        top, height = page.scroll_offset.y, page.size.height
        if line < top + (index == 0):
            page.scroll_to(y=line - (index == 0), animate=False)
        elif line >= top + height:
            page.scroll_to(y=line - height + 1, animate=False)
        self.query_one("#kernel-settings", Sheet).update()
        self.query_one("#kernel-detail", Sheet).update()

    def on_setting_list_clicked(self, message: SettingList.Clicked) -> None:
        """Put the cursor where the mouse is."""
        if message.index < len(self._rows):
            self._put_cursor(message.index)

    def action_change(self) -> None:
        """Do what `y` does."""
        self.app.simulate_key("y")

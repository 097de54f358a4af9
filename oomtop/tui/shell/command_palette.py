"""What the command palette offers: every key that would do something now, and what the tab in sight adds to them.

It is found by its title and by the words that people use for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from difflib import get_close_matches
from functools import partial
from typing import NamedTuple

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.command import CommandList, CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.dom import DOMNode
from textual.screen import Screen
from textual.widgets import Input

from oomtop.analysis.settings.table import SETTINGS
from oomtop.tui.base.screens import ClosedOnce
from oomtop.tui.shell.palette_words import TAB_WORDS, WORDS
from oomtop.tui.style.key_names import key_name
from oomtop.tui.widgets.header import TABS
from oomtop.tui.widgets.menu import PagedChoices
from oomtop.tui.widgets.shell import Shell
from oomtop.tui.widgets.tab_screen import TabScreen


class PaletteCommand(NamedTuple):
    """One line of the palette."""

    title: str
    keys: str
    run: Callable[[], object]
    words: str = ""
    is_action: bool = False
    """Whether it changes something on the machine."""

    @property
    def shown(self) -> str:
        """The line as it is drawn: its keys first."""
        return f"{self.keys:{_KEYS}}  {self.title}"


_LONGEST = 60
"""Characters of a query."""
_KEYS = 9
"""Cells of the keys beside a title."""


class Palette(CommandPalette, ClosedOnce[None]):
    """The palette of the commands available when it was opened; the danger strip stays in sight."""

    DEFAULT_CSS = """
    Palette { background: transparent; }
    Palette > Vertical { margin-top: 4; }
    Palette.-roomy > Vertical { margin-top: 5; }
    Palette #--input { border: none; }
    Palette SearchIcon { display: none; }
    Palette CommandInput, Palette CommandInput:focus { border: none; height: 1; padding: 0 2; }
    Palette CommandList { border: none; max-height: 7; background: $panel; }
    Palette CommandList { text-wrap: nowrap; text-overflow: ellipsis; }
    Palette.-roomy CommandList { max-height: 60vh; }
    Palette CommandList > .option-list--option { text-style: none; }
    """
    VERTICAL_BREAKPOINTS = [(0, "-scant"), (16, "-roomy")]  # noqa: RUF012

    def __init__(self, entries: Sequence[PaletteCommand]) -> None:
        # Without the id of Textual's own: one may be opened while another one is being closed.
        super().__init__(providers=[_Entries], placeholder="Type what you want: kill, leak, swap, undo")
        self.entries = tuple(entries)

    def compose(self) -> ComposeResult:
        """Build Textual's palette around a list that may change before a click is handled."""
        for widget in super().compose():
            if isinstance(widget, Input):
                # Each character is a search of its own.
                widget.max_length = _LONGEST
            yield _Commands() if isinstance(widget, CommandList) else widget


class _Commands(CommandList, PagedChoices):
    """The lines found so far."""

    def on_click(self, event: events.Click) -> None:
        """Keep a click on a line that is gone from Textual, which would look it up by its number, or close."""
        at = event.style.meta.get("option")
        if at is not None and at >= self.option_count:
            event.prevent_default()
            event.stop()


class _Entries(Provider):
    def _all(self) -> Sequence[PaletteCommand]:
        palette = self.app.screen
        return palette.entries if isinstance(palette, Palette) else ()

    async def discover(self) -> Hits:
        for entry in sorted(self._all(), key=lambda entry: (not entry.is_action, entry.title)):
            yield DiscoveryHit(entry.shown, entry.run, text=entry.title)

    async def search(self, query: str) -> Hits:
        # Not with Textual's fuzzy matcher: a long query of repeated letters would hold the screen up for minutes.
        found = [(score, entry) for entry in self._all() if (score := _score(entry, query.lower()))]
        if not found:
            query = nearest_words(self._all(), query)
            found = [(score, entry) for entry in self._all() if query and (score := _score(entry, query))]
        for score, entry in found:
            yield Hit(score, entry.shown, entry.run, text=entry.title)


def _score(entry: PaletteCommand, query: str) -> float:
    """Return how well a query, in lower case, names an entry, from 0 to 1: actions before views of the same rank."""
    title, bonus = entry.title.lower(), 0.05 if entry.is_action else 0.0
    if query in title:
        return 0.8 + bonus if f" {query}" in f" {title}" else 0.2 + bonus
    # Every word of the query begins a word of the title or of what people call it.
    known = _words_of(entry)
    is_called = all(any(word.startswith(part) for word in known) for part in query.split())
    return 0.8 + bonus if is_called and entry.is_action else 0.5 if is_called else 0.0


def _words_of(entry: PaletteCommand) -> list[str]:
    return f"{entry.title} {entry.words}".lower().replace(":", " ").replace(",", " ").split()


def nearest_words(entries: Iterable[PaletteCommand], query: str) -> str:
    """Return a mistyped query with each word replaced by the nearest known one, empty where one has none near."""
    known = sorted({word for entry in entries for word in _words_of(entry)})
    near = [get_close_matches(word, known, n=1) for word in query.lower().split()]
    return " ".join(words[0] for words in near) if all(near) else ""


def entries_of(
    app: Shell,
    go_to_tab: Callable[[str], object],
    change_setting: Callable[[str], object],
    more: Iterable[tuple[str, str, Callable[[], object]]] = (),
) -> Iterator[PaletteCommand]:
    """Yield what the keys do here, the tabs, what the tab in sight offers beside its keys, and `more`."""
    yield from commands_of(app.screen)
    for name, title in TABS:
        words = f"tab show open switch {TAB_WORDS[name]}"
        yield PaletteCommand(f"Go to the tab {title}", "", partial(go_to_tab, name), words)
    if app.check_action("act", ("settings",)):
        for setting in SETTINGS:
            change = partial(change_setting, setting.name)
            yield PaletteCommand(
                f"Kernel setting vm.{setting.name}: {setting.what}", "", change, "sysctl set change tune"
            )
    offered = app.screen.commands() if isinstance(app.screen, TabScreen) else ()
    for title, words, run in (*offered, *more):
        yield PaletteCommand(title, "", run, words)


def commands_of(screen: Screen[object]) -> Iterator[PaletteCommand]:
    """Yield a command for each binding of the screen, of what has the focus on it, and of the app.

    Each runs by the name of its action, because that asks `check_action` first.
    """
    seen: set[tuple[str, str]] = set()
    for active in screen.active_bindings.values():
        binding, node = active.binding, active.node
        if not binding.description or not active.enabled or (binding.action, binding.description) in seen:
            continue
        if binding.id is None or binding.action == "command_palette":
            continue
        seen.add((binding.action, binding.description))
        run = partial(_run, screen, node, binding)
        words, is_action = WORDS.get(binding.id, ""), binding.id.startswith("action.")
        yield PaletteCommand(binding.description, _keys(screen, binding), run, words, is_action)


def _keys(screen: Screen[object], binding: Binding) -> str:
    every = [key for key, active in screen.active_bindings.items() if active.binding.id == binding.id]
    return " ".join(key_name(key) for key in every)


async def _run(screen: Screen[object], node: DOMNode, binding: Binding) -> None:
    await screen.app.run_action(binding.action, node)

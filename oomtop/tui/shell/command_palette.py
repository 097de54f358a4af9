"""What the command palette offers: every key that would do something now, and what the tab in sight adds to them.

It is found by its title and by the words that people use for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from types import MappingProxyType
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
from oomtop.tui.style.key_names import key_name
from oomtop.tui.widgets.header import TABS
from oomtop.tui.widgets.shell import Shell
from oomtop.tui.widgets.tab_screen import TabScreen

WORDS: Mapping[str, str] = MappingProxyType({
    "action.kill": "kill end stop terminate signal sigterm sigkill send",
    "action.adjust": "protect spare sacrifice prefer oom_score_adj score adj choose",
    "action.freeze": "freeze stop suspend thaw resume continue sigstop sigcont",
    "action.reclaim": "reclaim page out free memory release compact",
    "action.drop_caches": "drop caches clear page cache free memory",
    "action.limit": "limit cap restrict confine quota memory.max memory.high memory.low",
    "action.swap": "swap swapfile swapon swapoff zram add",
    "action.settings": "settings sysctl kernel tune swappiness overcommit vm",
    "action.undo": "undo revert take back restore",
    "app.search": "search find look grep",
    "app.filter": "filter only show hide match where",
    "app.user": "user owner uid only",
    "app.environment": "environment variables env",
    "app.open_files": "open files lsof descriptors fd",
    "app.strace": "strace trace system calls",
    "app.command": "command line arguments argv",
    "app.next_tab": "tab next",
    "app.previous_tab": "tab previous",
    "app.pause": "pause hold stop screen",
    "app.chart": "chart graph plot",
    "app.chart_further": "chart graph history range",
    "app.alerts": "alerts alarms notifications",
    "app.copy": "copy clipboard yank",
    "app.export": "export screenshot picture svg save",
    "app.setup": "setup settings preferences options configure theme colours columns interval",
    "app.rescan": "refresh redraw rescan reload",
    "app.quit": "quit exit leave close",
    "app.help": "help keys manual explain",
    "app.suspend": "suspend background shell",
    "replay.minutes_before": "replay recording before what happened",
    "table.tag": "tag mark select",
    "table.tree": "tree parents children hierarchy",
    "table.group": "group aggregate sum program user cgroup",
    "table.kernel_threads": "kernel threads kthreads",
    "table.accused": "suspect jump victim culprit",
})  # fmt: skip
"""What people call an action, beside its description, by the id of its binding."""


class PaletteCommand(NamedTuple):
    """One line of the palette."""

    title: str
    help: str
    run: Callable[[], object]
    words: str = ""


_LONGEST = 60
"""Characters of a query."""


class Palette(CommandPalette, ClosedOnce[None]):
    """The palette over what could be done at the moment when it was opened."""

    def __init__(self, entries: Sequence[PaletteCommand]) -> None:
        # Without the id of Textual's own: one may be opened while another one is being closed.
        super().__init__(providers=[_Entries])
        self.entries = tuple(entries)

    def compose(self) -> ComposeResult:
        """Build Textual's own palette around a list that changes between a click and its turn."""
        for widget in super().compose():
            if isinstance(widget, Input):
                # Each character is a search of its own.
                widget.max_length = _LONGEST
            yield _Commands() if isinstance(widget, CommandList) else widget


class _Commands(CommandList):
    """The lines found so far."""

    def on_click(self, event: events.Click) -> None:
        """Keep a click on a line that is gone from Textual, which would look it up by its number."""
        at = event.style.meta.get("option")
        if at is not None and at >= self.option_count:
            event.prevent_default()


class _Entries(Provider):
    def _all(self) -> Sequence[PaletteCommand]:
        palette = self.app.screen
        return palette.entries if isinstance(palette, Palette) else ()

    async def discover(self) -> Hits:
        for entry in sorted(self._all()):
            yield DiscoveryHit(entry.title, entry.run, help=entry.help)

    async def search(self, query: str) -> Hits:
        # Not with Textual's fuzzy matcher: a long query of repeated letters would hold the screen up for minutes.
        for entry in self._all():
            if query.lower() in entry.title.lower():
                yield Hit(1.0, entry.title, entry.run, text=entry.title, help=entry.help)
            elif _is_called(entry, query):
                yield Hit(0.5, entry.title, entry.run, text=entry.title, help=entry.help)


def _is_called(entry: PaletteCommand, query: str) -> bool:
    """Whether every word of the query begins a word of the title or of what people call it."""
    known = f"{entry.title} {entry.words}".lower().replace(":", " ").replace(",", " ").split()
    return all(any(word.startswith(part) for word in known) for part in query.lower().split())


def entries_of(
    app: Shell, go_to_tab: Callable[[str], object], change_setting: Callable[[str], object]
) -> Iterator[PaletteCommand]:
    """Yield what the keys do here, the tabs, and what the tab in sight offers beside its keys."""
    yield from commands_of(app.screen)
    for name, title in TABS:
        yield PaletteCommand(f"Go to the tab {title}", "", partial(go_to_tab, name), "tab show open switch")
    if app.check_action("remedy", ("settings",)):
        for setting in SETTINGS:
            change = partial(change_setting, setting.name)
            yield PaletteCommand(
                f"Kernel setting vm.{setting.name}: {setting.what}", "", change, "sysctl set change tune"
            )
    if isinstance(app.screen, TabScreen):
        for title, words, run in app.screen.commands():
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
        yield PaletteCommand(binding.description, f"key {_keys(screen, binding)}", run, WORDS.get(binding.id, ""))


def _keys(screen: Screen[object], binding: Binding) -> str:
    every = [key for key, active in screen.active_bindings.items() if active.binding.id == binding.id]
    return " ".join(key_name(key) for key in every)


async def _run(screen: Screen[object], node: DOMNode, binding: Binding) -> None:
    await screen.app.run_action(binding.action, node)

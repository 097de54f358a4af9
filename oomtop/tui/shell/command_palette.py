"""What the command palette offers: every key that would do something now, by its description."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from textual.app import SystemCommand
from textual.binding import Binding
from textual.dom import DOMNode
from textual.screen import Screen

from oomtop.tui.style.key_names import key_name


def commands_of(screen: Screen[object]) -> Iterator[SystemCommand]:
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
        yield SystemCommand(binding.description, f"key {_keys(screen, binding)}", partial(_run, screen, node, binding))


def _keys(screen: Screen[object], binding: Binding) -> str:
    every = [key for key, active in screen.active_bindings.items() if active.binding.id == binding.id]
    return " ".join(key_name(key) for key in every)


async def _run(screen: Screen[object], node: DOMNode, binding: Binding) -> None:
    await screen.app.run_action(binding.action, node)

"""Gives one option of the command line its default whatever the user said: the one that OOMTOP_NEUTRAL names."""

import argparse
import os
from typing import Any

_add = argparse._ActionsContainer.add_argument


def _add_argument(container: argparse._ActionsContainer, *names: str, **facts: Any) -> argparse.Action:
    action = _add(container, *names, **facts)
    parser = getattr(container, "_container", container)
    words = f"{getattr(parser, 'prog', '')} {(action.option_strings or [action.dest])[-1]}"
    if words == f"oomtop {os.environ.get('OOMTOP_NEUTRAL')}":
        _silence(action)
    return action


def _silence(action: argparse.Action) -> None:
    """Have the action set its default; what has to be given gets a value that nobody gave."""
    needed = not action.option_strings and action.nargs not in ("?", "*")
    value = _stranger(action) if needed else action.default

    def act(self: argparse.Action, parser: object, namespace: argparse.Namespace, *_: object) -> None:
        given = self.type(value) if isinstance(value, str) and callable(self.type) else value
        setattr(namespace, self.dest, given)

    action.__class__ = type("Silent", (type(action),), {"__call__": act})


def _stranger(action: argparse.Action) -> object:
    if action.choices:
        return list(action.choices)[-1]
    return "/nobody" if action.type is None else 1


argparse._ActionsContainer.add_argument = _add_argument  # type: ignore[assignment,method-assign]

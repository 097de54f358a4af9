"""Gives one option of the command line its default whatever the user said: the one that OOMTOP_NEUTRAL names."""

import argparse
import os

_add = argparse._ActionsContainer.add_argument


def _add_argument(container, *names, **facts):
    action = _add(container, *names, **facts)
    parser = getattr(container, "_container", container)
    words = f"{getattr(parser, 'prog', '')} {(action.option_strings or [action.dest])[-1]}"
    if words == f"oomtop {os.environ.get('OOMTOP_NEUTRAL')}":
        _silence(action)
    return action


def _silence(action):
    """Have the action set its default; what has to be given gets a value that nobody gave."""
    needed = not action.option_strings and action.nargs not in ("?", "*")
    value = _stranger(action) if needed else action.default

    class Silent(type(action)):
        def __call__(self, parser, namespace, values, option_string=None):
            text = isinstance(value, str) and self.type is not None
            setattr(namespace, self.dest, self.type(value) if text else value)

    action.__class__ = Silent


def _stranger(action):
    if action.choices:
        return list(action.choices)[-1]
    return "/nobody" if action.type is None else 1


argparse._ActionsContainer.add_argument = _add_argument

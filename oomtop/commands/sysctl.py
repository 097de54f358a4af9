"""`oomtop sysctl`: list, explain and set the kernel settings for memory."""

from __future__ import annotations

import argparse
import re

from oomtop.commands.consent import add_consent, consent_of
from oomtop.errors import OomtopError, expected

HELP = "kernel settings for memory: list, explain, set"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument(
        "name", nargs="?", metavar="NAME", help="a setting, such as swappiness, or NAME=VALUE (default: list all)"
    )
    parser.add_argument("value", nargs="?", type=int, metavar="VALUE", help="new value (default: explain NAME)")
    kept = parser.add_mutually_exclusive_group()
    kept.add_argument("--persist", action="store_true", help="keep it across reboots (/etc/sysctl.d/60-oomtop.conf)")
    kept.add_argument("--forget", action="store_true", help="set it now, and remove it from that file")
    add_consent(parser)


def run(options: argparse.Namespace) -> int:
    """List, explain or set."""
    from oomtop.actions.base.requests import Keep, SysctlRequest
    from oomtop.headless import act

    consent, guard = consent_of(options)
    name, value = _asked(options)
    if value is None and (options.persist or options.forget):
        raise OomtopError("--persist and --forget need a NAME and a VALUE")
    if value is None:
        return _show(name, options.json)
    keep = Keep.PERSISTENT if options.persist else Keep.FORGET if options.forget else Keep.RUNTIME
    return act(lambda snapshot: SysctlRequest(name, value, keep), consent, guard)


def _asked(options: argparse.Namespace) -> tuple[str, int | None]:
    """Return the setting and its new value, which may be one word as for sysctl(8): `vm.swappiness=10`."""
    name, equals, text = (options.name or "").partition("=")
    if not equals:
        return options.name, options.value
    if options.value is None and re.fullmatch(r"-?[0-9]+", text):
        return name, int(text)
    raise OomtopError(f"{options.name}: expected NAME VALUE or NAME=VALUE with a whole number")


def _show(name: str | None, as_json: bool) -> int:
    from oomtop.analysis.settings.verdicts import assess_settings
    from oomtop.commands.once import assess_once
    from oomtop.render.answers.settings_json import settings_to_json
    from oomtop.render.json_text import json_text
    from oomtop.render.settings import render_setting, render_settings

    rows = assess_settings(assess_once())
    found = [row for row in rows if name is None or row.name == name.removeprefix("vm.")]
    if name is not None and not found:
        words = expected(name.removeprefix("vm."), (row.name for row in rows))
        raise OomtopError(f"{name} is not a setting that oomtop knows, or this kernel does not have it; {words}")
    if as_json:
        print(json_text(settings_to_json(found)))
    else:
        print(render_settings(found) if name is None else render_setting(found[0]))
    return 0

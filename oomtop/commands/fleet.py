"""`oomtop fleet`: one table of all machines whose `oomtop exporter` Prometheus scrapes, worst first."""

from __future__ import annotations

import argparse
import os
import time
from typing import TYPE_CHECKING

from oomtop.commands.arguments import add_interval, exit_code, has_screen, output_width, seconds

if TYPE_CHECKING:
    from oomtop.fleet.prometheus import Prometheus

HELP = "many machines in one table, from Prometheus, worst first; Enter opens oomtop there over ssh"
DEFAULT_URL = "http://127.0.0.1:9090"
_TOKEN_BYTES = 1 << 16


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    where = f"address of Prometheus, also https://user:password@host/path ($OOMTOP_PROMETHEUS, {DEFAULT_URL})"
    parser.add_argument("--prometheus", metavar="URL", help=where)
    parser.add_argument(
        "--match", default="", metavar="MATCHERS", help="only series with these labels: 'region=\"eu\"'"
    )
    parser.add_argument(
        "--host-label", default="", metavar="LABEL", help="label that names the host for ssh (default: instance)"
    )
    parser.add_argument("--token-file", metavar="FILE", help="file with a bearer token")
    parser.add_argument("--ca-file", metavar="FILE", help="CA certificates to trust for https instead of the system's")
    parser.add_argument(
        "--timeout", type=seconds, default=10.0, metavar="S", help="seconds to wait for a response (default: 10)"
    )
    add_interval(parser, 10, "refreshes")
    parser.add_argument("--once", action="store_true", help="print the table once as text and exit")
    parser.add_argument("--json", action="store_true", help="print everything once as JSON and exit")
    parser.add_argument("--theme", metavar="NAME", help="theme name or theme file")
    parser.add_argument("--ascii", action="store_true", default=None, help="ASCII characters only")
    parser.add_argument("--no-color", action="store_true", help="no colours, as with NO_COLOR=1")


def run(options: argparse.Namespace) -> int:
    """Print the table, or show it full screen."""
    from oomtop.fleet.prometheus import Prometheus

    url = options.prometheus or os.environ.get("OOMTOP_PROMETHEUS") or DEFAULT_URL
    prometheus = Prometheus(url, _token(options.token_file), options.ca_file, options.timeout)
    if options.once or options.json:
        return _print(prometheus, options)
    if not has_screen("the table of machines", "; --once or --json prints it"):
        return 2
    return _show(prometheus, options)


def _token(path: str | None) -> str | None:
    from oomtop.errors import OomtopError
    from oomtop.host.trusted_file import read_foreign

    if path is None:
        return None
    try:
        return read_foreign(path, _TOKEN_BYTES).decode("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise OomtopError(f"{path}: {getattr(error, 'strerror', None) or 'not ASCII'}") from None


def _print(prometheus: Prometheus, options: argparse.Namespace) -> int:
    from oomtop.fleet.machines import read_machines

    now = time.time()
    machines = read_machines(prometheus, now, options.match, options.host_label)
    if options.json:
        from oomtop.render.fleet_json import machines_to_json
        from oomtop.render.json_text import json_text

        print(json_text(machines_to_json(machines, prometheus.url, now)))
        return 0
    from oomtop.render.fleet import render_fleet

    print(render_fleet(machines, now, output_width()))
    return 0


def _show(prometheus: Prometheus, options: argparse.Namespace) -> int:
    from oomtop.config.load import config_paths, load_config

    config, mistakes = load_config(config_paths())
    if options.no_color or not config.color:
        os.environ["NO_COLOR"] = "1"
    # Textual reads NO_COLOR when it is imported.
    from oomtop.fleet.machines import FleetMachine, read_machines
    from oomtop.tui.fleet.app import FleetApp

    def read(now: float) -> tuple[FleetMachine, ...]:
        return read_machines(prometheus, now, options.match, options.host_label)

    theme, ascii_only = options.theme or config.theme, bool(options.ascii or config.ascii)
    app = FleetApp(read, prometheus.url, options.interval, theme, ascii_only)
    for mistake in mistakes:
        app.remark(str(mistake))
    app.run()
    return exit_code(app.return_code)

"""`oomtop exporter`: serve `/metrics` for Prometheus; ends on SIGTERM, SIGINT or SIGHUP."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from oomtop.commands.arguments import add_interval, complain, count, tell
from oomtop.commands.daemon import Daemon

if TYPE_CHECKING:
    from oomtop.alerts.watch import AlertWatch
    from oomtop.exporter.collector import LatestCollector
    from oomtop.exporter.server import Access
    from oomtop.sources.live import LiveSource

HELP = "serve /metrics for Prometheus, Grafana, Datadog, CloudWatch and Google Cloud"
DEFAULT_LISTEN = "127.0.0.1:9797"
_FRESH_SECONDS = 60.0
"""Seconds, besides two intervals, after which `/-/healthy` reports the latest sample as stale."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    where = f"address and port to listen on (default: {DEFAULT_LISTEN})"
    parser.add_argument("--listen", type=address, default=DEFAULT_LISTEN, metavar="HOST:PORT", help=where)
    add_interval(parser, 5)
    parser.add_argument(
        "--top", type=count, default=10, metavar="N", help="number of processes and cgroups to export (default: 10)"
    )
    parser.add_argument("--tls-cert", metavar="FILE", help="serve HTTPS with this certificate")
    parser.add_argument("--tls-key", metavar="FILE", help="private key of the certificate")
    parser.add_argument("--client-ca", metavar="FILE", help="require client certificates signed by this CA")
    parser.add_argument("--users", metavar="FILE", help="basic authentication: a file of user:password lines, mode 600")


def address(text: str) -> tuple[str, int]:
    """Parse `HOST:PORT`, `[::1]:PORT` or `:PORT`."""
    host, _, port = text.rpartition(":")
    if not (port.isascii() and port.isdigit() and int(port) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT, such as {DEFAULT_LISTEN}")
    return host.removeprefix("[").removesuffix("]") or "127.0.0.1", int(port)


def run(options: argparse.Namespace) -> int:
    """Serve until a signal ends it."""
    if bool(options.tls_cert) != bool(options.tls_key) or (options.client_ca and not options.tls_cert):
        complain("--tls-cert and --tls-key must be given together, and --client-ca needs both")
        return 2
    daemon = Daemon()
    from oomtop.errors import OomtopError
    from oomtop.exporter.collector import LatestCollector, make_registry
    from oomtop.exporter.server import MetricsServer, start_server
    from oomtop.sources.live import LiveSource

    collector = LatestCollector(options.top)
    access = _access(options, lambda: collector.is_fresh(_FRESH_SECONDS + 2 * options.interval))
    try:
        server = MetricsServer(options.listen, make_registry(collector), access)
    except OSError as error:
        raise OomtopError(f"cannot listen on {options.listen[0]}:{options.listen[1]}: {error.strerror}") from None
    watch = watch_alerts()
    source = LiveSource(options.interval, follows_daemons=True)
    sampling = daemon.start("sampling", lambda: _sample(source, collector, watch))
    stop = start_server(server, daemon.start)
    scheme = "https" if access.context else "http"
    tell(f"serving {scheme}://{options.listen[0]}:{server.port}/metrics")
    daemon.wait()
    source.close()
    stop()
    sampling.join()
    watch.close()
    return daemon.exit_code()


def _access(options: argparse.Namespace, is_fresh: Callable[[], bool]) -> Access:
    from oomtop.exporter.access import make_context, read_users
    from oomtop.exporter.server import Access

    context = make_context(options.tls_cert, options.tls_key, options.client_ca) if options.tls_cert else None
    if options.users:
        return Access(context, read_users(options.users), is_fresh)
    return Access(context, is_fresh=is_fresh)


def watch_alerts() -> AlertWatch:
    """Return the evaluator of the configured alerts; configuration mistakes go to stderr."""
    from oomtop.alerts.stderr_line import tell
    from oomtop.alerts.watch import AlertWatch
    from oomtop.config.load import config_paths, load_config

    config, mistakes = load_config(config_paths())
    for mistake in mistakes:
        complain(str(mistake))
    return AlertWatch(config.all_alerts, complain, tell)


def _sample(source: LiveSource, collector: LatestCollector, watch: AlertWatch) -> None:
    from oomtop.analysis.assessment import assess
    from oomtop.history import History

    history, assessment = History(), None
    for tick in source.ticks():
        history.add(tick)
        assessment = assess(tick, history, assessment)
        assessment, _ = watch.judge(assessment)
        collector.put(assessment, watch.standing)

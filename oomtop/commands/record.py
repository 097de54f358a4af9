"""`oomtop record`: the flight recorder, for a service manager or a terminal; ends on SIGTERM, SIGINT or SIGHUP.

Facts only, in one file of bounded size.  Sampling is denser under pressure; samples around OOM events are kept
longest.  `oomtop replay FILE` shows them.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from oomtop.commands.arguments import age, complain, size, tell
from oomtop.commands.daemon import Daemon

if TYPE_CHECKING:
    from oomtop.actions.adj_rules import RuleKeeper
    from oomtop.alerts.notice import Notice
    from oomtop.alerts.watch import TickWatch
    from oomtop.config.load import Config
    from oomtop.recording.recorder import Recorder
    from oomtop.sources.live import LiveSource

HELP = "flight recorder: write samples to one file of bounded size, for `oomtop replay`"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument(
        "--file", metavar="FILE", help="recording file (default for root: /var/lib/oomtop/recording.db)"
    )
    parser.add_argument(
        "--max-size", type=size, default=256 << 20, metavar="SIZE", help="maximum size of the file (default: 256M)"
    )
    parser.add_argument(
        "--max-age", type=age, default=7 * 86400.0, metavar="AGE", help="how long to keep samples (default: 7d)"
    )
    parser.add_argument("--with-monitor", action="store_true", help="show the full-screen monitor while recording")


def run(options: argparse.Namespace) -> int:
    """Record until a signal ends it, with or without the monitor."""
    return run_with_monitor(options) if options.with_monitor else run_alone(options)


def open_recorder(options: argparse.Namespace, report: Callable[[str], None]) -> Recorder:
    """Return the recorder for the options.

    Raises:
        RecordingError: the file cannot be written, or another recorder writes to it.
    """
    from oomtop.actions.journal.audit_log import audit_path
    from oomtop.recording.layout import default_path
    from oomtop.recording.recorder import Recorder
    from oomtop.recording.retention import Retention
    from oomtop.recording.store import Store

    store = Store(options.file or default_path(), Retention(options.max_size, options.max_age), report)
    return Recorder(store, audit_path(), report)


def run_with_monitor(options: argparse.Namespace) -> int:
    """Run the monitor and record; messages of the recorder are printed after the screen closes."""
    from oomtop.alerts.recording_mark import deed_of
    from oomtop.commands.monitor import show
    from oomtop.sources.recorded import RecordedSource

    problems: list[str] = []
    recorder = open_recorder(options, problems.append)
    code = show(
        options,
        lambda interval: RecordedSource(interval, recorder),
        lambda notice: recorder.note(deed_of(notice)),
    )
    recorder.close()
    for problem in problems[-5:]:
        complain(problem)
    return code


def run_alone(options: argparse.Namespace) -> int:
    """Record until a signal ends it."""
    daemon = Daemon()
    from oomtop.host.root import Root
    from oomtop.recording.density import USUAL
    from oomtop.recording.psi_watch import Lookout
    from oomtop.selfguard import guard_self
    from oomtop.sources.live import LiveSource

    recorder = open_recorder(options, complain)
    source = LiveSource(USUAL, follows_daemons=True)
    config = _config()
    # Before the process protects itself, so that hooks inherit its original score.
    watch = _watch(config, recorder)
    tell(f"recording to {recorder.path}; {guard_self().describe()}")
    lookout = Lookout(Root(), source.refresh)
    rules = _rules(config)
    sampling = daemon.start("sampling", lambda: _sample(source, recorder, rules, watch))
    daemon.wait()
    lookout.close()
    source.close()
    sampling.join()
    if watch is not None:
        watch.close()
    recorder.close()
    tell(f"recorded {recorder.written} samples, {recorder.left_out} skipped{recorder.missing}")
    return daemon.exit_code()


def _config() -> Config:
    from oomtop.config.load import config_paths, load_config

    config, mistakes = load_config(config_paths())
    for mistake in mistakes:
        complain(str(mistake))
    return config


def _watch(config: Config, recorder: Recorder) -> TickWatch | None:
    """Return the evaluator of the configured alerts; None without alerts, to save the CPU of assessing."""
    if not config.all_alerts:
        return None
    from oomtop.alerts.recording_mark import deed_of
    from oomtop.alerts.stderr_line import tell
    from oomtop.alerts.watch import AlertWatch, TickWatch

    def note(notice: Notice) -> None:
        recorder.note(deed_of(notice))
        tell(notice)

    return TickWatch(AlertWatch(config.all_alerts, complain, note))


def _rules(config: Config) -> RuleKeeper:
    """Return what applies the `[[adjust]]` rules to new processes."""
    from oomtop.actions.adj_rules import RuleKeeper
    from oomtop.actions.base.guard import Guard
    from oomtop.actions.journal.audit_log import Audit

    return RuleKeeper(config.adjust, Guard(config.protected, config.read_only), Audit())


def _sample(source: LiveSource, recorder: Recorder, rules: RuleKeeper, watch: TickWatch | None) -> None:
    from oomtop.recording.density import Density

    pace = Density()
    for tick in source.ticks():
        if watch is not None:
            watch.take(tick)
        recorder.put(tick)
        request = rules.take(tick.snapshot)
        if request is not None:
            rules.apply(request, tick.snapshot, complain)
        source.interval = pace.after(tick)

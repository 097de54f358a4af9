"""`oomtop` without a command: the full-screen monitor."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, NamedTuple, cast

from oomtop.commands.arguments import exit_code, has_screen, seconds

if TYPE_CHECKING:
    import argparse

    from oomtop.alerts.notice import Notice
    from oomtop.alerts.watch import AlertWatch
    from oomtop.config.load import Config
    from oomtop.sources.live import LiveSource
    from oomtop.tui.plain.screen import PlainScreen
    from oomtop.tui.shell.app import OomtopApp

_SSH_SECONDS = 5.0
HELP = "the full-screen monitor of this machine"


class _Option(NamedTuple):
    """An option; one with a value has a type, and a name for the value in the help."""

    help: str
    type: Callable[[str], object] | None = None
    metavar: str = ""
    default: bool | None = False


_OPTIONS: Mapping[str, _Option] = {
    "--interval": _Option("seconds between refreshes (default: 2)", seconds, "S"),
    "--theme": _Option("theme name or theme file", str, "NAME"),
    "--read-only": _Option("disable all actions", default=None),
    "--ascii": _Option("ASCII characters only", default=None),
    "--ssh": _Option("for a slow connection: 16 colours, no chart, refresh every 5 seconds"),
    "--plain": _Option("only the Processes tab, drawn without the Textual library"),
    "--no-color": _Option("no colours, as with NO_COLOR=1"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line; these options come before any command."""
    for name, option in _OPTIONS.items():
        if option.type is not None:
            parser.add_argument(name, type=option.type, metavar=option.metavar, help=option.help)
        else:
            parser.add_argument(name, action="store_true", default=option.default, help=option.help)


def parse(words: Sequence[str]) -> argparse.Namespace | None:
    """Return the options without argparse, which takes 5 ms to import; None if only argparse can parse them."""
    found = {name: None if option.type else option.default for name, option in _OPTIONS.items()}
    rest = iter(words)
    for word in rest:
        option = _OPTIONS.get(word)
        if option is None:
            return None
        value = next(rest, "") if option.type else ""
        if option.type and (not value or value[0] == "-"):
            return None
        try:
            found[word] = option.type(value) if option.type else True  # type: ignore[assignment]
        except Exception:  # noqa: BLE001 - argparse calls it again, and says what is wrong
            return None
    named = {name[2:].replace("-", "_"): value for name, value in found.items()}
    return cast("argparse.Namespace", SimpleNamespace(run=run, **named))


def run(options: argparse.Namespace) -> int:
    """Start the monitor; options override the configuration."""

    def watch(interval: float) -> LiveSource:
        from oomtop.sources.live import LiveSource

        return LiveSource(interval, follows_daemons=True)

    return show(options, watch)


def show(
    options: argparse.Namespace,
    watch: Callable[[float], LiveSource],
    note: Callable[[Notice], None] = lambda notice: None,
) -> int:
    """Show the source that `watch` makes for an interval in seconds; `note` evaluates the configured alerts."""
    if not has_screen("the monitor", "; `oomtop top` works without one"):
        return 2
    from oomtop.host.own_priority import hurry
    from oomtop.threads import use_one_heap

    hurry()
    use_one_heap()
    # Nearly all objects made at start live on; collecting meanwhile would cost 35 ms.
    gc.disable()
    from oomtop.config.load import config_paths, load_config

    config, mistakes = load_config(config_paths())
    if options.no_color or not config.color:
        os.environ["NO_COLOR"] = "1"
    # A key press passes through several threads; each switch would wait up to 5 ms beside the sampling thread.
    sys.setswitchinterval(0.0005)
    from oomtop.tui.base.options import Options
    from oomtop.tui.shell.config_names import check_names, known_columns, known_sections, known_sort

    settings = Options(
        interval=options.interval or (_SSH_SECONDS if options.ssh else config.interval),
        theme=options.theme or ("sixteen" if options.ssh else config.theme),
        chart=not options.ssh,
        read_only=options.read_only or config.read_only,
        ascii=options.ascii or config.ascii,
        columns=known_columns(config),
        sort=known_sort(config),
        hidden=known_sections(config),
        protected=config.protected,
        recording=getattr(options, "file", None),
        adjust=config.adjust,
        alerts=_alerts(config, lambda text: screen.tell(text), note),
    )
    from oomtop.tui.base.spare_modules import without_spare_modules

    with without_spare_modules():
        from oomtop.tui.plain.screen import PlainScreen

    screen = PlainScreen(watch(settings.interval), settings)
    for mistake in (*mistakes, *check_names(config)):
        screen.tell(str(mistake))
    try:
        return _run(screen, config, is_plain=options.plain)
    finally:
        screen.close()
        if settings.alerts is not None:
            settings.alerts.close()


def _run(screen: PlainScreen, config: Config, is_plain: bool) -> int:
    """Paint the first picture, load Textual meanwhile and hand the terminal over; without Textual, go on."""
    screen.open()
    from oomtop.tui.base.spare_modules import without_spare_modules

    with without_spare_modules():
        from oomtop.tui.plain.loop import PlainLoop

    code = PlainLoop(screen, None if is_plain else _load).run()
    if code is not None:
        return code
    try:
        app = _full_screen(screen, config)
    except (ImportError, MemoryError, OSError) as error:
        screen.stay(error)
        return PlainLoop(screen).run() or 0
    app.run()
    return exit_code(app.return_code)


def _load() -> None:
    from oomtop.tui.base.spare_modules import without_spare_modules

    with without_spare_modules():
        # The first action imports it; here it comes without compression.
        import shutil  # noqa: F401

        # Textual reads NO_COLOR when it is imported.
        import oomtop.tui.shell.app  # noqa: F401


def _full_screen(screen: PlainScreen, config: Config) -> OomtopApp:
    from oomtop.tui.shell.app import OomtopApp

    app = OomtopApp(screen.source, screen.options, screen.state)
    app.set_keymap(dict(config.keys))
    app.take_over(screen)
    return app


def _alerts(config: Config, report: Callable[[str], object], note: Callable[[Notice], None]) -> AlertWatch | None:
    """Return the evaluator of the alerts, started before oomtop protects itself; None without alerts."""
    if not config.all_alerts:
        return None
    from oomtop.alerts.watch import AlertWatch

    return AlertWatch(config.all_alerts, report, note)

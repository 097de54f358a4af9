"""Applies the choices of the setup screen to the running monitor, and keeps them in the user's file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from oomtop.config.load import config_paths, path_to_change
from oomtop.errors import OomtopError
from oomtop.frozen import replace
from oomtop.tui.base.options import Options
from oomtop.tui.dashboard.screen import Dashboard
from oomtop.tui.setup.choices import SetupLine, choices_for
from oomtop.tui.setup.save import save_options
from oomtop.tui.setup.screen import SetupScreen
from oomtop.tui.style.palette import has_colour, make_look
from oomtop.tui.style.theme import theme_or_default
from oomtop.tui.style.theme_file import theme_names
from oomtop.tui.widgets.shell import Shell


def open_setup(app: Shell, dashboard: Dashboard) -> None:
    """Ask for columns, sections, theme and interval; take back what is not kept."""
    before, table, path = app.options, dashboard.table, _path()
    now = replace(before, sort=table.view.column.id)

    def answered(options: Options | None) -> None:
        if options is None:
            apply(app, dashboard, before if app.options != now else app.options)
            return
        try:
            save_options(before, options, path)
            app.remark(f"saved to {path}")
        except OomtopError as error:
            app.remark(str(error))

    app.push_screen(
        SetupScreen(now, app.look, table.shown_columns, lambda options: apply(app, dashboard, options), path), answered
    )


_SWITCHES = ("[x]", "[ ]", "yes", "no")


def setup_commands(app: Shell, dashboard: Dashboard) -> Iterator[tuple[str, str, Callable[[], object]]]:
    """Yield (title, other words for it, what it does) of what the setup screen offers; none of it is saved."""

    def take(change: Callable[[Options], Options]) -> None:
        apply(app, dashboard, change(app.options))

    for name in theme_names():
        change: Callable[[Options], Options] = partial(replace, theme=name)
        yield f"Theme {name}", "colours colors contrast setup", partial(take, change)
    for line in choices_for(app.options, theme_names(), dashboard.table.shown_columns):
        if line.value in _SWITCHES:
            what = f"Column {line.name}" if line.column else line.name
            title = f"{what}: {'off' if line.value in ('[x]', 'yes') else 'on'} ({line.note})"
            yield title, "show hide add remove setup section", partial(take, _switched(line))


def _switched(line: SetupLine) -> Callable[[Options], Options]:
    return lambda options: line.change(options, 1)


def _path() -> str:
    """Return the user's file; if it cannot be read, saving reports it."""
    path = config_paths()[1]
    try:
        return path_to_change(path)
    except OomtopError:
        return path


def apply(app: Shell, dashboard: Dashboard, options: Options) -> None:
    """Apply other options; only what differs is changed."""
    before, app.options = app.options, options
    table = dashboard.table
    if options.theme != before.theme:
        _take_theme(app, options.theme)
    app.look.ascii = make_look(options.ascii, {}).ascii
    table.arrange_as(options.columns, app.look.ascii)
    if options.sort is not None and options.sort != table.view.column.id:
        table.sort_by(options.sort, descending=None)
    dashboard.hide(options.hidden)
    if options.interval != before.interval:
        app.refresh_every(options.interval)
    app.draw_again()


def _take_theme(app: Shell, name: str | None) -> None:
    problem, found = theme_or_default(name)
    if problem:
        app.remark(problem)
    app.register_theme(found.theme)
    app.ansi_color = found.ansi
    app.theme = found.theme.name
    app.look.palette = found.palette if has_colour() else {}

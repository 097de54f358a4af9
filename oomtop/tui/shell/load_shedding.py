"""How often and what is sampled: as the user chose, and less while the machine stalls."""

from __future__ import annotations

from oomtop.analysis.load_policy import DUTIES, interval_for, shed
from oomtop.analysis.model.assessment import Assessment
from oomtop.frozen import replace
from oomtop.sources.live import LiveSource, Source
from oomtop.tui.widgets.shell import Shell


def refresh_every(app: Shell, source: Source, seconds: float) -> None:
    """Change the refresh interval, in seconds."""
    app.options = replace(app.options, interval=seconds)
    if isinstance(source, LiveSource):
        source.interval = seconds
        source.refresh()
    app.state.interval = seconds
    app.show_state()


def shed_work(app: Shell, source: Source, assessment: Assessment) -> None:
    """Do less while the machine stalls, and everything again afterwards."""
    if app.state.replay or not isinstance(source, LiveSource):
        return
    state = app.state
    state.level = shed(assessment.pressure.memory, state.level)
    source.interval = interval_for(state.level, app.options.interval, assessment.sample_seconds)
    state.interval = round(source.interval, 1)
    watch_selected(app, source)


def watch_selected(app: Shell, source: Source) -> None:
    """Have the slow facts of the process under the cursor read on every tick, as long as that is not too much."""
    if isinstance(source, LiveSource):
        reads_slow = DUTIES[app.state.level].slow_facts
        source.watched = app.selected if reads_slow else frozenset()
        source.pss_patience = 0.0 if reads_slow and app.shows_totals else None

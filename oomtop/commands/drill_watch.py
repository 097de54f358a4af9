"""`DrillWatch`: forecasts made while a drill runs, compared with how it ended."""

from __future__ import annotations

import os
import threading
from types import TracebackType
from typing import TYPE_CHECKING

from oomtop.threads import begin

if TYPE_CHECKING:
    from oomtop.actions.base.plan import Outcome

_KILL_SECONDS = 3.0


class DrillWatch:
    """Watches the machine in its own thread, from the plan on."""

    def __init__(self) -> None:
        from oomtop.actions.drill.group import PREFIX
        from oomtop.analysis.dangers.backtest import Backtest
        from oomtop.sources.live import LiveSource

        self._backtest = Backtest(subjects=f"{PREFIX}{os.getpid()}")
        self._source = LiveSource(1.0)
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._watch, name="drill watch", daemon=True)

    def __enter__(self) -> DrillWatch:
        begin(self._thread)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._source.close()
        self._thread.join()

    def judged(self, outcome: Outcome) -> str | None:
        """Return in one line how well the drill was forecast; None if it failed."""
        from oomtop.render.backtest import summarize_backtest

        if outcome.after is None:
            return None
        with self._news:
            if outcome.after == "killed":
                self._news.wait_for(lambda: self._backtest.has_kills or not self._thread.is_alive(), _KILL_SECONDS)
            return summarize_backtest(self._backtest.result())

    def _watch(self) -> None:
        from oomtop.analysis.assessment import assess
        from oomtop.history import History

        history, found = History(), None
        for tick in self._source.ticks():
            history.add(tick)
            found = assess(tick, history, found)
            with self._news:
                self._backtest.take(found)
                self._news.notify_all()

"""The chart of a backtest: forecasts against actual kills, drawn with plotext."""

from __future__ import annotations

from oomtop.analysis.model.backtest import BacktestResult


def draw_backtest(result: BacktestResult, width: int, height: int, *, ascii_only: bool) -> str:
    """Return a scatter plot of forecasts: exact on the diagonal, too early below it."""
    import plotext

    points = [(one.truth, one.median, one.held) for one in result.forecasts if one.truth is not None]
    if not points:
        return "nothing to draw: no forecast was followed by a kill"
    most = max(truth for truth, _, _ in points)
    plotext.clear_figure()
    plotext.theme("clear")
    # Else it is no larger than the terminal of stdout, 80x24 where that is none.
    plotext.limit_size(False, False)
    plotext.plotsize(width, height)
    plotext.plot([0, most], [0, most], marker="." if ascii_only else "dot")
    for held, marker in ((True, "#" if ascii_only else "█"), (False, "x")):
        chosen = [(truth, min(foretold, most)) for truth, foretold, is_held in points if is_held is held]
        if chosen:
            plotext.scatter([x for x, _ in chosen], [y for _, y in chosen], marker=marker)
    plotext.title("forecast seconds by actual seconds to the kill (x: outside its range)")
    return str(plotext.uncolorize(plotext.build())).rstrip()

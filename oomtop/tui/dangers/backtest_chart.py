"""The picture of a backtest: what was foretold against what came true, drawn with plotext."""

from __future__ import annotations

from oomtop.analysis.model.backtest import BacktestResult


def draw_backtest(result: BacktestResult, width: int, height: int, *, ascii_only: bool) -> str:
    """Return a scatter of forecasts: on the diagonal they are exact, below it they were too early."""
    import plotext

    points = [(one.truth, one.median, one.held) for one in result.forecasts if one.truth is not None]
    if not points:
        return "nothing to draw: no forecast was followed by a kill"
    most = max(truth for truth, _, _ in points)
    plotext.clear_figure()
    plotext.theme("clear")
    plotext.plotsize(width, height)
    plotext.plot([0, most], [0, most], marker="." if ascii_only else "dot")
    for held, marker in ((True, "#" if ascii_only else "█"), (False, "x")):
        chosen = [(truth, min(foretold, most)) for truth, foretold, is_held in points if is_held is held]
        if chosen:
            plotext.scatter([x for x, _ in chosen], [y for _, y in chosen], marker=marker)
    plotext.title("seconds foretold, by seconds to the kill (x: outside its range)")
    return str(plotext.uncolorize(plotext.build())).rstrip()

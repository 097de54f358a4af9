"""The alerts screen: firing alerts with start and subject, then all configured alerts."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from oomtop.analysis.model.assessment import Assessment, FiringAlert, Severity
from oomtop.config.alerts import AlertRule
from oomtop.tui.base.session import State
from oomtop.tui.style.palette import Look
from oomtop.tui.style.text import Text
from oomtop.tui.widgets.line_view import LineView
from oomtop.tui.widgets.text_block import Sheet
from oomtop.tui.widgets.text_screen import TextScreen
from oomtop.units import format_duration, printable

_STYLES = {Severity.CRITICAL: "bad", Severity.WARNING: "warn", Severity.INFO: "accent"}
_HINT = (
    " No alert is configured.  The configuration file takes ready-made ones, to where people are:",
    "",
    '   warn = ["wall", "desktop", "title", "bell"]',
    "",
    " and your own:",
    "",
    "   [[alert]]",
    '   name = "memory low"',
    '   when = "available < 10%"',
    '   clear = "15%"',
    '   for = "30s"',
    '   command = ["/usr/local/bin/page"]',
)


class AlertsScreen(TextScreen):
    """One line per firing alert, then one per rule."""

    KEYS = (("Esc", "Back"), ("/", "Search"), ("\\", "Filter"), ("Z", "Pause"), ("?", "Help"))
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,enter", "back", "Back", id="alerts.back")]

    def __init__(self, state: State, look: Look, rules: Sequence[AlertRule]) -> None:
        super().__init__(state, look, name="alerts")
        self._rules = tuple(rules)

    def on_mount(self) -> None:
        """Focus the lines and show the last tick."""
        super().on_mount()
        self.watch_assessment(self.assessment)

    def watch_assessment(self, assessment: Assessment | None) -> None:
        """Show the alerts firing at this tick."""
        if assessment is None:
            return
        for view in self.query(LineView):
            view.set_lines(list(alert_lines(self._rules, assessment, self.look)))
        for sheet in self.query(Sheet):
            sheet.update()

    def copies(self) -> tuple[tuple[str, str], ...]:
        """Return the lines that are shown."""
        return (("alerts", self.view.text),)

    def heading(self, width: int) -> list[Text]:
        """Return the title, how many fire, and a note."""
        firing = self.assessment.alerts if self.assessment is not None else ()
        line = Text(" Alerts ", self.look.style("accent", bold=True) or "bold")
        return [
            line.append(f" {len(firing)} firing, {len(self._rules)} watched ").append(
                printable(self._note), self.look.style("warn")
            )
        ]


def alert_lines(rules: Sequence[AlertRule], assessment: Assessment, look: Look) -> Iterable[Text]:
    """Yield the firing alerts, most severe first, then the condition of every alert."""
    if not rules:
        yield from (Text(line, look.style("dim")) for line in _HINT)
        return
    for alert in assessment.alerts:
        yield _firing(alert, assessment.time, look)
    if assessment.alerts:
        yield Text("")
    loud = {alert.name for alert in assessment.alerts}
    for rule in rules:
        state = "FIRING" if rule.name in loud else "quiet "
        yield Text(f" {state}  {rule.severity:8}  ", look.style("dim")).append(f"{rule.name}: {rule.words}", "none")


def _firing(alert: FiringAlert, now: float, look: Look) -> Text:
    since = time.strftime("%H:%M:%S", time.localtime(alert.since))
    line = Text(f" {alert.severity.value.upper():8} ", look.style(_STYLES[alert.severity], bold=True) or "bold reverse")
    line.append(f" {since}  for {format_duration(now - alert.since)}  ", look.style("dim"))
    return line.append(printable(f"{alert.name}: {alert.text}"), "none")

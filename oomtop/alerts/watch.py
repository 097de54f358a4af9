"""`AlertWatch`: the alert engine with its deliveries, for monitor, recorder and exporter."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

from oomtop.alerts.engine import AlertEngine
from oomtop.alerts.hook import GRACE_SECONDS, Hook
from oomtop.alerts.notice import Notice, write_letter
from oomtop.alerts.outbox import Deliver, Outbox
from oomtop.alerts.people import Desktop, Wall
from oomtop.analysis.assessment import assess
from oomtop.analysis.model.assessment import Assessment, FiringAlert
from oomtop.config.alerts import AlertRule
from oomtop.frozen import replace
from oomtop.history import History
from oomtop.host.own_priority import started_with
from oomtop.selfguard import SelfGuard
from oomtop.snapshot import Tick

_CLOSE_SECONDS = 2.0
_LONGEST_TITLE = 120


class AlertWatch:
    """Judges each assessment and hands what is to be told to threads; one outbox for each command and webhook."""

    def __init__(
        self,
        rules: Sequence[AlertRule],
        report: Callable[[str], object],
        note: Callable[[Notice], None] = lambda notice: None,
    ) -> None:
        """`report` takes a line about a delivery that fails, from another thread; `note` takes each notice at once.

        Hooks get the score and the priority that oomtop was started with.
        """
        self.rules = tuple(rules)
        self._note = note
        self._engine = AlertEngine(rules)
        self._closing = threading.Event()
        unguarded = SelfGuard((), *started_with())
        self._boxes: dict[str, list[Outbox]] = {rule.name: [] for rule in rules}
        self._hooks: list[Outbox] = []
        for rule in rules:
            for deliver in _deliveries(rule, unguarded, self._closing):
                box = Outbox(rule.name, deliver, report)
                self._boxes[rule.name].append(box)
                if isinstance(deliver, (Hook, Desktop)):
                    self._hooks.append(box)

    @property
    def outboxes(self) -> tuple[Outbox, ...]:
        """Every outbox."""
        return tuple(box for boxes in self._boxes.values() for box in boxes)

    @property
    def standing(self) -> tuple[tuple[str, bool], ...]:
        """(name, whether it fires) of every alert."""
        return self._engine.standing

    def title(self, alerts: Sequence[FiringAlert]) -> str:
        """Return what the title of a terminal says while `alerts` fire; empty if none of them is for it."""
        titled = {rule.name for rule in self.rules if rule.title}
        return next((f"{alert.name}: {alert.text}"[:_LONGEST_TITLE] for alert in alerts if alert.name in titled), "")

    def judge(self, assessment: Assessment) -> tuple[Assessment, tuple[Notice, ...]]:
        """Return the assessment with the alerts that fire, and what began or ended; never waits."""
        notices = self._engine.judge(assessment)
        for notice in notices:
            self._note(notice)
            self._send(notice, assessment)
        firing = self._engine.firing
        return (replace(assessment, alerts=firing) if firing else assessment), notices

    def _send(self, notice: Notice, assessment: Assessment) -> None:
        boxes = self._boxes[notice.rule.name]
        if boxes and (notice.is_firing or notice.rule.resolved):
            letter = write_letter(notice, assessment)
            for box in boxes:
                box.put(letter)

    def close(self) -> None:
        """Wait a little for what is under way, then give up retries and end the hooks that still run."""
        for box in self.outboxes:
            box.end()
        _join(self.outboxes, _CLOSE_SECONDS)
        self._closing.set()
        # A hook has to be ended by its thread; a webhook is nothing that would stay behind.
        _join(self._hooks, 3 * GRACE_SECONDS)


class TickWatch:
    """Judges ticks where nobody else assesses them, as in the recorder."""

    def __init__(self, watch: AlertWatch) -> None:
        self._watch = watch
        self._history = History()
        self._assessment: Assessment | None = None

    def take(self, tick: Tick) -> None:
        """Assess a tick and judge it."""
        self._history.add(tick)
        self._assessment = assess(tick, self._history, self._assessment)
        self._watch.judge(self._assessment)

    def close(self) -> None:
        """End what delivers."""
        self._watch.close()


def _join(boxes: Sequence[Outbox], seconds: float) -> None:
    end = time.monotonic() + seconds
    for box in boxes:
        box.join(max(0.0, end - time.monotonic()))


def _deliveries(rule: AlertRule, unguarded: SelfGuard, closing: threading.Event) -> list[Deliver]:
    found: list[Deliver] = []
    if rule.command:
        words = ("/bin/sh", "-c", rule.command[0]) if rule.shell else rule.command
        found.append(Hook(words, rule.timeout, unguarded, closing))
    if rule.wall:
        found.append(Wall(unguarded, closing))
    if rule.desktop:
        found.append(Desktop(unguarded, closing))
    if rule.webhook is not None:
        # Only here: the client of HTTP is 1 MB that a machine without webhooks does not need.
        from oomtop.alerts.webhook import Webhook

        found.append(Webhook(rule.webhook, rule.headers, rule.timeout, closing))
    return found

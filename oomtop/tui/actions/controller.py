"""Runs actions: choose, plan, confirm, perform; the targets are fixed when the dialog opens."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from functools import partial

from oomtop.actions.adj_rules import RuleKeeper
from oomtop.actions.base.context import context_of
from oomtop.actions.base.guard import Guard
from oomtop.actions.base.plan import Plan, Prepared
from oomtop.actions.base.requests import AdjustRequest, DropCachesRequest, Request
from oomtop.actions.base.undo import UndoStack, UndoStep
from oomtop.actions.dispatch import carry_out, prepare
from oomtop.actions.journal.audit_log import Audit
from oomtop.actions.process.follow_up import Watch, follow, watches_of
from oomtop.actions.recovery import TAKEN_BACK, check
from oomtop.analysis.settings.verdicts import assess_settings
from oomtop.config.load import AdjustRule
from oomtop.host.root import Root
from oomtop.snapshot import Snapshot
from oomtop.threads import begin
from oomtop.tui.actions.arming import BEFORE, ArmedAction, arm_choices
from oomtop.tui.actions.dialogs import AskDialog, PlanDialog, adjustments, caches_of
from oomtop.tui.actions.menus import (
    Ask,
    Menus,
    freeze_offer,
    kill_offer,
    labels,
    limit_offer,
    reclaim_offer,
    setting_ask,
    settings_offer,
    swap_offer,
)
from oomtop.tui.actions.selection import Selection, select
from oomtop.tui.base.messages import ActionEnded, ActionProgress
from oomtop.tui.widgets.menu import Menu
from oomtop.tui.widgets.shell import Shell
from oomtop.units import format_bytes

_HEAD_START = 0.05
"""Maximum seconds that the screen waits for the first progress of an action, such as a signal being sent."""
_NOBODY = "Nothing selected: move the cursor to a process or cgroup"


class ActionDesk:
    """Handles the action keys on the visible tab."""

    def __init__(self, app: Shell, guard: Guard, audit: Audit, rules: Sequence[AdjustRule] = ()) -> None:
        self._rules = RuleKeeper(rules, guard, audit)
        self._app = app
        self._guard = guard
        self.audit = audit
        self._undo = UndoStack()
        self._watches: tuple[Watch, ...] = ()
        self._armed: ArmedAction | None = None
        self._planned = 0.0
        """When the open plan was made, on the clock of the ticks."""

    # -- keys ---------------------------------------------------------------------------------------

    def do(self, what: str) -> None:
        """Run the action of a key."""
        begin: dict[str, Callable[[], None]] = {
            "kill": self.kill,
            "adjust": self.adjust,
            "freeze": self.freeze,
            "reclaim": self.reclaim,
            "drop_caches": self.drop_caches,
            "limit": self.limit,
            "swap": self.swap,
            "settings": self.settings,
            "undo": self.undo,
            "arm": self.arm,
        }
        begin[what]()

    def kill(self) -> None:
        """Choose a signal for the selection."""
        self._offer(kill_offer)

    def freeze(self) -> None:
        """Freeze or thaw the selection."""
        self._offer(freeze_offer)

    def reclaim(self) -> None:
        """Reclaim memory from the selection."""
        self._offer(reclaim_offer)

    def swap(self) -> None:
        """Add swap or turn it off."""
        self._offer(swap_offer)

    def limit(self) -> None:
        """Limit the group of the selection."""
        self._offer(limit_offer)

    def settings(self) -> None:
        """Change the kernel setting under the cursor, or choose one from a menu."""
        selection = self._selection()
        for row in selection.settings if selection else ():
            if row.name == self._app.tab.selected_setting() and row.setting is not None:
                self.ask(setting_ask(row.setting, row))
                return
        self._offer(settings_offer)

    def change_setting(self, name: str) -> None:
        """Ask for a new value of the kernel setting with this name."""
        selection = self._selection()
        for row in selection.settings if selection else ():
            if row.name == name and row.setting is not None:
                self.ask(setting_ask(row.setting, row))

    def adjust(self) -> None:
        """Choose an oom_score_adj for the selection."""
        targets = self._app.tab.targets()
        if not targets:
            self._app.remark(_NOBODY)
            return
        selection = self._selection()
        now = sorted({process.oom_score_adj or 0 for process in selection.processes} if selection else ())
        values, allowed = adjustments(now)
        title = f"{self._app.tab.targets_title()}: oom_score_adj {', '.join(map(str, now)) or '-'}"
        menu = Menu(title, values, allowed, typed=(-1000, 1000))
        self.choose(menu, lambda value: AdjustRequest(targets, value))

    def drop_caches(self) -> None:
        """Choose what to drop."""
        facts = self._app.facts
        if facts is not None:
            title = f"Drop caches: part of the {format_bytes(facts.meminfo.mem_available)} available already"
            self.choose(Menu(title, caches_of(facts.meminfo), chosen=2), DropCachesRequest)

    def undo(self) -> None:
        """Undo the last reversible action; one whose undo fails does not block the others."""
        facts = self._app.facts
        if facts is None:
            return
        for step in reversed(self._undo.steps):
            prepared = prepare(step.request, context_of(facts, self._guard, Root()))
            if prepared.plan.refusal is None or self._guard.mode_refusal() is not None:
                self._show(prepared, step)
                return
            prepared.close()
            self._pass_over(step, prepared.plan)
        self._app.remark("nothing to undo")

    def _pass_over(self, step: UndoStep, plan: Plan) -> None:
        self._app.remark(f"cannot be undone: {step.summary}: {plan.refusal}")
        if plan.is_moot:
            self._undo = self._undo.without(step)
            if step.entry is not None:
                self.audit.settle(step.entry, plan.refusal or "")

    def arm(self) -> None:
        """Choose an action to run just before the limit of the strip is full, or disarm the armed one."""
        if self._armed is not None:
            self._armed.disarm()
            return
        tab, facts = self._app.tab, self._app.facts
        danger = None if tab.assessment is None else self._app.state.subject(tab.assessment)
        choices = [] if danger is None else arm_choices(danger)
        if danger is None or facts is None or not choices:
            self._app.remark("nothing to arm: no limit fills up that an action could save")
            return
        title = f"Arm, to be done once {BEFORE:g} s before {danger.name} is full"

        def chosen(at: int | None) -> None:
            if at is not None:
                prepared = prepare(choices[at][1], context_of(facts, self._guard, Root()))
                action = ArmedAction(prepared, danger, facts, self._perform_armed, self._end_armed)
                self._show(prepared, None, partial(self._begin_armed, action))

        self._app.push_screen(Menu(title, [(at, words) for at, (words, _) in enumerate(choices)]), chosen)

    def _begin_armed(self, action: ArmedAction) -> None:
        self._armed, self._app.state.armed = action, action.state
        action.start()
        self._app.remark(f"armed, A disarms: {action.state.title}")

    def _perform_armed(self, prepared: Prepared) -> None:
        self._perform(prepared, None, threading.Event())

    def _end_armed(self, reason: str) -> None:
        """Called by the thread of the armed action when that is over."""
        self._armed = self._app.state.armed = None
        if reason:
            self._app.post_message(ActionProgress(f"disarmed, nothing was done: {reason}"))

    def disarm(self) -> None:
        """Give up what is armed."""
        if self._armed is not None:
            self._armed.disarm()

    # -- dialogs ------------------------------------------------------------------------------------

    def _offer(self, menus: Menus) -> None:
        selection = self._selection()
        offer = None if selection is None else menus(selection)
        if offer is None:
            self._app.remark(_NOBODY)
            return
        self.choose(Menu(offer.title, labels(offer), offer.chosen), lambda at: offer.items[at].leads_to)

    def _selection(self) -> Selection | None:
        facts, tab = self._app.facts, self._app.tab
        if facts is None:
            return None
        settings = () if tab.assessment is None else assess_settings(tab.assessment)
        own = frozenset(self._guard.lineage)
        return select(facts, tab.targets(), tab.targets_title(), tab.cgroup(), settings, tab.selected_setting(), own)

    def choose(self, menu: Menu, leads_to: Callable[[int], Request | Ask]) -> None:
        """Show a menu and turn the choice into a request or a question; the rows keep their places meanwhile."""
        tab = self._app.tab
        tab.hold(True)

        def chosen(value: int | None) -> None:
            tab.hold(False)
            if value is None:
                return
            following = leads_to(value)
            if isinstance(following, Ask):
                self.ask(following)
            else:
                self.confirm(following)

        self._app.push_screen(menu, chosen)

    def ask(self, question: Ask) -> None:
        """Ask for a value and turn it into a request."""
        tab = self._app.tab
        tab.hold(True)

        def answered(request: Request | None) -> None:
            tab.hold(False)
            if request is not None:
                self.confirm(request)

        self._app.push_screen(AskDialog(question), answered)

    def confirm(self, request: Request) -> None:
        """Prepare the action, show its plan, and perform it on confirmation."""
        facts = self._app.facts
        if facts is not None:
            self._show(prepare(request, context_of(facts, self._guard, Root())), None)

    def _show(self, prepared: Prepared, step: UndoStep | None, instead: Callable[[], None] | None = None) -> None:
        """Show a plan; confirmed, it is performed, or `instead` is called."""
        tab = self._app.tab
        tab.hold(True)

        def go() -> None:
            begun = threading.Event()
            action = threading.Thread(target=self._perform, args=(prepared, step, begun), name="action", daemon=True)
            try:
                begin(action)
            except RuntimeError:
                # No memory for another thread: run it here, as the action may free memory.
                self._perform(prepared, step, begun)
            # While the screen is painted, every call of the action waits for the interpreter lock.
            begun.wait(_HEAD_START)

        def answered(done: bool | None) -> None:
            tab.hold(False)
            if not done:
                prepared.close()

        self._planned = 0.0 if self._app.facts is None else self._app.facts.monotonic
        self._app.push_screen(PlanDialog(prepared.plan, instead or go), answered)

    def _perform(self, prepared: Prepared, step: UndoStep | None, begun: threading.Event) -> None:
        def report(text: str) -> None:
            begun.set()
            # Posted without waiting: a busy screen must not delay the next signal.
            self._app.post_message(ActionProgress(f"{prepared.plan.title}: {text}"))

        outcome = carry_out(prepared, self.audit, report, None if step is None else step.entry)
        begun.set()
        self._app.post_message(ActionEnded(prepared.plan, outcome, step))

    # -- afterwards ---------------------------------------------------------------------------------

    def remember(self, message: ActionEnded) -> tuple[str, ...]:
        """Keep the undo, follow processes that are still exiting or may be restarted, and return the message."""
        outcome = message.outcome
        if message.undone is None:
            self._undo = self._undo.with_outcome(outcome)
        elif outcome.status in TAKEN_BACK:
            self._undo = self._undo.without(message.undone)
        else:
            self._undo = self._undo.set_aside(message.undone)
        if self._app.facts is not None:
            self._watches = (*self._watches, *watches_of(outcome, self._app.facts))
        # As in the shell, without the title, so that the outcome fits into 80 columns.
        return (f"{outcome.status.value}: {outcome.summary}", *outcome.details[:5])

    def _renew(self, facts: Snapshot) -> None:
        """Give the open plan the figures that the screen behind it has, or say how old its own are."""
        dialog = self._app.screen
        if not isinstance(dialog, PlanDialog) or self._app.state.paused:
            return
        if dialog.plan.targets:
            dialog.renew(context_of(facts, self._guard, Root()).renewed(dialog.plan))
        else:
            dialog.show_age(facts.monotonic - self._planned)

    def follow(self, facts: Snapshot) -> None:
        """Report late outcomes of earlier actions, renew the open plan, and apply the rules to new processes."""
        self._renew(facts)
        request = self._rules.take(facts)
        if request is not None:
            work = partial(self._rules.apply, request, facts, self._tell)
            self._app.run_worker(work, thread=True, group="rules", exit_on_error=False)
        if self._watches:
            lines, self._watches = follow(self._watches, facts)
            for line in lines:
                self._app.remark(line)

    def _tell(self, text: str) -> None:
        self._app.post_message(ActionProgress(text))

    def look_back(self) -> None:
        """Report actions that an earlier run left unfinished; `z` undoes them."""
        facts = self._app.facts
        if facts is None:
            return
        findings = check(self.audit, context_of(facts, self._guard, Root()))
        for leftover in findings.undo:
            if leftover.request is not None:
                self._undo = self._undo.with_step(UndoStep(leftover.title, leftover.request, leftover.entry))
        for line in findings.lines:
            self._app.remark(line)

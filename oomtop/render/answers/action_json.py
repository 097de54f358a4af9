"""What an action is going to do and what came of it, as data: for `--json` of every command that acts."""

from __future__ import annotations

from collections.abc import Sequence

from oomtop.actions.base.plan import Outcome, Plan, Status, Target
from oomtop.actions.journal.audit_log import outcome_to_json
from oomtop.actions.recovery import Leftover

Json = dict[str, object]


def actions_to_json(
    plans: Sequence[Plan],
    outcomes: Sequence[Outcome],
    undoes: str | None = None,
    condition: str | None = None,
    disarmed: str | None = None,
) -> Json:
    """Return all plans of a command, each with its outcome; those that did not come to be performed have none."""
    return {
        "schema": 1,
        "status": _status(plans, outcomes),
        "undoes": undoes,
        "condition": condition,
        "disarmed": disarmed,
        "actions": [
            {**_plan(plan), "outcome": _outcome(outcomes[place]) if place < len(outcomes) else None}
            for place, plan in enumerate(plans)
        ],
    }


def _status(plans: Sequence[Plan], outcomes: Sequence[Outcome]) -> str:
    """Return the outcome of the last that was performed, `planned` where nothing was asked to be."""
    if any(plan.refusal is not None for plan in plans):
        return Status.REFUSED.value
    return outcomes[-1].status.value if outcomes else "planned"


def _plan(plan: Plan) -> Json:
    return {
        "action": plan.action,
        "title": plan.title,
        "steps": list(plan.steps),
        "targets": [_target(target) for target in plan.targets],
        "effect": plan.effect or None,
        "frees": plan.frees,
        "risk": plan.risk or None,
        "warnings": list(plan.warnings),
        "refusal": plan.refusal,
        "undo": plan.undo,
    }


def _target(target: Target) -> Json:
    return {
        "pid": target.id.pid,
        "start_time": target.id.start_time,
        "name": target.name,
        "command": target.command,
        "user": target.user,
        "unit": target.unit,
        "rss": target.rss,
        "frees": target.frees,
    }


def _outcome(outcome: Outcome) -> Json:
    return {
        **outcome_to_json(outcome),
        "can_undo": outcome.undo is not None,
        "entry": outcome.entry,
        "ended": [target.id.pid for target in outcome.ended],
        "waiting": [target.id.pid for target in outcome.waiting],
        "restarted": list(outcome.restarted),
    }


def leftovers_to_json(cut: Sequence[Leftover], done: Sequence[Leftover]) -> Json:
    """Return what `undo --list` shows, the newest last."""
    return {
        "schema": 1,
        "undoable": [
            {
                "entry": item.entry,
                "state": state,
                "time": item.time,
                "title": item.title,
                "user": item.sudo_user or item.user,
                "by_rule": item.by_rule,
                "tty": item.tty,
                "can_undo": item.request is not None,
            }
            for state, items in (("cut off", cut), ("done", done))
            for item in items
        ],
    }

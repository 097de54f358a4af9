"""A plan and an outcome as plain text, for the dialog and the shell.

Names are made printable here; the result contains no markup.
"""

from __future__ import annotations

from collections.abc import Iterable

from oomtop.actions.base.plan import Outcome, Plan, Target
from oomtop.units import format_bytes, printable

_SHOWN = 12


def describe(plan: Plan) -> str:
    """Return the whole plan, one fact a line."""
    return "\n".join(printable(line) for line in _lines(plan))


def describe_outcome(outcome: Outcome) -> str:
    """Return the outcome with its details, one fact a line."""
    lines = [f"{outcome.status.value}: {outcome.summary}", *(f"  {detail}" for detail in outcome.details)]
    return "\n".join(printable(line) for line in lines)


def _lines(plan: Plan) -> Iterable[str]:
    yield plan.title
    yield from (f"  {_target(target)}" for target in plan.targets[:_SHOWN])
    if len(plan.targets) > _SHOWN:
        yield f"  and {len(plan.targets) - _SHOWN} more"
    if plan.refusal is not None:
        yield f"refused: {plan.refusal}"
        return
    yield from (f"does:    {step}" for step in plan.steps)
    for label, text in (("effect: ", plan.effect), ("risk:   ", plan.risk), ("undo:   ", plan.undo)):
        if text:
            yield f"{label} {text}"
    yield from (f"warning: {warning}" for warning in plan.warnings)


def _target(target: Target) -> str:
    parts = [str(target.id.pid), target.name, target.user, f"rss {format_bytes(target.rss)}"]
    if target.frees is not None:
        parts.append(f"frees {format_bytes(target.frees)}")
    if target.unit:
        parts.append(target.unit)
    if target.command and target.command != target.name:
        parts.append(target.command if len(target.command) <= 160 else target.command[:157] + "...")
    return "  ".join(parts)

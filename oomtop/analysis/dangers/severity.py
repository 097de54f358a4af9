"""The severity of a danger: critical means act now."""

from __future__ import annotations

from oomtop.analysis.dangers.rounds import LAST_ROUND
from oomtop.analysis.model.assessment import Severity
from oomtop.analysis.model.danger import Confidence, Danger, DangerKind, DangerState

_AT_ONCE, _SOON, _SURE, _WARNING = 10.0, 30.0, 120.0, 600.0
# Everything grows after its start, and a first saw-tooth looks like a leak until it falls: growth has to have lasted
# for half a minute, and for three times the time that is left.
_LASTING, _OF_GROWTH = 30.0, 1 / 3
_STARTING, _HALF = 3.0, 0.5
_NEARLY, _ALL = 0.9, 0.97


def severity_of(danger: Danger) -> Severity | None:
    """Return the severity of a danger, None if it is not worth reporting."""
    if danger.state is DangerState.EMPTY:
        return None
    if _is_critical(danger):
        return Severity.CRITICAL
    is_full = danger.share >= _NEARLY and danger.kind not in (DangerKind.MACHINE, DangerKind.NODE)
    is_near = danger.median is not None and danger.median <= _WARNING
    is_told = is_near and (danger.confidence is not Confidence.LOW or (danger.median or 0.0) <= _SURE)
    return Severity.WARNING if is_full or is_told else None


def _is_critical(danger: Danger) -> bool:
    if danger.kind is DangerKind.COMMIT and danger.share >= _ALL:
        return True
    if danger.median is None:
        return danger.state is DangerState.AT_LIMIT and danger.share >= _ALL
    growing = danger.growing or 0.0
    if danger.median <= _AT_ONCE:
        return danger.confidence is not Confidence.LOW or growing >= _STARTING or danger.share >= _HALF
    if danger.confidence is Confidence.LOW:
        return False
    most = _SURE if danger.confidence is Confidence.HIGH else _SOON if growing >= _LASTING else 0.0
    return danger.median <= (most if danger.basis == LAST_ROUND else min(most, growing * _OF_GROWTH))

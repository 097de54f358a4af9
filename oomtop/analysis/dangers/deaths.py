"""The victim at a limit, what its death frees there, and the next victims."""

from __future__ import annotations

from oomtop.analysis.model.assessment import Candidate, Victims
from oomtop.analysis.model.danger import DangerKind, Dying

_SHOWN = 3


def dying_at(kind: DangerKind, held: int, victims: Victims) -> tuple[Dying, ...]:
    """Return the victim with the memory its death frees, and the next victims.

    `held` is the use of the limit, including swap where that counts.
    """
    first = victims.first
    if kind is DangerKind.COMMIT or first is None:
        return ()
    after = [one for one in victims.candidates[1:] if one.id not in victims.dying][: _SHOWN - 1]
    all_free = first.frees if victims.dying_frees is None else victims.dying_frees
    return (_dying(first, all_free, kind, held), *(_dying(one, one.frees, kind, held) for one in after))


def _dying(one: Candidate, frees: int, kind: DangerKind, held: int) -> Dying:
    """Swap does not count towards a group limit, but towards the memory of machine and node."""
    swap = one.swap if kind is DangerKind.CGROUP else 0
    return Dying(one.id, one.name, one.uid, one.held, max(0, min(held, frees - swap)))

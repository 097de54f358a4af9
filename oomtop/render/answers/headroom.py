"""The answer of `oomtop headroom`, as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from oomtop.analysis.headroom import CanStart, HeadroomAnswer, Holder, RoomLeft
from oomtop.units import format_bytes, printable

_KINDS = {
    "machine": "{}",
    "cgroup": "limit of {}",
    "throttle": "memory.high of {}",
    "commit": "{}",
    "killer": "{} acts",
}


def render_headroom(answer: HeadroomAnswer) -> str:
    """Return the verdict, then every limit with what it has left, then who holds most where it is tight."""
    return "\n".join(printable(line) for line in _lines(answer))


def _lines(answer: HeadroomAnswer) -> Iterator[str]:
    yield _verdict(answer)
    for room in answer.rooms:
        short = answer.size - room.now
        end = f"short by {format_bytes(short)}" if short > 0 else f"leaves {format_bytes(-short)}"
        now, after = format_bytes(room.now), format_bytes(room.after_reclaim)
        yield f"  {_name(room):32} {now:>6} now, {after:>6} after reclaim, {end}"
    if answer.fit is not CanStart.YES:
        yield f"  largest programs there: {', '.join(map(_program, answer.holders))}"


def _program(holder: Holder) -> str:
    many = f" ({holder.processes} processes)" if holder.processes > 1 else ""
    return f"{holder.name} {format_bytes(holder.size)}{many}"


def _verdict(answer: HeadroomAnswer) -> str:
    size = format_bytes(answer.size)
    if answer.fit is CanStart.YES:
        return f"yes: {size} fits now"
    first = min(answer.rooms, key=lambda room: room.after_reclaim if answer.fit is CanStart.NO else room.now)
    if answer.fit is CanStart.AFTER_RECLAIM:
        return (
            f"after reclaim: {size} fits once {format_bytes(answer.size - first.now)} is swapped out ({_name(first)})"
        )
    return f"no: {size} does not fit, short by {format_bytes(answer.size - first.after_reclaim)} ({_name(first)})"


def _name(room: RoomLeft) -> str:
    return _KINDS[room.kind].format(room.name)


def headroom_to_json(answer: HeadroomAnswer) -> dict[str, object]:
    """Return the same as data, in bytes."""
    return {
        "schema": 1,
        "size": answer.size,
        "cgroup": answer.cgroup,
        "fit": answer.fit.value,
        "rooms": [{**asdict(room), "fits_now": room.now >= answer.size} for room in answer.rooms],
        "holders": [asdict(holder) for holder in answer.holders],
    }

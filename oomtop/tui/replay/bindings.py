"""The keys of a replay and of the comparison, as data."""

from __future__ import annotations

from textual.binding import Binding, BindingType


def _key(key: str, id: str, description: str, what: str | None = None, number: int = 0) -> Binding:
    return Binding(key, f"replay('{what or id}', {number})", description, show=False, id=f"replay.{id}")


REPLAY_BINDINGS: list[BindingType] = [
    _key("B", "minutes_before", "The recorded minutes before the OOM event"),
    _key("m", "mark", "Mark this moment to compare with"),
    _key("equals_sign", "compare", "Changes since the marked moment"),
    _key("p", "play", "Replay: play or pause"),
    _key("left_square_bracket", "back", "Replay: one tick back", "step", -1),
    _key("right_square_bracket", "on", "Replay: one tick on", "step", 1),
    _key("left_curly_bracket", "far_back", "Replay: twelve ticks back", "step", -12),
    _key("right_curly_bracket", "far_on", "Replay: twelve ticks on", "step", 12),
    _key("b", "previous_event", "Replay: previous event or action", "beside", -1),
    _key("n", "next_event", "Replay: next event or action", "beside", 1),
    _key("at", "ask_time", "Replay: go to a time"),
    _key("H", "highest_pressure", "Replay: the highest pressure"),
    _key("left_parenthesis", "slower", "Replay: slower", "change_speed", -1),
    _key("right_parenthesis", "faster", "Replay: faster, to 100x", "change_speed", 1),
    _key("R", "leave", "Replay: back to the live machine"),
]
ANYWHERE = frozenset({"minutes_before", "mark", "compare"})
"""Keys that also work on the live machine."""

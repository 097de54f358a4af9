"""Patterns of `protected` and `[[adjust]]` that can fit no process: named when the file is read, not when it matters.

fnmatch(3); names of units in systemd.unit(5), those with processes in systemd.service(5) and systemd.scope(5).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import translate

_UNITS = (".service", ".scope", ".socket", ".mount", ".swap")
_WILD = "*?["
_LONGEST = 4096
"""Bytes of a command line that are compared."""


def useless(pattern: str, of: str = "command") -> str | None:
    """Return why a pattern can fit nothing, None where it can; `of` is `command`, `unit` or `user`."""
    if pattern != pattern.strip():
        return f"{pattern!r} can fit nothing: it has blanks around it"
    if len(pattern) > _LONGEST:
        return f"{pattern[:20]!r}... can fit nothing: it is longer than any command line that is compared"
    if "(?!)" in translate(pattern):
        return f"{pattern!r} can fit nothing: the range between its brackets is empty"
    if of == "unit":
        return _useless_unit(pattern)
    if of == "user" and any(char in pattern for char in ":/ \t,"):
        return f"{pattern!r} can fit nothing: no user has such a name"
    return None


def _useless_unit(pattern: str) -> str | None:
    """The last part may be a wildcard; containers and pods are `docker/NAME`, units of a user `1000/NAME`."""
    if "/" in pattern or any(char in pattern.rpartition(".")[2] for char in _WILD) or pattern.endswith(_UNITS):
        return None
    known = ", ".join(_UNITS)
    if pattern.endswith((".slice", ".timer", ".target", ".path", ".device", ".automount")):
        return f"{pattern!r} can fit nothing: the unit of a process is one of {known}"
    return f"{pattern!r} can fit nothing: the name of a unit ends in one of {known}; did you mean {pattern}.service?"


def useless_patterns(protected: Iterable[str], rules: Sequence[Mapping[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield (key, why) of each pattern of `protected`, and of the rules' patterns, that can fit or decide nothing."""
    for pattern in protected:
        if (why := useless(pattern)) is not None:
            yield "protected", why
    for number, rule in enumerate(rules, 1):
        for of, pattern in rule.items():
            if (why := useless(pattern, of)) is not None:
                yield f"adjust[{number}].{of}", why
        earlier = next((at for at in range(number - 1) if rules[at].items() <= rule.items()), None)
        if earlier is not None:
            yield (
                f"adjust[{number}]",
                f"decides nothing: adjust[{earlier + 1}] before it fits all that it fits",
            )

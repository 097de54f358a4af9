"""Finds patterns of `protected` and `[[adjust]]` that cannot match any process, when the file is read.

fnmatch(3); unit names: systemd.unit(5), systemd.service(5), systemd.scope(5).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import translate

_UNITS = (".service", ".scope", ".socket", ".mount", ".swap")
_WILD = "*?["
_LONGEST = 4096
"""Length up to which command lines are compared, in bytes."""


def useless(pattern: str, of: str = "command") -> str | None:
    """Return why a pattern cannot match anything, else None; `of` is `command`, `unit` or `user`."""
    if pattern != pattern.strip():
        return f"{pattern!r} cannot match anything: it has leading or trailing blanks"
    if len(pattern) > _LONGEST:
        return f"{pattern[:20]!r}... cannot match anything: it is longer than any command line that is compared"
    if "(?!)" in translate(pattern):
        return f"{pattern!r} cannot match anything: the range between its brackets is empty"
    if of == "unit":
        return _useless_unit(pattern)
    if of == "user" and any(char in pattern for char in ":/ \t,"):
        return f"{pattern!r} cannot match anything: no user has such a name"
    return None


def _useless_unit(pattern: str) -> str | None:
    """The suffix may be a wildcard; containers and pods are `docker/NAME`, user units `1000/NAME`."""
    if "/" in pattern or any(char in pattern.rpartition(".")[2] for char in _WILD) or pattern.endswith(_UNITS):
        return None
    known = ", ".join(_UNITS)
    if pattern.endswith((".slice", ".timer", ".target", ".path", ".device", ".automount")):
        return f"{pattern!r} cannot match anything: the unit of a process ends in one of {known}"
    return f"{pattern!r} cannot match anything: unit names end in one of {known}; did you mean {pattern}.service?"


def useless_patterns(protected: Iterable[str], rules: Sequence[Mapping[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield (key, why) for each pattern of `protected` or a rule that cannot match or never decides."""
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
                f"has no effect: adjust[{earlier + 1}] comes first and matches all that it matches",
            )

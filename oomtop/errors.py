"""The exceptions of oomtop, each with its exit code."""

from __future__ import annotations

from collections.abc import Iterable


class OomtopError(Exception):
    """An error with a message for the user; `exit_code` is the exit code of the command."""

    exit_code = 1


class ConfigError(OomtopError):
    """An unusable configuration or theme file; names the file, the key and what was expected."""

    exit_code = 2

    def __init__(self, path: str, key: str, expected: str) -> None:
        where = f"{path}: {key}" if key else path
        super().__init__(f"{where}: {expected}")
        self.path = path
        self.key = key
        self.expected = expected


class ParseError(OomtopError):
    """A line of a kernel file in an undocumented format; None: the file does not exist."""

    exit_code = 3

    def __init__(self, path: str, line: str | None) -> None:
        super().__init__(f"{path}: cannot be read: is /proc mounted?" if line is None else
                         f"{path}: cannot read {line[:120]!r}")  # fmt: skip
        self.path = path
        self.line = line


class ActionRefused(OomtopError):
    """An action that is not allowed, with the reason."""

    exit_code = 4


class NothingLeft(ActionRefused):
    """An action on something that no longer exists; a retry cannot succeed."""


def nearest(word: str, known: Iterable[str], likeness: float = 0.6) -> str | None:
    """Return the known word that a mistyped one is most like, None where none is near."""
    import difflib

    return next(iter(difflib.get_close_matches(word, list(known), n=1, cutoff=likeness)), None)


def expected(word: str, known: Iterable[str]) -> str:
    """Return `did you mean X?` for a mistyped word, `expected one of ...` where no known one is near."""
    names = list(known)
    near = nearest(word, names)
    return f"did you mean {near}?" if near else f"expected one of {', '.join(names)}"

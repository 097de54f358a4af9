"""The errors that oomtop raises on purpose, each with the exit code it ends the program with."""

from __future__ import annotations


class OomtopError(Exception):
    """An error whose text is meant for the user; `exit_code` is what the command ends with."""

    exit_code = 1


class ConfigError(OomtopError):
    """A configuration or theme file that cannot be used; names file, key and what was expected."""

    exit_code = 2

    def __init__(self, path: str, key: str, expected: str) -> None:
        where = f"{path}: {key}" if key else path
        super().__init__(f"{where}: {expected}")
        self.path = path
        self.key = key
        self.expected = expected


class ParseError(OomtopError):
    """A known line of a kernel file that does not have the shape the kernel documents; None: there is no such file."""

    exit_code = 3

    def __init__(self, path: str, line: str | None) -> None:
        super().__init__(f"{path}: cannot be read: is /proc mounted?" if line is None else
                         f"{path}: cannot read {line[:120]!r}")  # fmt: skip
        self.path = path
        self.line = line


class ActionRefused(OomtopError):
    """An action that is not allowed, with the reason in words."""

    exit_code = 4


class NothingLeft(ActionRefused):
    """An action on something that is gone for good: no later try finds it."""

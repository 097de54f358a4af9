"""The configuration: `/etc/oomtop/config.toml`, then `$XDG_CONFIG_HOME/oomtop/config.toml` over it.

A mistake never prevents the start: a wrong key keeps its default and is reported as a `ConfigError`
with its file, its key and what was expected.  Sample lines: `interval = 1.0`, `protected = ["postgres*"]`,
`[keys]`, `"action.kill" = "k,f9"`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from oomtop.config.toml_text import loads
from oomtop.errors import ConfigError, expected, nearest
from oomtop.frozen import field, frozen, replace
from oomtop.host.trusted_file import UntrustedFile, read_trusted
from oomtop.host.user_names import config_home

if TYPE_CHECKING:
    from oomtop.config.alerts import AlertRule

    _Value = bool | float | str | tuple[str, ...] | tuple["AdjustRule", ...] | tuple[AlertRule, ...] | Mapping[str, str]

SYSTEM_PATH = "/etc/oomtop/config.toml"
OWN_FOLDER = "oomtop-monitor"
"""Folder under the user's configuration folder, for users of another program named oomtop."""
FOREIGN = f"ignored: it belongs to another program named oomtop; oomtop-monitor reads {OWN_FOLDER}/config.toml instead"
"""What is reported of that program's file."""


@frozen
class AdjustRule:
    """One `[[adjust]]`: the `oom_score_adj` of every process that matches all of its patterns."""

    adj: int
    command: str | None = None
    unit: str | None = None
    user: str | None = None

    @property
    def patterns(self) -> Mapping[str, str]:
        """Its patterns by the field they match; all of them must match."""
        found = {"command": self.command, "unit": self.unit, "user": self.user}
        return {of: pattern for of, pattern in found.items() if pattern is not None}


@frozen
class Config:
    """The configuration; a field has its default unless a file sets it."""

    interval: float = 2.0
    """Seconds between refreshes, 0.1 to 3600."""
    theme: str = "dark"
    """A theme by name, or the path of its file."""
    ascii: bool = False
    color: bool = True
    read_only: bool = False
    columns: tuple[str, ...] = ()
    """Column ids in display order; empty: all that fit."""
    sort: str | None = None
    """The column id to sort by at start."""
    hidden: tuple[str, ...] = ()
    """Ids of hidden sections of the screen: swap, pressure, findings, chart, events."""
    protected: tuple[str, ...] = ()
    """Shell patterns of names, command lines, units and users that no action may touch."""
    adjust: tuple[AdjustRule, ...] = ()
    """Rules that set `oom_score_adj` while the monitor or the recorder runs; the first match applies."""
    alerts: tuple[AlertRule, ...] = ()
    """Every `[[alert]]`; a later file replaces an alert of the same name."""
    warn: tuple[str, ...] = ()
    """Where the alerts go that come ready-made: wall, desktop, title, bell; empty: there are none."""
    keys: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Binding id to the keys that trigger it, comma-separated."""
    origins: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), compare=False)
    """The file that set each key."""

    @property
    def all_alerts(self) -> tuple[AlertRule, ...]:
        """The alerts of `alerts` and of `warn`."""
        if not self.warn:
            return self.alerts
        from oomtop.config.ready_alerts import ready_alerts

        return ready_alerts(self.warn, self.alerts)


class _Unexpected(Exception):
    """A value of the wrong type or range; the text says what was expected."""


def config_paths(environ: Mapping[str, str] = os.environ) -> tuple[str, str]:
    """Return the system's file and the user's file, whether they exist or not.

    The user's is `oomtop-monitor/config.toml` where there is one, else `oomtop/config.toml`.
    """
    home = config_home(environ)
    own, shared = (os.path.join(home, folder, "config.toml") for folder in (OWN_FOLDER, "oomtop"))
    return SYSTEM_PATH, own if os.path.lexists(own) else shared


def is_foreign(table: Mapping[str, object]) -> bool:
    """Whether a file belongs to another program: no key is known here, and a table has an unknown name.

    Another program named oomtop reads the same path.  Both have a table `keys`, and that program has a table
    `protected`: only `keys` is a table here.
    """
    tables = [
        key for key, value in table.items() if isinstance(value, (Mapping, list)) and not nearest(key, _KNOWN, 0.8)
    ]
    return bool(tables) and all(isinstance(value, Mapping) or key not in _KNOWN for key, value in table.items())


def path_to_change(path: str) -> str:
    """Return the file to write instead of `path` if that belongs to another program, else `path`.

    Raises:
        ConfigError: the file cannot be read, or is not TOML.
    """
    table = read_table(path)
    if table is None:
        return path
    # The default file of that program has all its tables commented out.
    comments: Mapping[str, object] = (
        {} if table else {name: {} for name in _COMMENTED.findall(read_trusted(path).decode())}
    )
    own = os.path.join(os.path.dirname(os.path.dirname(path)), OWN_FOLDER, "config.toml")
    return own if is_foreign({**comments, **table}) else path


def load_config(paths: Sequence[str]) -> tuple[Config, tuple[ConfigError, ...]]:
    """Return the merged configuration of all existing files, later ones over earlier, and every mistake."""
    config, errors = Config(), []
    for path in paths:
        try:
            table = read_table(path)
        except ConfigError as error:
            errors.append(error)
            continue
        if table is not None:
            config, mistakes = apply_table(config, table, path)
            errors.extend(mistakes)
    return config, tuple(errors)


def read_table(path: str) -> Mapping[str, object] | None:
    """Return the contents of a TOML file, or None if it does not exist.

    Raises:
        ConfigError: other users can write it, it cannot be read, or it is not TOML; the text names the line.
    """
    try:
        return parse_table(read_trusted(path), path)
    except FileNotFoundError:
        return None
    except UntrustedFile as error:
        raise ConfigError(path, "", f"ignored: {error.strerror}") from None
    except OSError as error:
        raise ConfigError(path, "", f"cannot be read: {error.strerror}") from None


def parse_table(raw: bytes, path: str) -> Mapping[str, object]:
    """Parse the bytes of a TOML file.

    Raises:
        ConfigError: it is not TOML; the text names the line.
    """
    try:
        return loads(raw.decode())
    except RecursionError:
        raise ConfigError(path, "", "is not TOML: too many levels") from None
    except ValueError as error:
        # Not UTF-8, not TOML, or a number with more digits than Python parses.
        raise ConfigError(path, "", f"is not TOML: {error}") from None


def apply_table(config: Config, table: Mapping[str, object], path: str) -> tuple[Config, tuple[ConfigError, ...]]:
    """Return `config` with the valid keys of `table`, and an error for each invalid one."""
    values: dict[str, _Value] = {}
    errors: list[ConfigError] = []
    if is_foreign(table):
        return config, (ConfigError(path, "", FOREIGN),)
    for key, value in table.items():
        if key == "alert":
            # Imported only if there are alerts: it takes 4 ms.
            from oomtop.config.alerts import read_alerts

            rules, mistakes = read_alerts(value, path)
            errors.extend(mistakes)
            values["alerts"] = tuple({rule.name: rule for rule in (*config.alerts, *rules)}.values())
            continue
        if key not in _READERS:
            errors.append(ConfigError(path, key, _unknown(key)))
            continue
        try:
            values[key] = _READERS[key](value)
        except _Unexpected as expected:
            errors.append(ConfigError(path, key, f"expected {expected}, found {_found(value)}"))
    if "keys" in values:
        values["keys"] = MappingProxyType({**config.keys, **_texts(values["keys"])})
    origins = MappingProxyType({**config.origins, **dict.fromkeys(values, path)})
    changed: Config = replace(config, origins=origins, **values)  # type: ignore[arg-type]
    return changed, (*errors, *_useless(changed, values, path))


def _useless(config: Config, values: Mapping[str, object], path: str) -> Iterator[ConfigError]:
    """Yield a warning for each pattern that can never match; the patterns are used all the same."""
    if "protected" not in values and "adjust" not in values:
        return
    # Imported only if there are patterns: it takes 2 ms.
    from oomtop.config.patterns import useless_patterns

    rules = [rule.patterns for rule in config.adjust] if "adjust" in values else []
    for key, why in useless_patterns(config.protected if "protected" in values else (), rules):
        yield ConfigError(path, key, why)


def _unknown(key: str) -> str:
    return f"unknown key; {expected(key, _KNOWN)}"


def _found(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0.1 <= value <= 3600:
        raise _Unexpected("a number of seconds from 0.1 to 3600")
    return float(value)


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise _Unexpected("true or false")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise _Unexpected("a string")
    return value


def _list(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise _Unexpected("a list of strings")
    return tuple(value)


def _ways(value: object) -> tuple[str, ...]:
    from oomtop.config.alerts import WAYS

    if not isinstance(value, list) or not all(item in WAYS for item in value):
        raise _Unexpected(f"a list of {', '.join(WAYS)}")
    return tuple(value)


def _texts(value: object) -> Mapping[str, str]:
    if not isinstance(value, Mapping) or not all(isinstance(item, str) and item for item in value.values()):
        raise _Unexpected('a table such as { "action.kill" = "k,f9" }')
    return value


def _rules(value: object) -> tuple[AdjustRule, ...]:
    if not isinstance(value, list):
        raise _Unexpected("a list of tables: [[adjust]]")
    return tuple(_rule(item) for item in value)


def _rule(item: object) -> AdjustRule:
    if not isinstance(item, Mapping) or not set(item) <= {"adj", "command", "unit", "user"}:
        raise _Unexpected("only adj, command, unit and user in an [[adjust]]")
    patterns = {key: text for key, text in item.items() if key != "adj"}
    if not patterns or not all(isinstance(text, str) and text for text in patterns.values()):
        raise _Unexpected("command, unit or user with a string in each [[adjust]]")
    adj = item.get("adj")
    if isinstance(adj, bool) or not isinstance(adj, int) or not -1000 <= adj <= 1000:
        raise _Unexpected("adj, a whole number from -1000 to 1000, in each [[adjust]]")
    return AdjustRule(adj, **patterns)


_READERS: Mapping[str, Callable[[object], _Value]] = MappingProxyType(
    {
        "interval": _seconds,
        "theme": _text,
        "ascii": _flag,
        "color": _flag,
        "read_only": _flag,
        "columns": _list,
        "sort": _text,
        "hidden": _list,
        "protected": _list,
        "adjust": _rules,
        "warn": _ways,
        "keys": _texts,
    }
)
_KNOWN = (*_READERS, "alert")
_COMMENTED = re.compile(r"^#\s*\[+([\w-]+)", re.MULTILINE)

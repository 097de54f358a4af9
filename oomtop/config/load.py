"""The configuration: `/etc/oomtop/config.toml`, then `$XDG_CONFIG_HOME/oomtop/config.toml` over it.

A mistake never keeps the program from starting: every wrong key is left at its default and named as a `ConfigError`
with its file, its key and what was expected.  Sample lines: `interval = 1.0`, `protected = ["postgres*"]`,
`[keys]`, `"action.kill" = "k,f9"`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field
from types import MappingProxyType
from typing import TYPE_CHECKING

from oomtop.config.toml_text import loads
from oomtop.errors import ConfigError
from oomtop.frozen import frozen, replace
from oomtop.host.trusted_file import UntrustedFile, read_trusted
from oomtop.host.user_names import config_home

if TYPE_CHECKING:
    from oomtop.config.alerts import AlertRule

    _Value = bool | float | str | tuple[str, ...] | tuple["AdjustRule", ...] | tuple[AlertRule, ...] | Mapping[str, str]

SYSTEM_PATH = "/etc/oomtop/config.toml"
OWN_FOLDER = "oomtop-monitor"
"""In the user's folder of configurations, for who has another program's file in `oomtop`."""


@frozen
class AdjustRule:
    """One `[[adjust]]`: the `oom_score_adj` of every process that all of its patterns fit."""

    adj: int
    command: str | None = None
    unit: str | None = None
    user: str | None = None

    @property
    def patterns(self) -> Mapping[str, str]:
        """Its patterns by what they are for; all of them have to fit."""
        found = {"command": self.command, "unit": self.unit, "user": self.user}
        return {of: pattern for of, pattern in found.items() if pattern is not None}


@frozen
class Config:
    """What the files say; a field is its default until a file sets it."""

    interval: float = 2.0
    """Seconds between refreshes, 0.1 to 3600."""
    theme: str = "dark"
    """A theme by name, or the path of its file."""
    ascii: bool = False
    color: bool = True
    read_only: bool = False
    columns: tuple[str, ...] = ()
    """Column ids in the order shown; none: all that fit."""
    sort: str | None = None
    """The column id sorted by at start."""
    hidden: tuple[str, ...] = ()
    """Ids of the sections of the screen that are not shown: swap, pressure, findings, chart, events."""
    protected: tuple[str, ...] = ()
    """Shell patterns on names, command lines, units and users that no action touches."""
    adjust: tuple[AdjustRule, ...] = ()
    """What processes get as their `oom_score_adj` while the monitor or the recorder runs; the first that fits."""
    alerts: tuple[AlertRule, ...] = ()
    """Every `[[alert]]`; one of a later file takes the place of one with its name."""
    keys: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Binding id to the keys that trigger it, comma separated."""
    origins: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}), compare=False)
    """Which file each key was set in."""


class _Unexpected(Exception):
    """A value that is not what the key takes; the text is what was expected."""


def config_paths(environ: Mapping[str, str] = os.environ) -> tuple[str, str]:
    """Return the system's file and the user's file, whether they exist or not.

    The user's is `oomtop-monitor/config.toml` where there is one, else `oomtop/config.toml`.
    """
    home = config_home(environ)
    own, shared = (os.path.join(home, folder, "config.toml") for folder in (OWN_FOLDER, "oomtop"))
    return SYSTEM_PATH, own if os.path.lexists(own) else shared


def is_foreign(table: Mapping[str, object]) -> bool:
    """Whether a file is another program's: no key of it is known here, and a table has a name like none of them.

    Another program is called oomtop too, and reads the same path.  Both have a table `keys`, and it has a table
    `protected`: only `keys` is a table here.
    """
    tables = [key for key, value in table.items() if isinstance(value, (Mapping, list)) and not _nearest(key, 0.8)]
    return bool(tables) and all(isinstance(value, Mapping) or key not in _KNOWN for key, value in table.items())


def path_to_change(path: str) -> str:
    """Return where to write what belongs into the user's file `path`: another program's file is left as it is.

    Raises:
        ConfigError: the file cannot be read, or is not TOML.
    """
    table = read_table(path)
    if table is None:
        return path
    # That program's own first file has all its tables in comments.
    comments: Mapping[str, object] = (
        {} if table else {name: {} for name in _COMMENTED.findall(read_trusted(path).decode())}
    )
    own = os.path.join(os.path.dirname(os.path.dirname(path)), OWN_FOLDER, "config.toml")
    return own if is_foreign({**comments, **table}) else path


def load_config(paths: Sequence[str]) -> tuple[Config, tuple[ConfigError, ...]]:
    """Return the configuration of all files that exist, a later one over an earlier, and every mistake in them."""
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
    """Return what a TOML file holds, None where there is no such file.

    Raises:
        ConfigError: others could have written it, it cannot be read, or it is not TOML; the text names the line.
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
    """Return what the bytes of a TOML file hold.

    Raises:
        ConfigError: it is not TOML; the text names the line.
    """
    try:
        return loads(raw.decode())
    except RecursionError:
        raise ConfigError(path, "", "is not TOML: too many levels") from None
    except ValueError as error:
        # No UTF-8, no TOML, or a number of more digits than Python reads.
        raise ConfigError(path, "", f"is not TOML: {error}") from None


def apply_table(config: Config, table: Mapping[str, object], path: str) -> tuple[Config, tuple[ConfigError, ...]]:
    """Return `config` with what is right in `table`, and an error for each key that is not."""
    values: dict[str, _Value] = {}
    errors: list[ConfigError] = []
    if is_foreign(table):
        return config, (ConfigError(path, "", _FOREIGN),)
    for key, value in table.items():
        if key == "alert":
            # 4 ms of the start that only who has alerts waits for.
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
    """Yield what the file's patterns can never do; they are taken all the same."""
    if "protected" not in values and "adjust" not in values:
        return
    # 2 ms of the start that only who has patterns waits for.
    from oomtop.config.patterns import useless_patterns

    rules = [rule.patterns for rule in config.adjust] if "adjust" in values else []
    for key, why in useless_patterns(config.protected if "protected" in values else (), rules):
        yield ConfigError(path, key, why)


def _unknown(key: str) -> str:
    near = _nearest(key)
    return f"unknown key; did you mean {near}?" if near else f"unknown key; known are {', '.join(_KNOWN)}"


def _nearest(key: str, likeness: float = 0.6) -> str | None:
    import difflib

    return next(iter(difflib.get_close_matches(key, _KNOWN, n=1, cutoff=likeness)), None)


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
        raise _Unexpected("a text")
    return value


def _list(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise _Unexpected("a list of texts")
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
        raise _Unexpected("command, unit or user with a text in each [[adjust]]")
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
        "keys": _texts,
    }
)
_KNOWN = (*_READERS, "alert")
_FOREIGN = f"left alone: it is of another program named oomtop; oomtop-monitor reads {OWN_FOLDER}/config.toml instead"
_COMMENTED = re.compile(r"^#\s*\[+([\w-]+)", re.MULTILINE)

"""What a configuration or theme file says: each key is taken or named as a mistake; nothing else is raised."""

from random import Random

from oomtop.analysis.process_patterns import fits, is_protected, names_of
from oomtop.config.load import Config, apply_table, parse_table
from oomtop.errors import ConfigError
from oomtop.tui.style.theme import is_colour
from oomtop.tui.style.theme_file import text_of
from tests.fuzz.harness import Door, mutate
from tests.tui.factories import make_process

NAMES = names_of(make_process(1, "a" * 15, command="x" * 4000 + "!"), "root", "/usr/bin/" + "a" * 40)
VALUES = (
    *("1", "-1", "0.1", "1e400", "nan", "-inf", "9" * 400, "9" * 5000, "true", '""', '"a"', '"[z-a]*"', '"[[:x:]]"'),
    *('"' + "*a" * 30 + 'b"', "[]", '["a", "b*", " "]', "{}", '{ a = "b" }', "[" * 500, "[" * 5000, "1979-05-27", "0x10"),
    *('"9999999999999999999h"', '"available < 10%"', '"oom_kill"', '"a < b and c"', '["sh", "-c", "x"]', '"http://[::1"'),
    *('"http://x:99999/"', '{ X = "a\\nb" }', '"\\u202e\\u001b[31m"', '"1000000000000000P"', "1_000", '"#5fafd7"'),
)  # fmt: skip
KEYS = (
    *("interval", "theme", "ascii", "columns", "sort", "hidden", "protected", "keys", "name", "when", "clear", "for"),
    *("clear_for", "severity", "command", "shell", "timeout", "webhook", "headers", "adj", "unit", "user", "primary"),
)  # fmt: skip
ALERT_KEYS = ("clear", "for", "clear_for", "severity", "command", "shell", "timeout", "webhook", "headers", "cgroup")
ALERT = '[[alert]]\nname = "a"\nwhen = "available < 10%"'
TABLES = ("[[adjust]]", "[[alert]]", ALERT, ALERT, "[keys]", "[colors]", "[bar]", "[alert]", "[a.b.c]", "")


def make(rng: Random) -> bytes:
    """Return lines of right keys with any value, some of them damaged."""
    lines = [
        _table(rng) if rng.random() < 0.25 else f"{rng.choice(KEYS)} = {rng.choice(VALUES)}"
        for _ in range(rng.randint(1, 12))
    ]
    raw = "\n".join(lines).encode()
    return mutate(rng, raw) if rng.random() < 0.4 else raw


def _table(rng: Random) -> str:
    table = rng.choice(TABLES)
    return f"{table}\n{rng.choice(ALERT_KEYS)} = {rng.choice(VALUES)}" if table == ALERT else table


def attempt(raw: bytes) -> None:
    """Read it as both kinds of file, and use the patterns that were taken."""
    try:
        table = parse_table(raw, "file")
    except ConfigError:
        return
    config, _ = apply_table(Config(), table, "file")
    for pattern in config.protected:
        is_protected(pattern, NAMES)
    for rule in config.adjust:
        fits(rule, NAMES)
    try:
        text_of(table, "file", is_colour)
    except ConfigError:
        return


DOOR = Door("config", make, attempt, few=400, many=100_000)

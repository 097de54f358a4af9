"""`[[alert]]` tables: what is right becomes a rule, what is wrong is named with its key and what was expected."""

from __future__ import annotations

import pytest

from oomtop.alerts import figures
from oomtop.analysis.assessment import assess
from oomtop.config.alerts import FIGURES, AlertScope, Threshold
from oomtop.config.load import Config, apply_table
from oomtop.config.toml_text import loads
from oomtop.errors import ConfigError
from oomtop.history import History
from tests.present import present
from tests.synthetic import SyntheticMachine


def read(text: str, config: Config | None = None) -> tuple[Config, tuple[ConfigError, ...]]:
    return apply_table(config or Config(), loads(text), "/etc/oomtop/config.toml")


def alert(**keys: str) -> str:
    lines = {"name": '"low"', "when": '"available < 10%"', **keys}
    return "[[alert]]\n" + "\n".join(f"{key} = {value}" for key, value in lines.items())


def test_a_whole_alert_is_read() -> None:
    config, errors = read(
        """
        [[alert]]
        name = "group full"
        when = "cgroup.headroom < 5% and available < 2GiB"
        clear = ["10%", "3GiB"]
        for = "30s"
        clear_for = "2m"
        severity = "critical"
        cgroup = "/system.slice/*"
        bell = true
        command = ["/usr/local/bin/page", "--now"]
        timeout = "5s"
        webhook = "https://example.org:8443/hook?a=b"
        headers = { Authorization = "Bearer abc" }
        resolved = false
        """
    )
    assert errors == ()
    (rule,) = config.alerts
    assert rule.scope is AlertScope.CGROUP
    assert [condition.figure for condition in rule.conditions] == ["cgroup.headroom", "available"]
    assert rule.conditions[0].threshold == Threshold(0.05, True, "5%")
    assert rule.conditions[1].clear == Threshold(3 << 30, False, "3GiB")
    assert (rule.hold, rule.clear_for, rule.timeout) == (30, 120, 5)
    assert rule.command == ("/usr/local/bin/page", "--now")


@pytest.mark.parametrize(
    ("keys", "key", "expected"),
    [
        ({"when": '"availible < 10%"'}, "when", "unknown metric 'availible'; did you mean available?"),
        ({"when": '"available"'}, "when", "expected available < or > a size such as 2GiB, or a percentage"),
        (
            {"when": '"available < lots"'},
            "when",
            "expected a size such as 2GiB, or a percentage such as 10%, found 'lots'",
        ),
        ({"when": '"psi.full.avg10 > 20"'}, "when", "expected a percentage such as 20%, found '20'"),
        ({"when": '"swap.in > 10M"'}, "when", "bytes per time"),
        ({"when": '"exhaustion < 5"'}, "when", "length of time"),
        ({"when": '"oom_kill > 3"'}, "when", "expected oom_kill alone"),
        ({"when": '"cgroup.current > 1G and process.rss > 1G"'}, "when", "one kind of thing"),
        ({"when": "[]"}, "when", "a string or a list"),
        ({"when": "7"}, "when", "expected a string"),
        ({"clear": '"5%"'}, "clear", "expected a threshold above 10%"),
        ({"clear": '["5%", "7%"]'}, "clear", "as many thresholds as there are conditions: 1"),
        ({"for": '"soon"'}, "for", "expected a length of time"),
        ({"for": "-1"}, "for", "expected a string"),
        ({"severity": '"loud"'}, "severity", "expected one of info, warning, critical"),
        ({"cgroup": '"/a"'}, "cgroup", "does not apply to a condition on the machine"),
        ({"command": '"rm -rf /"'}, "command", "a string needs shell = true"),
        ({"command": "[]"}, "command", "a string or a list"),
        ({"timeout": '"1d"'}, "timeout", "up to 10m"),
        ({"webhook": '"ftp://x/"'}, "webhook", "expected a URL"),
        ({"webhook": '"http://x:99999/"'}, "webhook", "expected a URL"),
        ({"webhook": '"http://a:b@x/"'}, "webhook", "no user in the URL"),
        ({"webhook": '"http://x/\\r\\nHost: y"'}, "webhook", "expected a URL"),
        ({"headers": '{ "X" = "a\\r\\nb" }'}, "headers", "one-line strings"),
        ({"bell": "1"}, "bell", "expected true or false"),
        ({"colour": '"red"'}, "colour", "unknown key; expected one of name, when"),
        ({"name": '""'}, "name", "expected a string"),
    ],
)
def test_a_mistake_names_file_key_and_what_was_expected(keys: dict[str, str], key: str, expected: str) -> None:
    config, (error,) = read(alert(**keys) + '\n[[alert]]\nname = "b"\nwhen = "oom_kill"')
    assert error.key == f"alert[1].{key}"
    assert str(error).startswith("/etc/oomtop/config.toml: alert[1].")
    assert expected in str(error)
    assert [rule.name for rule in config.alerts] == ["b"]


def test_no_list_of_tables() -> None:
    assert "[[alert]]" in str(read("alert = 3")[1][0])
    assert "is missing" in str(read('[[alert]]\nname = "a"')[1][0])
    assert "no other alert" in str(read(alert() + "\n" + alert())[1][0])


def test_a_later_file_replaces_by_name_and_adds() -> None:
    config, _ = read(alert() + '\n[[alert]]\nname = "b"\nwhen = "oom_kill"')
    config, _ = read(alert(when='"available < 1G"'), config)
    assert [(rule.name, rule.conditions[0].figure) for rule in config.alerts] == [
        ("low", "available"),
        ("b", "oom_kill"),
    ]
    assert present(config.alerts[0].conditions[0].threshold).amount == 1 << 30


def test_every_figure_of_the_configuration_is_read() -> None:
    tick = next(iter(SyntheticMachine(20, 5).ticks(1)))
    history = History()
    history.add(tick)
    found = assess(tick, history, None)
    assert {name for name in FIGURES if not figures.read(name, found, {})} <= {"finding", "oom_kill"}

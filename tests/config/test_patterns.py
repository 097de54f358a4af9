"""Patterns that cannot match anything are named when the file is read."""

from pathlib import Path

import pytest

from oomtop.config.load import Config, load_config


def mistakes_of(tmp_path: Path, text: str) -> tuple[Config, list[str]]:
    path = tmp_path / "config.toml"
    path.write_text(text)
    config, mistakes = load_config((str(path),))
    return config, [str(mistake).removeprefix(f"{path}: ") for mistake in mistakes]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('protected = [" sshd"]', "protected: ' sshd' cannot match anything: it has leading or trailing blanks"),
        (
            'protected = ["a", "[z-a]"]',
            "protected: '[z-a]' cannot match anything: the range between its brackets is empty",
        ),
        (f'protected = ["{"x" * 5000}"]', "longer than any command line"),
        (
            '[[adjust]]\nadj = 1\nunit = "batch"',
            "adjust[1].unit: 'batch' cannot match anything: unit names end in one of",
        ),
        ('[[adjust]]\nadj = 1\nunit = "batch"', "did you mean batch.service?"),
        ('[[adjust]]\nadj = 1\nunit = "batch.slice"', "the unit of a process ends in one of"),
        ('[[adjust]]\nadj = 1\nunit = "batch*.timer"', "the unit of a process ends in one of"),
        ('[[adjust]]\nadj = 1\nuser = "a:b"', "adjust[1].user: 'a:b' cannot match anything: no user has such a name"),
        ('[[adjust]]\nadj = 1\ncommand = "x "', "adjust[1].command: 'x ' cannot match anything"),
        (
            '[[adjust]]\nadj = 1\ncommand = "x"\n[[adjust]]\nadj = 2\ncommand = "x"\nuser = "y"',
            "adjust[2]: has no effect: adjust[1] comes first and matches all that it matches",
        ),
    ],
)
def test_a_pattern_that_can_fit_nothing_is_named_and_kept(tmp_path: Path, text: str, said: str) -> None:
    config, mistakes = mistakes_of(tmp_path, text)
    assert len(mistakes) == 1
    assert said in mistakes[0]
    assert config.protected or config.adjust


@pytest.mark.parametrize(
    "text",
    [
        'protected = ["sshd*", "my-very-long-daemon-name", "postgres: *", "/usr/bin/x", "[a-z]*", "[!a]", "web.service"]',
        '[[adjust]]\nadj = 1\nunit = "batch-*"',
        '[[adjust]]\nadj = 1\nunit = "batch-*.service"',
        '[[adjust]]\nadj = 1\nunit = "*batch.s*"',
        '[[adjust]]\nadj = 1\nunit = "docker/web"',
        '[[adjust]]\nadj = 1\nunit = "1000/app.service"',
        '[[adjust]]\nadj = 1\nuser = "w*"\n[[adjust]]\nadj = 2\ncommand = "w*"',
    ],
)
def test_other_patterns_are_not(tmp_path: Path, text: str) -> None:
    assert mistakes_of(tmp_path, text)[1] == []

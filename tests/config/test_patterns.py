"""Patterns that can fit nothing are named when the file is read."""

import pytest

from oomtop.config.load import load_config


def mistakes_of(tmp_path, text):
    path = tmp_path / "config.toml"
    path.write_text(text)
    config, mistakes = load_config((str(path),))
    return config, [str(mistake).removeprefix(f"{path}: ") for mistake in mistakes]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('protected = [" sshd"]', "protected: ' sshd' can fit nothing: it has blanks around it"),
        ('protected = ["a", "[z-a]"]', "protected: '[z-a]' can fit nothing: the range between its brackets is empty"),
        (f'protected = ["{"x" * 5000}"]', "longer than any command line"),
        (
            '[[adjust]]\nadj = 1\nunit = "batch"',
            "adjust[1].unit: 'batch' can fit nothing: the name of a unit ends in one of",
        ),
        ('[[adjust]]\nadj = 1\nunit = "batch"', "did you mean batch.service?"),
        ('[[adjust]]\nadj = 1\nunit = "batch.slice"', "the unit of a process is one of"),
        ('[[adjust]]\nadj = 1\nunit = "batch*.timer"', "the unit of a process is one of"),
        ('[[adjust]]\nadj = 1\nuser = "a:b"', "adjust[1].user: 'a:b' can fit nothing: no user has such a name"),
        ('[[adjust]]\nadj = 1\ncommand = "x "', "adjust[1].command: 'x ' can fit nothing"),
        (
            '[[adjust]]\nadj = 1\ncommand = "x"\n[[adjust]]\nadj = 2\ncommand = "x"\nuser = "y"',
            "adjust[2]: decides nothing: adjust[1] before it fits all that it fits",
        ),
    ],
)
def test_a_pattern_that_can_fit_nothing_is_named_and_kept(tmp_path, text, said):
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
def test_other_patterns_are_not(tmp_path, text):
    assert mistakes_of(tmp_path, text)[1] == []

"""The configuration: what the files say, and that no mistake in them keeps the program from starting."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from oomtop.config.load import Config, config_paths, load_config, path_to_change


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., str]:
    def write_file(text: str | bytes, name: str = "config.toml") -> str:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    return write_file


def test_no_file_is_all_defaults(tmp_path: Path) -> None:
    assert load_config((str(tmp_path / "none.toml"),)) == (Config(), ())


def test_every_key_is_read(write: Callable[..., str]) -> None:
    path = write(
        'interval = 1\ntheme = "mono"\nascii = true\ncolor = false\nread_only = true\ncolumns = ["pid", "rss"]\n'
        'sort = "rss"\nprotected = ["sshd*"]\n[keys]\n"action.kill" = "x"\n'
    )
    config, errors = load_config((path,))
    assert errors == ()
    assert (config.interval, config.theme, config.ascii, config.color) == (1.0, "mono", True, False)
    assert (config.read_only, config.columns, config.sort) == (True, ("pid", "rss"), "rss")
    assert (config.protected, dict(config.keys)) == (("sshd*",), {"action.kill": "x"})


def test_the_user_goes_over_the_system_key_by_key(write: Callable[..., str]) -> None:
    system = write('interval = 5\ntheme = "light"\n[keys]\n"a" = "1"\n"b" = "2"\n', "system.toml")
    user = write('theme = "mono"\n[keys]\n"b" = "3"\n', "user.toml")
    config, errors = load_config((system, user))
    assert errors == ()
    assert (config.interval, config.theme, dict(config.keys)) == (5.0, "mono", {"a": "1", "b": "3"})


@pytest.mark.parametrize(
    ("line", "key", "expected"),
    [
        ("interval = 0", "interval", "seconds from 0.1 to 3600"),
        ("interval = true", "interval", "seconds from 0.1 to 3600"),
        ("interval = nan", "interval", "seconds from 0.1 to 3600"),
        ('ascii = "yes"', "ascii", "true or false"),
        ("theme = 3", "theme", "a string"),
        ("columns = [1]", "columns", "a list of strings"),
        ("keys = 1", "keys", "a table"),
        ("intervall = 1", "intervall", "did you mean interval?"),
        ("zzz = 1", "zzz", "expected one of interval"),
    ],
)
def test_a_mistake_names_file_key_and_what_was_expected(
    write: Callable[..., str], line: str, key: str, expected: str
) -> None:
    path = write(f"{line}\nread_only = true\n")
    config, errors = load_config((path,))
    assert config == Config(read_only=True)
    assert [(error.path, error.key) for error in errors] == [(path, key)]
    assert expected in errors[0].expected
    assert str(errors[0]).startswith(f"{path}: {key}: ")


def test_a_syntax_error_names_file_and_line(write: Callable[..., str]) -> None:
    path = write("interval = 1\ntheme = \n")
    config, errors = load_config((path,))
    assert config == Config()
    assert path in str(errors[0])
    assert "line 2" in str(errors[0])


def test_bytes_that_are_no_text_are_an_error_too(write: Callable[..., str]) -> None:
    config, errors = load_config((write(b"theme = '\xff'\n"),))
    assert config == Config()
    assert len(errors) == 1


def test_a_folder_in_the_files_place_is_an_error(tmp_path: Path) -> None:
    assert "ignored: it is a folder" in str(load_config((str(tmp_path),))[1][0])


def test_where_the_files_are() -> None:
    assert config_paths({"XDG_CONFIG_HOME": "/x", "HOME": "/h"})[1] == "/x/oomtop/config.toml"
    assert config_paths({"XDG_CONFIG_HOME": "relative", "HOME": "/h"})[1] == "/h/.config/oomtop/config.toml"


@pytest.mark.parametrize("number", ["9" * 400, "-" + "9" * 400, "9" * 5000, "nan", "inf", "1e999"])
@pytest.mark.parametrize("key", ["interval", "for", "clear_for", "timeout"])
def test_a_number_without_bounds_is_a_mistake_of_its_key(tmp_path: Path, key: str, number: str) -> None:
    table = "" if key == "interval" else '[[alert]]\nname = "a"\nwhen = "oom_kill"\n'
    path = tmp_path / "config.toml"
    path.write_text(f"{table}{key} = {number}\n")
    config, mistakes = load_config((str(path),))
    assert len(mistakes) == 1
    assert config.interval == 2.0


# As another program named oomtop has it, all of its tables at once and each alone.
OTHERS = ["general", "appearance", "thresholds", "format", "models", "privacy", "personalization", "headroom", "serve"]


@pytest.mark.parametrize("names", [[name] for name in OTHERS] + [[*OTHERS, "keys", "protected"]], ids=" ".join)
def test_the_file_of_another_program_is_left_alone_and_said(write: Callable[..., str], names: list[str]) -> None:
    path = write("".join(f"[{name}]\npreset = 'vim'\n" for name in names))
    config, errors = load_config((path,))
    assert config == Config()
    assert [error.key for error in errors] == [""]
    assert "ignored: it belongs to another program named oomtop" in errors[0].expected
    assert path_to_change(path) != path


def test_a_misspelt_table_of_ours_is_a_mistake_and_nothing_more(write: Callable[..., str]) -> None:
    path = write("[[alerts]]\nname = 'x'\n[[adjusts]]\nadj = 1\n")
    assert [error.key for error in load_config((path,))[1]] == ["alerts", "adjusts"]
    assert path_to_change(path) == path


def test_what_is_saved_goes_beside_the_file_of_another_program(tmp_path: Path) -> None:
    folder = tmp_path / "oomtop"
    folder.mkdir()
    theirs, ours = folder / "config.toml", tmp_path / "oomtop-monitor/config.toml"
    assert path_to_change(str(theirs)) == str(theirs)
    theirs.write_text("## every option with its default\n# [general]\n# refresh_ms = 2000\n# [keys]\n")
    assert path_to_change(str(theirs)) == str(ours)
    theirs.write_text("# my own notes\n# [keys]\n")
    assert path_to_change(str(theirs)) == str(theirs)
    ours.parent.mkdir()
    ours.write_text("interval = 3\n")
    paths = config_paths({"XDG_CONFIG_HOME": str(tmp_path)})
    assert paths[1] == str(ours)
    assert load_config(paths[1:])[0].interval == 3.0

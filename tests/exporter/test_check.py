"""`oomtop check`: levels, exit codes and the line that Nagios reads."""

from __future__ import annotations

import argparse
from typing import Any

import pytest

from oomtop.commands import check
from oomtop.host.pressure import Pressure, PressureLine
from tests.tui.factories import make_assessment


def parse(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    check.add_arguments(parser)
    return parser.parse_args(words)


def probe(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: str, **changes: Any
) -> tuple[int, str]:
    monkeypatch.setattr(check, "_sample", lambda options: make_assessment(**changes))
    code = check.run(parse(*words))
    return code, capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "code", "word"),
    [
        ((), 0, "OK"),
        (("--available", "10%"), 0, "OK"),
        (("--available", "70,10"), 1, "WARNING"),
        (("--available", "80,70"), 2, "CRITICAL"),
        (("--swap-free", "80,50"), 1, "WARNING"),
        (("--headroom", "20,10"), 0, "OK"),
        (("--psi-full", "20"), 3, "UNKNOWN"),
        (("--psi-full", "20", "--available", "99"), 2, "CRITICAL"),
    ],
)
def test_levels(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], code: int, word: str
) -> None:
    found, text = probe(monkeypatch, capsys, *words)
    assert (found, text.split()[1]) == (code, word)
    assert text.count("\n") == 1


def test_pressure_and_perfdata(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    line = PressureLine(0.0, 25.0, 0.0, 0)
    pressure = make_assessment().pressure
    pressure = type(pressure)(Pressure(line, line), None, 0.0, 0.0, 0.0, 0, None)
    code, text = probe(monkeypatch, capsys, "--psi-full", "20,30", "--available", "10", pressure=pressure)
    assert code == 1
    assert (
        text
        == "OOMTOP WARNING - available 62.5%, psi_full 25.0% | available=62.50%;;10:;0;100 psi_full=25.00%;20;30;0;100\n"
    )


@pytest.mark.parametrize(
    "words", [("--available", "5,10"), ("--psi-full", "30,20"), ("--available", "x"), ("--available", "1,2,3")]
)
def test_wrong_bounds_are_refused(words: tuple[str, str]) -> None:
    with pytest.raises(SystemExit):
        parse(*words)


def test_a_machine_that_cannot_be_read_is_unknown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(options: argparse.Namespace) -> None:
        raise OSError("gone")

    monkeypatch.setattr(check, "_sample", fail)
    assert check.run(parse()) == 3
    assert capsys.readouterr().out.startswith("OOMTOP UNKNOWN")


@pytest.mark.parametrize("words", [("--available", "lots"), ("--no-such",), ("stray",)])
def test_wrong_words_are_unknown_and_not_critical(capsys: pytest.CaptureFixture[str], words: tuple[str, ...]) -> None:
    from oomtop import cli

    with pytest.raises(SystemExit) as ended:
        cli.run(["check", *words])
    assert ended.value.code == 3
    with pytest.raises(SystemExit) as ended:
        cli.run(["top", *words])
    assert ended.value.code == 2

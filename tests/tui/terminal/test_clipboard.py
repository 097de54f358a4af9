"""What reaches the clipboard can be pasted into a shell: whatever a process is called, nothing in it is run."""

import base64
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.widgets import OptionList

from oomtop.analysis.model.assessment import ProcessRow
from oomtop.snapshot import Tick
from oomtop.tui.process_table import copies as table_copies
from oomtop.tui.process_table.columns import ColumnContext
from oomtop.tui.shell.app import OomtopApp, Options
from oomtop.tui.shell.copy_menu import copy
from oomtop.tui.terminal.clipboard import harmless
from tests.tui.factories import make_assessment, make_process, make_row

ARGUMENT = "\x1b[201~\ntouch /tmp/never\n\r\x9b31m\x07\x7f\u202e\u2028"
ONE_LINE = {"line", "cell", "pid", "command"}


@given(st.text() | st.text("\x1b[201~\n\r\x9b\x85\u2028\udce4 a"))
def test_only_newlines_and_what_can_be_printed(text: str) -> None:
    assert all(char == "\n" or char.isprintable() for char in harmless(text))
    assert harmless(text).count("\n") <= text.count("\n")


@pytest.fixture(params=["OSC 52", "tmux"])
def clipboard(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Callable[[OomtopApp], object], Callable[[], str]]:
    """Return how to read what was copied last, by the terminal's way or by tmux's."""
    saved = tmp_path / "buffer"
    monkeypatch.delenv("TMUX", raising=False)
    if request.param == "tmux":
        tmux = tmp_path / "tmux"
        tmux.write_text(f"#!/bin/sh\ncat > {saved}\n")
        tmux.chmod(0o755)
        monkeypatch.setenv("TMUX", "/tmp/tmux-0/default,1,0")
        monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
        return lambda app: monkeypatch.setattr(app._driver, "write", _refuse), saved.read_text
    written: list[str] = []
    return (
        lambda app: monkeypatch.setattr(app._driver, "write", written.append),
        lambda: base64.b64decode(written[-1].removeprefix("\x1b]52;c;").removesuffix("\a"), validate=True).decode(),
    )


def _refuse(text: str) -> None:
    raise AssertionError(f"written past tmux: {text!r}")


async def test_a_hostile_command_is_copied_without_control_characters(
    clipboard: tuple[Callable[[OomtopApp], object], Callable[[], str]],
) -> None:
    listen, read = clipboard
    app = OomtopApp(Silent(), Options(interval=60))
    async with app.run_test(size=(120, 40)):
        row = make_row(make_process(comm="ok\n\x1b[201~", command=f"safe-looking {ARGUMENT}"), unit="a\nb.service")
        app.dashboard.table.sort_by("command")
        app.dashboard.table.show(make_assessment((row,)))
        copies = app.tab.copies()
        assert {what for what, _ in copies} == {*ONE_LINE, "all lines"}
        for what, text in copies:
            listen(app)
            copy(app, what, text)
            assert what == "pid" or "touch /tmp/never" in read()
            assert all(char.isprintable() or char == "\n" for char in read())
            assert read().count("\n") == (0 if what in ONE_LINE else 1)


async def test_lines_of_all_processes_are_put_together_when_they_are_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[ProcessRow] = []
    line = table_copies._line

    def noted(row: ProcessRow, moment: ColumnContext) -> str:
        made.append(row)
        return line(row, moment)

    monkeypatch.setattr(table_copies, "_line", noted)
    app = OomtopApp(Silent(), Options(interval=60))
    async with app.run_test(size=(120, 40)) as pilot:
        app.dashboard.table.show(make_assessment([make_row(make_process(pid=number)) for number in range(100, 150)]))
        await pilot.press("C")
        assert made == []
        assert "(+50 lines)" in str(app.screen.query_one(OptionList).get_option_at_index(4).prompt)
        await pilot.press("up", "enter")
        await pilot.pause()
        assert len(made) == 50


class Silent:
    """A source without ticks."""

    def ticks(self) -> Iterator[Tick]:
        return iter(())

    def close(self) -> None:
        pass

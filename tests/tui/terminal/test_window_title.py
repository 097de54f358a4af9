"""The title of the terminal's window: the one before comes back, and nothing in it is more than text."""

from __future__ import annotations

from pathlib import Path

import pytest

from oomtop.tui.terminal.window_title import WindowTitle
from tests.tui.plain.test_handover import OOMTOP, TAKEN_OVER, session

KEEP, BACK = "\x1b[22;2t", "\x1b[23;2t"
ALERT = '[[alert]]\nname = "many"\nwhen = "processes > 0"\ntitle = true\nbell = true'


def test_the_title_before_is_kept_and_comes_back() -> None:
    sent: list[str] = []
    title = WindowTitle(sent.append, {"TERM": "xterm"})
    for text in ("", "a", "a", "b\x07\x1b[2J", ""):
        title.show(text)
    assert sent == [f"{KEEP}\x1b]2;a\x07", "\x1b]2;b??[2J\x07", f"\x1b]2;\x07{BACK}"]


@pytest.mark.parametrize("kind", ["linux", "dumb", ""])
def test_a_terminal_without_a_window_gets_nothing(kind: str) -> None:
    sent: list[str] = []
    WindowTitle(sent.append, {"TERM": kind}).show("a")
    assert sent == []


@pytest.mark.parametrize("options", [(), ("--plain",)])
def test_an_alert_is_in_the_title_until_the_end(
    options: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "oomtop").mkdir()
    (tmp_path / "oomtop/config.toml").write_text(ALERT)
    with session("--interval", "0.5", *options, argv=OOMTOP[:3]) as shown:
        if not options:
            shown.until(lambda text: TAKEN_OVER in text)
        shown.until(lambda text: "\x1b]2;many: processes" in text.rpartition(TAKEN_OVER)[2])
        shown.press("\x03")
        shown.until(lambda text: "\x1b[?1049l" in text)
        assert shown.text.count(KEEP) == shown.text.count(BACK)
        assert shown.text.count("\x07") > shown.text.count("\x1b]2;"), "each title ends with one, and the bell rang"

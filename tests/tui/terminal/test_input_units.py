"""Whatever bytes come, and in whatever pieces, the next key is a key again."""

import pytest

from oomtop.tui.terminal.input_units import ESCAPE, InputUnits, Pasted

STRANGE: dict[str, tuple[bytes, list[str | Pasted]]] = {
    "no UTF-8": (b"\xe4", []),
    "8-bit meta": (b"\xeb", []),
    "8-bit CSI": (b"\x9b", []),
    "half a character": (b"\xe2\x82", []),
    "a surrogate": (b"\xed\xa0\x80", []),
    "a huge number": (b"\x1b[99999999999~", ["\x1b[99999999999~"]),
    "an endless sequence": (b"\x1b[" + b"9" * 20_000 + b"~", []),
    "an answer to OSC 52": (b"\x1b]52;c;a2tra2s=\x07", []),
    "an answer with ST": (b"\x1bP1$r0m\x1b\\", []),
    "an endless answer": (b"\x1b]" + b"k" * 20_000 + b"\x07", []),
    "an answer that breaks off": (b"\x1b]52;c;kk\x1b[A", ["\x1b[A"]),
    "a sequence that breaks off": (b"\x1b[1;2\x1b[B", ["\x1b[B"]),
    "a sequence with a letter in it": ("\x1b[12ü".encode(), ["ü"]),
    "a mouse as X10 tells it": (b"\x1b[M kk", []),
    "a mouse": (b"\x1b[<0;999999999;1M", ["\x1b[<0;999999999;1M"]),
    "an arrow": (b"\x1bOA", ["\x1bOA"]),
    "F1 of a console": (b"\x1b[[A", ["\x1b[[A"]),
    "Alt": (b"\x1bx", ["\x1bx"]),
    "a paste": (b"\x1b[200~q\x1b[B\r\x1b[201~", [Pasted("q\x1b[B\r")]),
    "characters": ("aü€".encode(), ["a", "ü", "€"]),
}


@pytest.mark.parametrize("name", STRANGE)
def test_the_next_key_is_a_key_again(name: str) -> None:
    sent, expected = STRANGE[name]
    assert InputUnits().feed(sent + b"k") == [*expected, "k"]


@pytest.mark.parametrize("name", STRANGE)
def test_it_does_not_matter_in_which_pieces_it_is_read(name: str) -> None:
    sent, expected = STRANGE[name]
    units = InputUnits()
    assert [unit for at in range(len(sent)) for unit in units.feed(sent[at : at + 1])] == expected
    assert units.feed(b"k") == ["k"]


@pytest.mark.parametrize("sent", [b"\x1b[", b"\x1b[1;", b"\x1b]52;c", b"\x1bO", b"\x1b[M k", b"\x1b[" + b"9" * 5000])
def test_what_stays_unfinished_is_dropped(sent: bytes) -> None:
    units = InputUnits()
    assert units.feed(sent) == []
    assert units.wait is not None
    assert units.late() == []
    assert units.wait is None
    assert units.feed(b"k") == ["k"]


def test_an_escape_alone_is_the_key_and_may_come_twice() -> None:
    units = InputUnits()
    assert units.feed(b"\x1b") == []
    assert units.late() == [ESCAPE]
    assert units.feed(b"\x1b\x1b") == [ESCAPE]
    assert units.late() == [ESCAPE]


def test_a_key_whose_escape_came_alone_is_that_key() -> None:
    units = InputUnits()
    units.feed(b"\x1b")
    units.late()
    assert units.feed(b"[A") == ["\x1b[A"]
    assert units.feed(b"[A") == ["[", "A"]


def test_a_paste_without_an_end_ends_by_itself_and_is_bounded() -> None:
    units = InputUnits()
    assert units.feed(b"\x1b[200~" + b"x" * 100_000) == []
    assert units.late() == [Pasted("x" * 16_384)]
    assert units.feed(b"k") == ["k"]

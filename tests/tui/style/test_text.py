"""The light `Text` means what Rich's does."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from rich import text as rich

from oomtop.tui.style.rich_text import to_rich
from oomtop.tui.style.text import Text

_WORDS = st.text("aé漢 -", max_size=6)
_STYLES = st.sampled_from(("", "bold", "#d7af5f", "reverse"))
_STEPS = st.one_of(
    st.tuples(st.just("append"), _WORDS, _STYLES),
    st.tuples(st.just("append_text"), _WORDS, _STYLES),
    st.tuples(st.just("stylize"), _STYLES),
    st.tuples(st.just("highlight"), st.sampled_from("a漢"), st.just("bold")),
    st.tuples(st.just("truncate"), st.integers(1, 12), st.sampled_from(("crop", "ellipsis")), st.booleans()),
)


def _do(line: Any, step: tuple[Any, ...]) -> None:
    match step:
        case ("append", text, style):
            line.append(text, style)
        case ("append_text", text, style):
            line.append_text(type(line)(text, style).append("b", "italic"))
        case ("stylize", style):
            line.stylize(style)
        case ("highlight", character, style) if isinstance(line, Text):
            line.highlight_runs(character, style)
        case ("highlight", character, style):
            line.highlight_regex(f"{character}+", style)
        case ("truncate", width, overflow, pad):
            line.truncate(width, overflow=overflow, pad=pad)


@settings(max_examples=200)
@given(_WORDS, _STYLES, st.lists(_STEPS, max_size=6))
def test_a_line_is_what_rich_makes_of_the_same_calls(text: str, style: str, steps: list[tuple[str | int, ...]]) -> None:
    own, other = Text(text, style), rich.Text(text, style)
    for step in steps:
        _do(own, step)
        _do(other, step)
    assert (own.plain, own.style, own.cell_len) == (other.plain, other.style, other.cell_len)
    assert to_rich(own).spans == [span for span in other.spans if span]


def test_lines_are_equal_only_with_their_styles() -> None:
    assert Text("a", "bold").append("b", "dim") == Text("a", "bold").append("b", "dim")
    assert Text("ab", "bold") != Text("a", "bold").append("b", "dim")

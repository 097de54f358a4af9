"""`Text`: a line with styles as the drawing functions make it, for the first picture comes before Rich is loaded.

Rich's own `Text` takes 10 ms to import; the methods here are those of it that drawing needs, and mean the same.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from oomtop.tui.style.cell_width import cell_len, set_cell_size

_ELLIPSIS = "…"


class Span(NamedTuple):
    """A style of the characters from `start` to `end`; one added later wins."""

    start: int
    end: int
    style: str


class Text:
    """A line of text; styles are named as Rich does (`bold #d7af5f`)."""

    __slots__ = ("_length", "_parts", "spans", "style")

    def __init__(self, text: str = "", style: str = "") -> None:
        self._parts = [text]
        self._length = len(text)
        self.style = style
        """The style of all of it, under those of the spans."""
        self.spans: list[Span] = []

    @property
    def plain(self) -> str:
        """The text without styles."""
        if len(self._parts) != 1:
            self._parts = ["".join(self._parts)]
        return self._parts[0]

    @property
    def cell_len(self) -> int:
        """The cells that it takes on a terminal."""
        plain = self.plain
        return self._length if plain.isascii() else cell_len(plain)

    def __len__(self) -> int:
        return self._length

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Text):
            return NotImplemented
        return (self.plain, self.style, self.spans) == (other.plain, other.style, other.spans)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Text({self.plain!r}, {self.style!r}, {self.spans!r})"

    def append(self, text: str, style: str = "") -> Text:
        """Add a text, and return this one."""
        if text:
            if style:
                self.spans.append(Span(self._length, self._length + len(text), style))
            self._parts.append(text)
            self._length += len(text)
        return self

    def append_text(self, text: Text) -> Text:
        """Add a text with its styles, and return this one."""
        begun = self._length
        self.append(text.plain, text.style)
        self.spans += [Span(start + begun, end + begun, style) for start, end, style in text.spans]
        return self

    def stylize(self, style: str) -> None:
        """Put a style over all of it."""
        if style and self._length:
            self.spans.append(Span(0, self._length, style))

    def highlight_runs(self, character: str, style: str) -> None:
        """Put a style over every run of a character: one for each of them is twenty bytes a cell on the wire."""
        found = re.finditer(f"{re.escape(character)}+", self.plain)
        self.spans += [Span(*match.span(), style) for match in found]

    def truncate(self, width: int, *, overflow: str = "crop", pad: bool = False) -> None:
        """Cut it to `width` cells, with an `ellipsis` in the last one or without; `pad` fills up what is missing."""
        cells = self.cell_len
        if cells > width:
            is_marked = overflow == "ellipsis"
            self._set(
                set_cell_size(self.plain, width - 1) + _ELLIPSIS if is_marked else set_cell_size(self.plain, width)
            )
        elif pad and cells < width:
            self.append(" " * (width - cells))

    def _set(self, text: str) -> None:
        self._parts, self._length = [text], len(text)
        cut = (Span(start, min(end, self._length), style) for start, end, style in self.spans)
        self.spans = [span for span in cut if span.start < span.end]

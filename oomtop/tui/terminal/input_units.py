"""What a terminal sends, cut into units: characters, escape sequences, pastes.  Nothing that is sent can break it.

Bytes that are no UTF-8, sequences that no terminal sends, answers that nobody asked for (OSC, DCS) and what stays
unfinished are dropped; the characters behind them count again.  The shapes are those of ECMA-48, 5.4 and 5.6.
"""

from __future__ import annotations

import re
from codecs import getincrementaldecoder

from oomtop.frozen import frozen

ESCAPE = "\x1b"
_PASTE_BEGINS = "\x1b[200~"
_PASTE_ENDS = "\x1b[201~"
_LONGEST_SEQUENCE = 64
_LONGEST_PASTE = 16_384
"""Characters of a paste that are kept: prompts take one line."""
_WAIT = 0.1
"""Seconds after which an escape is the key, and what is unfinished is dropped."""
_PASTE_WAIT = 0.25
_UNIT = re.compile(
    r"""
    (?P<mouse>  \x1b\[M[^\x1b]{3} )                              # as X10 encodes it
    | (?P<sequence> \x1b(?: \[\[[A-E] | \[(?![M[])[0-?]*[ -/]*[@-~] | O[0-9;]*[@-~] ) )
    | (?P<answer> \x1b[]P_^X][^\x07\x1b]*(?:\x07|\x1b\\) )
    | (?P<broken> \x1b(?: \[[0-?]*(?:[ -/]*(?=[^ -~])|[ -/]+(?=[0-?])) | O[0-9;]*(?=[^0-9;@-~])
                        | []P_^X][^\x07\x1b]*(?=\x1b[^\\]) ) )
    | (?P<alt> \x1b[^][OP_^X\x1b] )
    | (?P<escape> \x1b(?=\x1b) )
    | (?P<character> [^\x1b] )
    """,
    re.VERBOSE | re.DOTALL,
)
_DROPPED = ("mouse", "answer", "broken")


@frozen
class Pasted:
    """A text that was pasted."""

    text: str


class InputUnits:
    """Takes bytes as they are read; `late` takes what the pause after them means."""

    def __init__(self) -> None:
        self._decode = getincrementaldecoder("utf-8")("ignore").decode
        self._rest = ""
        self._pasted: str | None = None
        """What was pasted so far, None outside of a paste."""
        self._had_late_escape = False

    @property
    def wait(self) -> float | None:
        """Seconds after which `late` has something to say; None when nothing is unfinished."""
        if self._pasted is not None:
            return _PASTE_WAIT
        return _WAIT if self._rest else None

    def feed(self, data: bytes) -> list[str | Pasted]:
        """Return the units that `data` completes."""
        text = self._decode(data)
        if self._had_late_escape and len(text) > 1 and text[0] in "[O":
            # On a slow line the escape of a key may come alone; nobody types `[A` within one read.
            text = ESCAPE + text
        self._had_late_escape = False
        self._rest += text
        return self._units()

    def late(self) -> list[str | Pasted]:
        """Return what the unfinished part is, as nothing came behind it."""
        if self._pasted is not None:
            return [self._end_paste()]
        rest, self._rest = self._rest, ""
        self._had_late_escape = rest == ESCAPE
        return [ESCAPE] if rest == ESCAPE else []

    def _units(self) -> list[str | Pasted]:
        units: list[str | Pasted] = []
        while self._rest:
            if self._pasted is not None:
                if not self._take_paste():
                    break
                units.append(self._end_paste())
                continue
            match = _UNIT.match(self._rest)
            if match is None:
                self._shorten()
                break
            self._rest = self._rest[match.end() :]
            if match[0] == _PASTE_BEGINS:
                self._pasted = ""
            elif match.lastgroup not in _DROPPED and len(match[0]) <= _LONGEST_SEQUENCE:
                units.append(match[0])
        return units

    def _shorten(self) -> None:
        """Keep of an endless sequence its beginning: what comes behind it still belongs to it."""
        if len(self._rest) > _LONGEST_SEQUENCE:
            self._rest = self._rest[:2] + ("?" * _LONGEST_SEQUENCE if self._rest[1] == "[" else "")

    def _take_paste(self) -> bool:
        """Move what was pasted out of the rest; return whether the paste has ended."""
        text, end, behind = self._rest.partition(_PASTE_ENDS)
        # The end may have been read in part.
        kept = 0 if end else next((n for n in range(5, 0, -1) if text.endswith(_PASTE_ENDS[:n])), 0)
        self._pasted = ((self._pasted or "") + text[: len(text) - kept])[:_LONGEST_PASTE]
        self._rest = behind if end else text[len(text) - kept :]
        return bool(end)

    def _end_paste(self) -> Pasted:
        text, self._pasted = self._pasted or "", None
        return Pasted(text)

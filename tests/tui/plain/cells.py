"""What a terminal of so many cells shows after some output; only what the monitor sends is understood."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from rich.cells import cell_len

_UNIT = re.compile(r"\x1b\[([?<>=]?)([\d;:]*)[ -/]*([@-~])|\x1b[PX^_\]].*?(?:\x07|\x1b\\)|\x1b[@-_]|.", re.DOTALL)
Look = tuple[tuple[str, object], ...]
BLANK: tuple[str, Look] = (" ", ())
_OFF = {
    22: ("bold", "dim"),
    23: ("italic",),
    24: ("underline",),
    27: ("reverse",),
    29: ("strike",),
    39: ("fg",),
    49: ("bg",),
}
_ON = {1: "bold", 2: "dim", 3: "italic", 4: "underline", 7: "reverse", 9: "strike"}


@dataclass
class Cells:
    """The cells of a terminal, each a character with its look."""

    width: int
    height: int
    grid: dict[tuple[int, int], tuple[str, Look]] = field(default_factory=dict)
    touched: set[tuple[int, int]] = field(default_factory=set)
    changed: list[tuple[int, int, object, object]] = field(default_factory=list)
    """(x, y, before, after) of what a write changed, and of what clearing the screen would."""
    x: int = 0
    y: int = 0
    look: dict[str, object] = field(default_factory=dict)

    def at(self, x: int, y: int) -> tuple[str, Look]:
        return self.grid.get((x, y), BLANK)

    def line(self, y: int) -> str:
        return "".join(self.at(x, y)[0] for x in range(self.width))

    def feed(self, text: str, until_whole: bool = False) -> int:
        """Take output in, all or until every cell was written; return how much of it was."""
        for match in _UNIT.finditer(text):
            self._take(match)
            if until_whole and len(self.touched) >= self.width * self.height:
                return match.end()
        return len(text)

    def _take(self, match: re.Match[str]) -> None:
        unit, final = match[0], match[3]
        if len(unit) == 1:
            self._print(unit)
        elif final == "H" and not match[1]:
            row, _, column = match[2].partition(";")
            self.y, self.x = int(row or 1) - 1, int(column or 1) - 1
        elif final == "m" and not match[1]:
            self._style([int(word or 0) for word in match[2].split(";")])
        elif (final == "h" and match[1] == "?" and match[2] in ("1049", "1047", "47")) or final == "J":
            self.changed += [(x, y, cell, BLANK) for (x, y), cell in self.grid.items()]
            self.grid.clear()

    def _print(self, letter: str) -> None:
        if letter == "\r":
            self.x = 0
        elif letter == "\n":
            self.y += 1
        elif letter >= " ":
            self._put(letter)

    def _put(self, letter: str) -> None:
        for number in range(max(1, cell_len(letter))):
            place, cell = (self.x, self.y), (letter if not number else "", self._seen(letter))
            before = self.grid.get(place, BLANK)
            if before != cell:
                self.changed.append((*place, before, cell))
            self.grid[place] = cell
            self.touched.add(place)
            self.x += 1

    def _seen(self, letter: str) -> Look:
        """The look as far as it can be seen: of a blank only the ground."""
        look = dict(self.look)
        if letter == " " and "reverse" not in look and "underline" not in look:
            look = {name: value for name, value in look.items() if name == "bg"}
        return tuple(sorted(look.items()))

    def _style(self, codes: list[int]) -> None:
        while codes:
            code = codes.pop(0)
            if code == 0:
                self.look.clear()
            elif code in _ON:
                self.look[_ON[code]] = True
            elif code in _OFF:
                for name in _OFF[code]:
                    self.look.pop(name, None)
            else:
                self._colour(code, codes)

    def _colour(self, code: int, codes: list[int]) -> None:
        name = "fg" if code // 10 in (3, 9) else "bg"
        if code in (38, 48):
            count = 2 if codes[0] == 5 else 4
            self.look[name] = tuple(codes[:count])
            del codes[:count]
        else:
            self.look[name] = code

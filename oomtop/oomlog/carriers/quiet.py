"""Stretches of a report between two lines that some reader has a word for: rows, counters, most of a call trace.

They are the bulk of it and only kept for its tables, so that a whole stretch is taken at once: a fifteenth of the time.
Sample line: `Nov 24 08:00:00 h kernel: [ 1000.000420] [  116]     0   116    16730    16285   163840        0     0 x`
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable

from oomtop.oomlog.carriers.prefixes import FAST

WORDS = (
    b"oom", b"OOM", b"emory", b"Kill", b"ill process", b"illed process", b"Mem-Info", b"CPU: ", b"Pid: ", b"PID: ",
    b": usage ", b"Task in /", b"Tasks in /", b"Kernel panic", b"ysrq: ", b"SysRq", b"try_charge", b"lmkd",
    b"send sigkill", b"OUT_OF_ME", b"exceeded limit", b"low on resource", b"viction manager", b"allocation fail",
    b"vmalloc", b"code 137", b"status 137", b"exitCode=137", b"signal: killed", b"MEMLIMIT", b"hard limit",
    b"soft limit", b"SLUB: Unable",
)  # fmt: skip
"""Every line that any reader does more with than keep it has one of them."""
_ODD = (b"\x1b", b"\xc2\xa0", b"\t", b"#012", b"=3D", b"\\n[", b" " * 20, b"&", b"<br", b"</")
"""What lines have that need more care than `FAST` takes."""
_LINE = re.compile(
    rf"^{FAST}(?P<text>[^\n\[]{{0,4000}}(?:\[(?! *\d{{1,9}}\.\d{{6}}\] )[^\n\[]{{0,4000}}){{0,40}})(?<![\"`,=\r])\n",
    re.M,
)
_STAMP, _TEXT = _LINE.groupindex["stamp"], _LINE.groupindex["text"]
_FEWEST = 4
"""Lines below which reading them one by one costs no more."""


class Quiet:
    """The quiet stretches of one block."""

    def __init__(self, block: bytes, find: Callable[[bytes, int], int]) -> None:
        """`find` finds a word in the block from a place on, -1 where there is none."""
        self._block = block
        places: list[int] = []
        for word in (*WORDS, *_ODD):
            at = find(word, 0)
            while at >= 0:
                places.append(at)
                at = find(word, at + len(word))
        self._loud = sorted(places)
        self._tried = 0

    def stretch(self, at: int) -> tuple[int, list[tuple[float, str]]]:
        """Return where the quiet stretch from a line's beginning ends, and its lines: printk's stamp, and the text.

        No lines where the next one is loud or of another form: it has to be read by itself.
        """
        if at < self._tried:
            return at, []
        index = bisect_left(self._loud, at)
        loud = self._loud[index] if index < len(self._loud) else len(self._block)
        end = self._block.rfind(b"\n", at, loud) + 1
        count = self._block.count(b"\n", at, end) if end else 0
        self._tried = max(end, at + 1)
        if count < _FEWEST:
            return at, []
        text = self._block[at:end].decode("utf-8", "backslashreplace")
        found = _LINE.findall(text)
        if len(found) == count:
            return end, [(float(line[_STAMP - 1]), line[_TEXT - 1]) for line in found]
        return self._beginning(at, text)

    def _beginning(self, at: int, text: str) -> tuple[int, list[tuple[float, str]]]:
        """Return the lines before the first one of another form."""
        lines, place = [], 0
        while (line := _LINE.match(text, place)) is not None:
            lines.append((float(line["stamp"]), line["text"]))
            place = line.end()
        end = at + len(text[:place].encode("utf-8")) if text.isascii() else at
        self._tried = max(end, at) + 1
        return (end, lines) if end > at else (at, [])

"""Stretches of a log that no reader has a word for, taken at once: rows, counters, call traces, other programs' lines.

They are the bulk of a report, which keeps them for its tables only, and of a syslog around it: a thirtieth of the time
of reading them one by one.
Sample lines: `Nov 24 08:00:00 h kernel: [ 1000.000420] [  116]     0   116    16730    16285   163840   0   0 x`,
`[  116]     0   116    16730    16285   163840        0     0 x`, `Nov 24 08:00:00 h sshd[5]: session opened`
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

from oomtop.oomlog.carriers.prefixes import FAST, SYSLOG_DATE

WORDS = (
    b"oom", b"OOM", b"emory", b"Kill", b"ill process", b"illed process", b"Mem-Info", b"CPU: ", b"Pid: ", b"PID: ",
    b": usage ", b"Task in /", b"Tasks in /", b"Kernel panic", b"ysrq: ", b"SysRq", b"try_charge", b"lmkd",
    b"send sigkill", b"OUT_OF_ME", b"exceeded limit", b"low on resource", b"viction manager", b"allocation fail",
    b"vmalloc", b"code 137", b"status 137", b"exitCode=137", b"signal: killed", b"MEMLIMIT", b"hard limit",
    b"soft limit", b"SLUB: Unable",
)  # fmt: skip
"""Every line that any reader does more with than keep it has one of them."""
_ODD = (
    b"\x1b", b"\xc2\xa0", b"\t", b"#01", b"=3D", b"\\n[", b" " * 20, b"&",
    *(b"</" + tag for tag in (b"b", b"c", b"d", b"l", b"p", b"s", b"t")), b"<br",
)  # fmt: skip
"""What lines have that need more care than the shapes below take."""
_OF_REPORT = (b"oom", b"emory")
_KEPT = re.compile(
    rb"(?:(?<=[ \n] )|(?<=kernel: ))oom_kill_process[.+]|(?<= out_of_m)emory\+0x|oom_score_adj name\n"
    rb"|(?<=Tasks state \(m)emory values in pages\):\n"
)
"""Where these two words stand in lines that are only kept."""
_STAMPED = re.compile(
    rf"^{FAST}(?P<text>[^\n\[]{{0,4000}}(?:\[(?! *\d{{1,9}}\.\d{{6}}\] )[^\n\[]{{0,4000}}){{0,40}})(?<![\"`,=\r])\n",
    re.M,
)
_STAMP, _TEXT = _STAMPED.groupindex["stamp"], _STAMPED.groupindex["text"]
_ZONE = r"(?:DMA|DMA32|Normal|HighMem|Movable|Device)"
# The names of counters end in no word that a killer gives facts behind: pid, uid, name, oom_score_adj, reason.
_COUNTER = r"[a-z_]{2,40}(?:\([a-z]{2,8}\))?(?<!id)(?<!ame)(?<!adj)(?<!reason):"
_FUNCTION = r"[\w.]{1,120}\+0x[0-9a-f]{1,6}/0x[0-9a-f]{1,6}(?: \[\w{1,60}\])?"
_SIZES = rf"{_COUNTER} ?\d{{1,19}}(?:[kK]B)?"
_CHUNK = r"\d{1,19}\*\d{1,19}kB(?: \([A-Z]{1,8}\))?"
_NUMBER = r"\d{1,19}"
_SHAPES = (
    # Rows of the task table; a name with spaces may begin with no word of nohang's.
    r"\[ {0,12}\d{1,10}\] {1,12}\d{1,19}(?: {1,15}-?\d{1,19}){5,11} {1,15}"
    r"(?!.{0,12}ictim)[\w./+@()-]{1,16}(?: [\w./+@-]{1,15}){0,3}",
    rf" {{1,2}}(?:\? )?{_FUNCTION}", rf" {{0,2}}\[<[0-9a-f]{{8,16}}>\] (?:\? )?{_FUNCTION}",
    r" </?[A-Z_]{2,16}>", r"(?: [0-9a-f]{16}){1,4}",
    r"\[ {0,8}pid {0,8}\](?: {1,12}[a-z_]{2,20}){5,12} name", r"Tasks state \(memory values in pages\):",
    r"Call [Tt]race:", r"R(?:[A-DIS][IPX]|BP|\d\d): [0-9a-fx:]{1,40}(?: [A-Z][A-Z0-9_]{1,7}: [0-9a-f]{4,16}){0,3}",
    r"Code: (?:(?:[0-9a-f]{2}|<[0-9a-f]{2}>) ?){1,99}",
    r"Code: (?:Unable to access opcode bytes at 0x[0-9a-f]{1,16}|Bad RIP value)\.",
    rf"(?:Node \d{{1,5}} )?{_ZONE} free:{_NUMBER}kB(?: {_SIZES}){{0,60}}(?: all_unreclaimable\? (?:yes|no))?",
    rf"Node \d{{1,5}}(?: {_SIZES}){{1,60}}(?: all_unreclaimable\? (?:yes|no))?",
    rf" ?{_COUNTER}{_NUMBER}(?: {_COUNTER}{_NUMBER}){{0,20}}",
    rf"(?:Node \d{{1,5}} )?{_ZONE}: {_CHUNK}(?: {_CHUNK}){{0,20}} = {_NUMBER}kB",
    rf"Node \d{{1,5}}(?: hugepages_[a-z]{{2,8}}={_NUMBER}(?:kB)?){{1,8}}", rf"(?:Node \d{{1,5}} )?{_ZONE} per-cpu:",
    rf"CPU {{1,6}}\d{{1,5}}: hi: {{1,6}}{_NUMBER}, btch: {{1,6}}{_NUMBER} usd: {{1,6}}{_NUMBER}",
    rf"lowmem_reserve\[\]:(?: {_NUMBER}){{1,16}}", rf"(?:Free|Total) swap {{1,2}}= -?{_NUMBER}kB",
    rf"(?!137 ){_NUMBER} (?:total pagecache pages|pages (?!.{{0,40}}ictim)[A-Za-z /]{{2,40}})",
    rf"Swap cache stats: add {_NUMBER}, delete {_NUMBER}, find {_NUMBER}/{_NUMBER}", r"[a-z][a-z_0-9]{1,40} \d{1,20}",
)  # fmt: skip
_BARE = re.compile(f"(?:(?:{'|'.join(_SHAPES)})\n)+", re.A)
"""Lines of a report without any prefix, of shapes that no other reader's expressions fit either."""
_TAG = "kernel: "
_TAGGED = re.compile(rf"(?:{SYSLOG_DATE} (?:[\w.-]{{1,255}} )?{_TAG}(?:{'|'.join(_SHAPES)})\n)+", re.A)
"""The same lines without a stamp of printk, as journalctl shows them."""
_FOREIGN = (
    rf"(?:{SYSLOG_DATE} "
    r"[A-Za-z][\w.-]{0,62} (?!(?:kernel|PROGRAMS)\b)[\w/-]{1,48}(?:\[\d{1,9}\])?: (?!\[|- )"
    r"[^\n{\\\[\r]{0,4000}(?:\[(?! *(?:\d{1,12}\.\d|[\"\[]))[^\n{\\\[\r]{0,4000}){0,40}(?<!=)\n)+"
)
"""Lines of programs as syslog writes them, but for some `PROGRAMS`."""
_WINDOW = 1 << 15
"""Bytes that are searched for words at a time."""
_FEWEST = 4
"""Lines below which reading them one by one costs no more."""


STAMPED, BARE, TAGGED, FOREIGN = "stamped", "bare", "tagged", "foreign"


class Stretch(NamedTuple):
    """Quiet lines, one after another."""

    end: int
    """Where the next line begins."""
    kind: str
    """`STAMPED`, `BARE`, `TAGGED` or `FOREIGN`."""
    lines: Sequence[str]
    """As they stand."""
    texts: Sequence[str] = ()
    """The messages of a report's lines; none of other programs' lines."""
    stamps: tuple[float, float] | None = None
    """printk's earliest and latest stamp, in seconds."""


class Quiet:
    """The quiet stretches of one block of whole lines."""

    def __init__(
        self, block: bytes, finder: Callable[[bytes], Callable[[bytes, int], int]], killers: frozenset[str]
    ) -> None:
        """`finder` returns a function for some bytes that finds a word in them from a place on, -1 if there is none.

        `killers` are the programs whose lines are never passed over.
        """
        self._of_others = _of_others(killers)
        self._block = block
        self._finder = finder
        self._start = self._end = 0
        """Which part of the block the loud places are known of."""
        self._loud: list[int] = []
        self._tried = 0

    def stretch(self, at: int, in_report: bool) -> Stretch | None:
        """Return the quiet stretch that begins with the line at a place.

        None where that line is loud, of another form, or one of few.  Lines of the kernel are taken `in_report` only.
        """
        if at < self._tried:
            return None
        if not self._start <= at < self._end:
            self._look(at)
        index = bisect_left(self._loud, at)
        loud = self._loud[index] if index < len(self._loud) else self._end
        end = self._block.rfind(b"\n", at, loud) + 1
        self._tried = at + 1
        if not end:
            return None
        raw = self._block[at:end]
        text = decoded(raw)
        found = (_stamped(text) or _bare(text) or _tagged(text)) if in_report else None
        found = found or _foreign(text, self._of_others)
        if found is None:
            return None
        kind, lines, texts, stamps = found
        count = len(lines)
        # A byte that is no UTF-8 has become four characters.
        size = sum(map(len, lines), count) if raw.isascii() else len(raw) - len(raw.split(b"\n", count)[count])
        self._tried = at + size
        return Stretch(at + size, kind, lines, texts, stamps) if count >= _FEWEST else None

    def _look(self, at: int) -> None:
        """Find the loud places of the lines from one on."""
        end = self._block.rfind(b"\n", at, at + _WINDOW) + 1
        self._start, self._end = at, end or min(len(self._block), at + _WINDOW)
        window = self._block[at : self._end]
        find = self._finder(window)
        places: list[int] = []
        for word in (*WORDS, *_ODD):
            place = find(word, 0)
            while place >= 0:
                if word not in _OF_REPORT or _KEPT.match(window, place) is None:
                    places.append(at + place)
                place = find(word, place + len(word))
        self._loud = sorted(places)


def decoded(raw: bytes) -> str:
    """Return lines as text."""
    return raw.decode("utf-8", "backslashreplace")


_Found = tuple[str, Sequence[str], Sequence[str], tuple[float, float] | None]
"""The kind, the lines of a stretch, their messages, and the earliest and the latest stamp."""


def _stamped(text: str) -> _Found | None:
    if _STAMPED.match(text) is None:
        return None
    found, end = _STAMPED.findall(text), len(text)
    if len(found) != text.count("\n"):
        found, end = [], 0
        while (line := _STAMPED.match(text, end)) is not None:
            found.append(line.groups())
            end = line.end()
    stamps = [float(line[_STAMP - 1]) for line in found]
    return STAMPED, text[: end - 1].split("\n"), [line[_TEXT - 1] for line in found], (min(stamps), max(stamps))


def _bare(text: str) -> _Found | None:
    match = _BARE.match(text)
    if match is None:
        return None
    lines = texts = match[0][:-1].split("\n")
    if " [<" in match[0]:
        # An address is what messages begin with, so that what stands before it is none of its message.
        texts = [line.lstrip() if line.lstrip().startswith("[<") else line for line in lines]
    return BARE, lines, texts, None


def _tagged(text: str) -> _Found | None:
    match = _TAGGED.match(text)
    if match is None:
        return None
    lines = match[0][:-1].split("\n")
    return TAGGED, lines, [line.partition(_TAG)[2].lstrip() for line in lines], None


@lru_cache(4)
def _of_others(killers: frozenset[str]) -> re.Pattern[str]:
    return re.compile(_FOREIGN.replace("PROGRAMS", "|".join(map(re.escape, sorted(killers)))))


def _foreign(text: str, of_others: re.Pattern[str]) -> _Found | None:
    match = of_others.match(text)
    return None if match is None else (FOREIGN, match[0][:-1].split("\n"), (), None)

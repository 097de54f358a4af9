"""Events in logs of any size: the bytes are searched for what OOM lines have in common, only what is near is parsed.

Parsing every line of 1 GiB would take 150 s.  A big file is searched by two threads, each a part of it.
Sample line that is found:
`Nov 23 10:01:02 host kernel: [ 8161.726371] stress invoked oom-killer: gfp_mask=0x140dca(...), order=0`
"""

from __future__ import annotations

import os
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from oomtop.oomlog.carriers.document import Document, document_of
from oomtop.oomlog.carriers.encoding import as_utf8, encoding_of
from oomtop.oomlog.carriers.line_reader import LineReader
from oomtop.oomlog.carriers.prefixes import strip
from oomtop.oomlog.carriers.quiet import BARE, STAMPED, TAGGED, Quiet, Stretch
from oomtop.oomlog.carriers.storm import Storm
from oomtop.oomlog.event import OomEvent
from oomtop.oomlog.hits import CONTEXT, TELLING, find_hits, finder
from oomtop.oomlog.killers.reader import DAEMONS, KillerReader
from oomtop.oomlog.mentions import reader as mentions
from oomtop.oomlog.records import LOG_KERN, Record
from oomtop.oomlog.reports import KILLS, ReportReader

BLOCK = 1 << 20
_SHORT = 1 << 17
"""Bytes of an excerpt of which every line is parsed; of 100,000 lines of two letters that would take seconds."""
_PARALLEL_FROM = 64 << 20
_PART = 32 << 20
_LONGEST_LINE = 1 << 20
# Lines that are still read after the last one that belonged to a report or looked like an OOM line.
_PATIENCE = 200
# Lines before a hit that are read as well: the name of a container or unit stands above what became of it, the fields
# of an entry above its message; and as many times that as they are rows of a table.
_LOOK_BACK = 64
_MOST_BACK = 64
_TAIL = 1 << 18
_ROW = re.compile(rb"[^\n]{0,200}\[ *\d{1,10}\] +\d+ +\d+ +\d+ +\d+ +\d+")
_PLAIN = ("[ ", "Node ", *KILLS)
# More digits than any number of the kernel has: its line matches no shape of one.
_IMPOSSIBLE = re.compile(rb"[0-9]{21}")


class LogScanner:
    """Feeds on blocks of whole lines and gives the events that they tell; one scanner per log."""

    def __init__(self, source: str, reference: float | None = None) -> None:
        self._reader = ReportReader(source)
        self._killers = KillerReader(source)
        self.mentions = mentions.MentionReader(source)
        self.number: int | None = 0
        """How many lines were read or passed over; None where that is not counted."""
        self._source, self._reference = source, reference
        self._lines = LineReader(reference)
        self._left = 0
        self._tail = b""
        """The end of the last block where nothing was read: the next one may begin in the middle of a report."""
        self.document: Document | None = None
        """What a short file is that is no log."""
        self.damaged = 0
        """Lines that speak of a kill with a number that cannot be."""

    def feed(self, block: bytes, hits: list[int]) -> Iterator[OomEvent]:
        """Yield the events that end in `block`, whose `hits` were found."""
        block, hits = self._with_tail(block, hits)
        at, index, quiet, storm = 0, 0, None, Storm(block, self._source, self._reference)
        while at < len(block):
            if self._left <= 0:
                index = bisect_left(hits, at)
                if index == len(hits):
                    begin = max(at, len(block) - _TAIL)
                    self._pass_over(block, at, begin)
                    self._tail = block[begin:]
                    return
                begin = _look_back(block, at, hits[index])
                self._pass_over(block, at, begin)
                at = begin
            if self._may_be_quiet():
                quiet = quiet or Quiet(block, finder, DAEMONS)
                stretch = quiet.stretch(at, self._reader.is_collecting)
                if stretch is not None and self._keep(stretch):
                    at = stretch.end
                    if index < len(hits) and hits[index] < at:
                        self._left, index = _PATIENCE, bisect_left(hits, at)
                    continue
            end, ended = self._storm(storm, at)
            yield from ended
            if end > at:
                at = end
                continue
            end = block.find(b"\n", at)
            end = len(block) if end < 0 else end
            while index < len(hits) and hits[index] <= end:
                self._left = _PATIENCE
                index += 1
            yield from self._line(block[at : min(end, at + _LONGEST_LINE)])
            at = end + 1

    def _may_be_quiet(self) -> bool:
        """Whether nobody waits for the next line but a report that is under way."""
        return not self._lines.is_waiting and not self._killers.counts_lines

    def _keep(self, stretch: Stretch) -> bool:
        """Take quiet lines in; False where the first one may change what was read before it."""
        if self.mentions.may_go_on(stretch.lines[0]) or not self._reader.keep(stretch.texts, stretch.stamps):
            return False
        count = len(stretch.lines)
        self._left = _PATIENCE if stretch.texts and self._reader.awaits_kill else self._left - count
        if stretch.kind == STAMPED:
            self.mentions.note(stretch.lines[-1])
        else:
            self.mentions.pass_over(stretch.lines, stretch.kind == BARE, self.number)
        self.number = None if self.number is None else self.number + count
        if stretch.kind == TAGGED:
            # In a killer's own log the first line of an entry alone is dated.
            tuple(self._killers.feed(strip(stretch.lines[-1], self._reference)))
        return True

    def _storm(self, storm: Storm, at: int) -> tuple[int, list[OomEvent]]:
        """Take the stretch of kill lines that begins at a line; return where it ends, and the events that ended."""
        may_begin = not self._reader.is_collecting and storm.begins(at)
        held = self._lines.release() if may_begin else None
        if held is None:
            return at, []
        before = list(self._kernel(held))
        last = self._reader.lone_victim
        end, kills = (at, []) if last is None else storm.stretch(at, last)
        if not kills:
            return at, before
        self._left = _PATIENCE
        self.number = None if self.number is None else self.number + len(kills)
        return end, before + self._reader.keep_kills(kills)

    def finish(self) -> tuple[OomEvent, ...]:
        """Return what was under way when the log ended."""
        last = [event for record in self._lines.finish() for event in self._record(record)]
        return (*last, *self._killers.finish(), *self._reader.finish())

    def _with_tail(self, block: bytes, hits: list[int]) -> tuple[bytes, list[int]]:
        """Return a block with the end of the last one in front, where a hit is near enough to need it."""
        tail, self._tail = self._tail, b""
        if not tail:
            return block, hits
        if not hits or hits[0] > _TAIL:
            self._pass_over(tail, 0, len(tail))
            return block, hits
        return tail + block, [hit + len(tail) for hit in hits]

    def jump(self) -> None:
        """Forget the lines before; the next ones do not follow them."""
        self._tail = b""

    @property
    def is_reading(self) -> bool:
        """Whether the next lines matter, hits or not."""
        return self._left > 0

    @property
    def problems(self) -> tuple[str, ...]:
        """What was left out, in words."""
        lines = "1 line" if self.damaged == 1 else f"{self.damaged} lines"
        return (f"{lines} with a number that cannot be: left out",) if self.damaged else ()

    def _pass_over(self, block: bytes, start: int, end: int) -> None:
        if self.number is not None:
            self.number += block.count(b"\n", start, end)

    def _line(self, line: bytes) -> Iterator[OomEvent]:
        self._left -= 1
        self.number = None if self.number is None else self.number + 1
        if _IMPOSSIBLE.search(line) and TELLING.search(line):
            self.damaged += 1
        yield from self.take(line.rstrip(b"\r").decode("utf-8", "backslashreplace"))

    def take(self, text: str) -> Iterator[OomEvent]:
        """Yield the events that end with one line."""
        records = self._lines.read(text)
        if len(records) == 1 and _is_plain(records[0]):
            yield from self._kernel(self._lines.join(records))
            return
        if self.mentions.feed(text, records[0] if records else None, self.number):
            return
        for record in self._lines.join(records):
            yield from self._record(record)

    def _kernel(self, records: Iterable[Record]) -> Iterator[OomEvent]:
        """Yield the events that end with lines of the kernel's reports, which no other reader has a shape for."""
        for record in records:
            yield from self._reader.feed(record)
            if self._reader.awaits_kill:
                self._left = _PATIENCE

    def _record(self, record: Record) -> Iterator[OomEvent]:
        yield from self._reader.feed(record)
        yield from self._killers.feed(record)
        if record.facility == LOG_KERN and self._reader.awaits_kill:
            self._left = _PATIENCE


def _is_plain(record: Record) -> bool:
    """Whether a stamped line is a row of a table, a line of a call trace or a kill, as most lines of a report are."""
    if record.kernel_time is None or record.facility != LOG_KERN:
        return False
    return record.text.startswith(_PLAIN) or (record.text.startswith(" ") and "+0x" in record.text)


def _look_back(block: bytes, first: int, hit: int) -> int:
    """Return where to begin reading for a hit: some lines before it, which its entry or its table may hold."""
    at = block.rfind(b"\n", first, hit) + 1 or first
    for _ in range(_MOST_BACK):
        at = _lines_before(block, first, at)
        if at == first or not _ROW.match(block, at, at + 512):
            break
    return at


def _lines_before(block: bytes, first: int, at: int) -> int:
    for _ in range(_LOOK_BACK):
        if at <= first:
            return first
        at = block.rfind(b"\n", first, at - 1) + 1 or first
    return at


def scan_stream(
    stream: BinaryIO, source: str, reference: float | None = None, scanner: LogScanner | None = None
) -> Iterator[OomEvent]:
    """Yield the events of a stream; `reference` is the Unix time before which dates without a year lie.

    A short stream is parsed whole, so that a short excerpt loses nothing.  A `scanner` of the caller's
    tells afterwards what others mention, and what was left out.
    """
    scanner = scanner or LogScanner(source, reference)
    first = stream.read(BLOCK)
    if encoding_of(first) is not None:
        stream = as_utf8(first, stream)
        first = stream.read(BLOCK)
    if len(first) < BLOCK:
        scanner.document = document_of(first.decode("utf-8", "replace"))
    if len(first) < min(_SHORT, BLOCK):
        yield from scanner.feed(first, list(_line_starts(first)))
    else:
        for block in _blocks(first, stream):
            yield from scanner.feed(block, find_hits(block))
    yield from scanner.finish()


def _line_starts(block: bytes) -> Iterator[int]:
    at = 0
    while 0 <= at < len(block):
        yield at
        at = block.find(b"\n", at) + 1 or len(block)


def _blocks(data: bytes, stream: BinaryIO) -> Iterator[bytes]:
    """Yield blocks that end with a line's end, or after a megabyte without one."""
    rest = b""
    while data:
        block = rest + data
        cut = block.rfind(b"\n") + 1 or (len(block) if len(block) > BLOCK + _LONGEST_LINE else 0)
        rest = block[cut:]
        if cut:
            yield block[:cut]
        data = stream.read(BLOCK)
    if rest:
        yield rest


def scan_file(
    path: str, source: str, reference: float | None = None, scanner: LogScanner | None = None
) -> Iterator[OomEvent]:
    """Yield the events of a file on disk, a big one searched by two threads.

    Raises:
        OSError: the file cannot be read.
    """
    with open(path, "rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        scanner = scanner or LogScanner(source, reference)
        if size < _PARALLEL_FROM or encoding_of(os.pread(file.fileno(), BLOCK, 0)) is not None:
            yield from scan_stream(file, source, reference, scanner)
            return
        parts = [(path, start, min(size, start + _PART)) for start in range(0, size, _PART)]
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(2) as pool:
            hits = [hit for found in pool.map(_hits_of_part, parts) for hit in found]
        scanner.number = None
        yield from _read_near(file.fileno(), hits, scanner)
        yield from scanner.finish()


def _hits_of_part(part: tuple[str, int, int]) -> list[int]:
    """Return the hits in a part of a file; the search lets the other thread run."""
    path, start, end = part
    hits: list[int] = []
    with open(path, "rb", buffering=0) as file:
        for at in range(start, end, BLOCK):
            # With the beginning of what follows: a word may stand across both.
            block = os.pread(file.fileno(), BLOCK + CONTEXT, at)
            hits.extend(at + hit for hit in find_hits(block))
    return hits


def _read_near(descriptor: int, hits: list[int], scanner: LogScanner) -> Iterator[OomEvent]:
    index, position = 0, 0
    while index < len(hits):
        position = max(position, _line_start(descriptor, max(0, hits[index] - _TAIL)))
        scanner.jump()
        while block := _whole_lines(descriptor, position):
            within = hits[bisect_left(hits, position) : bisect_left(hits, position + len(block))]
            yield from scanner.feed(block, [hit - position for hit in within])
            position += len(block)
            if not scanner.is_reading:
                break
        index = bisect_left(hits, position)


def _line_start(descriptor: int, at: int) -> int:
    first = max(0, at - _LONGEST_LINE)
    return first + os.pread(descriptor, at - first, first).rfind(b"\n") + 1


def _whole_lines(descriptor: int, position: int) -> bytes:
    block = os.pread(descriptor, BLOCK + _LONGEST_LINE, position)
    end = block.find(b"\n", BLOCK)
    return block if end < 0 else block[: end + 1]


def scan_lines(lines: Iterable[str], source: str) -> Iterator[OomEvent]:
    """Yield the events of a text, every line of it parsed."""
    scanner = LogScanner(source)
    for line in lines:
        yield from scanner.take(line.rstrip("\r\n"))
    yield from scanner.finish()

r"""Removes what logs, tools and people put before a message, piece by piece, outermost first.

dmesg(1), journalctl(1) `-o`, RFC 3164, RFC 5424, logread, logcat, grep, `docker compose logs`, `kubectl logs --prefix`.
Sample lines: `Nov 24 08:00:00 host kernel: [   81.7] Out of memory: ...`, `boxb | [   81.7] Out of memory: ...`,
`kern:     err: [2025-11-05T04:13:52.8Z]: Memory cgroup out of memory: ...`
"""

from __future__ import annotations

import re
from functools import lru_cache
from sys import intern

from oomtop.oomlog.carriers.dates import DATE, assume_time, in_utc, parse_time
from oomtop.oomlog.carriers.record import COMMENT, LOG_KERN, LOG_USER, Record, anybody, has_any
from oomtop.oomlog.lines import KNOWN, whole_message

_HOST = r"(?P<host>[\w.-](?:[\w.:-]{0,253}[\w-])?)"
_STAMP = r"\[ *(?P<stamp>\d{1,12}\.\d{1,9})(?: ?<[ \d.]{1,20}>)? *\]"
# Behind the stamp: PRINTK_CALLER, and the CPU, task and pid that kernels of Qualcomm, MediaTek and Samsung put there.
_CALLER = (
    r"(?: {0,2}(?:\[ *[TC]\d{1,9}\] ?|c\d{1,2} {1,6}\d{1,7} |\(\d{1,2}\)\[\d{1,7}:[^\]]{0,40}\]"
    r"|\[\d{1,2}: {0,20}[^\]]{1,40}: {0,8}\d{1,7}\] ))?"
)
_NAMES = r"(?:systemd-oomd|earlyoom|nohang(?:-desktop)?|oomd|kubelet|containerd)"
_ANY, _DATED, _UNTAGGED = 0, 1, 2
# (when it may stand there, shape); a named group is kept.
_PIECES: tuple[tuple[int, re.Pattern[str]], ...] = tuple(
    (when, re.compile(shape))
    for when, shape in (
        (_ANY, rf"{_STAMP} ?{_CALLER}"),
        (_ANY, rf" {{0,8}}(?P<stamp>\d{{1,9}}\.\d{{6}})\] {_CALLER}"),
        (_ANY, r"\[(?P<epoch>\d{9,10})\] "),
        (_ANY, rf"\[(?P<date>{DATE})(?: <[ \d.]{{1,20}}>)?\]:? ?"),
        (_ANY, r"\[(?:[^\]\d]{2,6} ?\d{1,2} \d\d:\d\d| {0,10}\+ {0,10}\d{1,9}\.\d{1,9}|< {0,10}\d{1,9}\.\d{1,9}>)\] ?"),
        (_ANY, rf"(?P<date>{DATE})[:,]?[ \t]"),
        (_ANY, r"<\d{1,3}>(?:1 )?"),
        (_ANY, r"[a-z0-9]{2,8} {0,4}: {0,8}[a-z]{3,8} {0,4}: "),
        (_DATED, r"[a-z0-9]{2,9}\.[a-z]{3,7} "),
        (_DATED, r"std(?:out|err) [FP] "),
        (_DATED, r"\S{1,12} \S{1,24} - Guest: "),
        (_DATED, r" {0,6}\d{1,7} {1,6}\d{1,7} [VDIWEF] [^:]{0,24}: "),
        # RFC 5424 before the tag alone; a row of the task table is no structured data, which begins with a letter.
        (_DATED, rf"{_HOST} (?P<program>kernel) \S{{1,128}} \S{{1,32}} (?:-|\[[A-Za-z][^\]]{{0,400}}\]) "),
        (_ANY, rf"(?:{_HOST} )?(?P<program>kernel)(?: -){{0,3}}(?: \[[A-Za-z][^\]]{{0,400}}\])?:? (?<!kernel )"),
        (_ANY, rf"(?:{_HOST} )?(?P<program>{_NAMES})(?:\[\d{{1,9}}\])?: ?"),
        (_UNTAGGED, rf"(?:{_HOST} )?(?P<program>[\w./-]{{1,48}})(?:\[\d{{1,9}}\]: ?|(?: -){{0,3}}:(?!\S) ?)"),
        (_ANY, rf"{_HOST} (?={DATE}[ :])"),
        (_ANY, rf"{_HOST} (?P<program>[\w./-]{{1,48}})\[\d{{1,9}}\]: "),
        (_ANY, r"(?:[A-Za-z]{1,20} {1,2}){1,3}(?=<\d{1,3}>)"),
        (_ANY, r"[ \t]+|(?:> ?){1,9}|\+(?=\[)|[-*|] {1,8}|\d{1,9}[:\t]"),
        (_ANY, r"\[ ?[a-z][\w-]{1,20} ?\] (?=Memory cgroup|Out of memory|Killed process|oom-kill:)"),
        (_ANY, rf"(?P<quote>[\"'`])(?=\[|{DATE} )"),
        (_ANY, rf"[^\s:\"'`\[]{{1,255}}[:-](?:\d{{1,9}}[:-])?(?=\[ *\d|<\d|{DATE} )"),
        (_ANY, r"[\w./-]{1,64} {0,20}\|[ >]{1,4}|\[[a-z]{2,12}/[^\]\s]{1,255}\] |\{[a-z_]{1,40}=\"[^}\n]{0,1000}\} "),
    )
)  # fmt: skip
_ANY_PIECE = re.compile("|".join(re.sub(r"\(\?P<\w+>", "(?:", shape.pattern) for _, shape in _PIECES))
"""Whether there may be a piece: one expression, as most lines have none."""
SYSLOG_DATE = (
    r"(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d))"
)
"""The dates of rsyslog and of journalctl, old and new."""
FAST = (
    rf"(?:(?P<date>{SYSLOG_DATE}) (?:(?P<host>[\w.-]{{1,255}}) )?kernel: )?"
    r"\[ *(?P<stamp>\d{1,12}\.\d{1,9})\] "
    r"(?! {0,2}\[ *[TC]\d| {0,2}c\d{1,2} {1,6}\d| {0,2}\(\d{1,2}\)\[| {0,2}\[\d{1,2}: "
    r"|<\d|\[ *\d{1,9}\.\d|\[ ?[a-z-]{2,20} ?\] \w)"
    r"(?(date)|(?!\S{1,80} \S{1,60}: |\S{1,60}\[\d{1,9}\]: ))"
)
"""What stands before a message in most lines of dmesg and rsyslog."""
_FAST = re.compile(FAST)
# The commonest prefix, of which hosts are left to the pieces that may be a zone, a facility or a number.
_TAG = re.compile(rf"({SYSLOG_DATE}) ([a-z][\w-]{{0,255}}) (kernel): ")
# A whole row of the task table after a stamp: nothing in it needs care, and a report has thousands.
_STAMPED_ROW = re.compile(
    r"\[ *(?P<stamp>\d{1,12}\.\d{1,9})\] (?P<row>\[ *\d{1,10}\](?: {1,19}-?\d{1,19}){6,12} {1,19}[\w./:-]{1,16})$",
    re.A,
)
_ODD = re.compile(r"[\x1b\xa0\t]|#012|=3D|\\n\[| {20}|&(?:lt|gt|quot|amp|#39);|<br|</[bcdlpst]|[\"`,]$")
_INNER_STAMP = re.compile(r"\[ *\d{1,9}\.\d{6}\] ")
# One character of each of these, but for the spaces and the end.
_SIGN, _SPACES = re.compile(r"[\x1b\xa0\t#=\\&<\[]"), " " * 20
_LAST_STAMP = re.compile(rf".*{_STAMP} ?{_CALLER}")
_LOOSE = re.compile(rf"^(?P<before>(?:(?!: )[^\"'`=]){{0,160}}?)\b(?P<program>kernel|{_NAMES})(?:\[\d{{1,9}}\])?: ?")
_LOOSE_NAMES = ("kernel", "oomd", "earlyoom", "nohang", "kubelet", "containerd")
_LOOSE_DATE = re.compile(r"\d\d:\d\d|^\d{9,10}\.\d|^(?:[\w.-]{1,255} )?$")
_SENTENCE = re.compile(r"(?:\b[a-z]{2,} ){3}|kernel: ")
_BEHIND = " \t,;|)}]"
"""What may stand behind a message."""
# A string in source code: `LINE = "[ 1.5] ...`, `parse(b"[ 1.5] ...`; logfmt has no spaces around its sign.
_CODE = re.compile(r"(?: = |\(|\breturn |\bassert )[rbfu]{0,2}[\"'`]\[[^\[]*$", re.I)
_MOST_PIECES = 16
_NOT_A_LOG = "nothing around the line says that the kernel wrote it"


def strip_fast(line: str, reference: float | None) -> Record | None:
    """Return the record of a line as dmesg and rsyslog write most of them; None for any other."""
    row = _STAMPED_ROW.match(line)
    if row is not None:
        return Record(row["row"], float(row["stamp"]))
    match = _FAST.match(line)
    if match is None or _is_odd(line, match.end()):
        return None
    date, host, stamp = match.groups()
    when = when_of(date, reference) if date else None
    # One object for a text that many lines share: a storm of kills has 150,000.
    same = None if date is None else intern(date)
    host = None if host is None else intern(host)
    return Record(line[match.end() :], float(stamp), when, host, time_text=same)


def _is_odd(line: str, start: int) -> bool:
    """Whether a line needs more care, by its text after the prefix; few do."""
    may_be = _SIGN.search(line, start) is not None or line[-1] in '"`,' or _SPACES in line
    return may_be and (_ODD.search(line) or _INNER_STAMP.search(line, start)) is not None


@lru_cache(256)
def when_of(date: str, reference: float | None) -> float | None:
    """Return the Unix time of a date; `reference` supplies what it leaves out."""
    known = parse_time(date)
    return known if known is not None or reference is None else assume_time(date, reference)


class _Head:
    """What was found in front of a message so far."""

    __slots__ = ("date", "epoch", "host", "is_quoted", "is_tagged", "program", "quote", "stamp", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.date: str | None = None
        self.epoch: str | None = None
        self.host: str | None = None
        self.program: str | None = None
        self.stamp: str | None = None
        self.quote: str | None = None
        self.is_tagged = False
        self.is_quoted = False

    def peel(self) -> bool:
        """Remove one piece; return whether there was one."""
        if not self.text or KNOWN.match(self.text) or not _ANY_PIECE.match(self.text):
            return False
        # After another program's tag its own words begin, spaces included; a stamp there marks a forwarded message.
        for when, shape in _PIECES if self.program in (None, "kernel") else _PIECES[:1]:
            if (when != _ANY and self.date is None) or (when == _UNTAGGED and (self.program or self.stamp)):
                continue
            match = shape.match(self.text)
            if match is not None and match.end() > 0 and self._may_take(match):
                self._take(match)
                return True
        return False

    def _may_take(self, match: re.Match[str]) -> bool:
        """Whether a second tag is a forwarder's and not a word of the message."""
        return "program" not in match.groupdict() or self.program is None

    def _take(self, match: re.Match[str]) -> None:
        found = match.groupdict()
        for name, value in found.items():
            # The outermost date and host are the log's own; of two stamps the inner one is the kernel's.
            if value is not None and (name == "stamp" or getattr(self, name) is None):
                setattr(self, name, value)
        self.is_quoted = self.is_quoted or match[0][0] in ">*"
        self.text = self.text[match.end() :]


def strip(line: str, reference: float | None = None) -> Record:
    """Return the record of one line of any log."""
    if COMMENT.match(line):
        return Record(line)
    head = _Head(line)
    tag = _TAG.match(line)
    if tag is not None:
        head.date, head.host, head.program = tag.groups()
        head.text = line[tag.end() :]
    for _ in range(_MOST_PIECES):
        if not head.peel():
            break
    if head.stamp is None and head.program is None and not KNOWN.match(head.text):
        is_bare = head.date is None
        head.text = line if is_bare else head.text
        _find(head, line)
    return _record(head, reference)


def _find(head: _Head, line: str) -> None:
    """Find the message after an unknown prefix: by a stamp, by a tag after a date, or as a whole kernel line."""
    stamped = _LAST_STAMP.match(line) if "[" in line else None
    if stamped is not None and _CODE.search(line, 0, stamped.end()) is not None:
        return
    if stamped is not None:
        head.text, head.stamp = line[stamped.end() :], stamped["stamp"]
        return
    loose = _LOOSE.match(line) if has_any(line, _LOOSE_NAMES) else None
    if loose is not None and _LOOSE_DATE.search(loose["before"]):
        head.text, head.program, head.is_tagged = line[loose.end() :], loose["program"], True
        return
    at = whole_message(line)
    if at is not None and not _is_quoted(line[:at]):
        head.text, head.is_tagged, head.program = line[at:].rstrip(_BEHIND), True, "kernel"


def _is_quoted(before: str) -> bool:
    """Whether the text before a message makes it a quotation, a comment or a part of a sentence."""
    bare = before.strip()
    is_open = any(before.count(mark) % 2 for mark in "\"'`") or bare.startswith("*")
    return is_open or bare[-1:].isalnum() or _SENTENCE.search(before) is not None


def _record(head: _Head, reference: float | None) -> Record:
    text = head.text
    if head.quote is not None:
        text = text.rstrip(", ").removesuffix(head.quote)
    is_kernel = head.program in (None, "kernel") or (head.stamp is not None and KNOWN.match(text) is not None)
    program = "kernel" if is_kernel else head.program or "-"
    date = head.date or head.epoch
    when = None if date is None else when_of(date, reference)
    return Record(
        text,
        kernel_time=None if head.stamp is None else float(head.stamp),
        time=when,
        host=head.host,
        facility=LOG_KERN if is_kernel else LOG_USER,
        program=program,
        time_text=_shown(date, when),
        unverified=_doubt(head, is_kernel),
    )


def _shown(date: str | None, when: float | None) -> str | None:
    """Return a date as written; an epoch is not for people to read."""
    return in_utc(when) if date is not None and when is not None and date[:9].isdigit() else date


def _doubt(head: _Head, is_kernel: bool) -> str | None:
    if is_kernel and head.program not in (None, "kernel"):
        return f"the line is tagged {head.program}, not kernel"
    if head.date is None and (head.is_tagged or (head.is_quoted and head.stamp is None)):
        return _NOT_A_LOG
    return None if head.stamp is not None or head.program is None else anybody(head.program)

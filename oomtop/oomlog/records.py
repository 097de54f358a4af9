r"""One message of a log, free of its carrier: what `/dev/kmsg`, dmesg and syslog put in front of it.

Documentation/ABI/testing/dev-kmsg; dmesg(1); RFC 3164 and RFC 5424.
Sample lines: `3,1153,81726371,-;Out of memory: Killed process 116 ...`,
`[   81.726371] Out of memory: ...`, `Jun 19 22:42:14 host kernel: [   81.726371] Out of memory: ...`
"""

from __future__ import annotations

import re
import time

from oomtop.frozen import frozen, replace
from oomtop.oomlog.carriers import CRI, Wrapped, parse_time, unwrap_json

LOG_KERN = 0
LOG_USER = 1


@frozen
class Record:
    """One line of a message; times in seconds, None where the carrier gives none."""

    text: str
    kernel_time: float | None = None
    """Seconds after boot, as printk stamps it."""
    time: float | None = None
    """Unix time."""
    host: str | None = None
    facility: int = LOG_KERN
    """0 is the kernel; anything else in `/dev/kmsg` was written by a process."""
    program: str = "kernel"
    time_text: str | None = None
    """The time as the log writes it, the outermost."""
    unverified: str | None = None
    """Why somebody else than the program may have written it."""


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_KMSG = re.compile(r"^(\d{1,6}),(\d{1,20}),(\d{1,19}),[^;]{0,80};(.*)", re.S)
_ESCAPED = re.compile(r"\\x([0-9a-fA-F]{2})")
_ANSI = re.compile(r"\x1b\[[0-9;?]{0,20}[ -/]{0,2}[@-~]")
_LEVEL = re.compile(r"^<\d{1,3}>(?:1 )?")
_VERSION = re.compile(r"^<\d{1,3}>1 ")
_DECODED_LEVEL = re.compile(r"^[a-z0-9]{2,8} {0,4}:[a-z]{3,8} {0,4}: ")
_STAMP = re.compile(r"^\[ *(\d{1,12}\.\d{1,9})(?: <[ \d.]{1,20}>)?\] ?")
# Behind the stamp: PRINTK_CALLER, and the CPU, task and pid that kernels of Qualcomm, MediaTek and Samsung put there.
_CALLER = re.compile(
    r"^ {0,2}(?:\[ *[TC]\d{1,9}\] ?|c\d{1,2} {1,6}\d{1,7} |\(\d{1,2}\)\[\d{1,7}:[^\]]{0,40}\]"
    r"|\[\d{1,2}: {0,20}[^\]]{1,40}: {0,8}\d{1,7}\] )"
)
# dmesg -T in any language; -e, -H and -d print `[Dec10 12:34]`, `[  +0.002367]` and `[<    0.000010>]`.
_WALL = re.compile(
    r"^\[(?:[^\]\d][^\]]{5,40}\d{4}(?: <[ \d.]{1,20}>)?|[^\]\d]{2,6} ?\d{1,2} \d\d:\d\d"
    r"| {0,10}\+ {0,10}\d{1,9}\.\d{1,9}|< {0,10}\d{1,9}\.\d{1,9}>)\] ?"
)
# VMware's log of a machine repeats the guest's console.
_GUEST = re.compile(r"^\d{4}-\d\d-\d\dT\S{8,24} \S{1,12} \S{1,24} - Guest: ")
# A pasted log is indented or quoted; what follows must begin like a log's line.
_PASTED = re.compile(
    r"^(?:[ \t]{0,40}(?:> ?){1,9}|[ \t]{1,40}(?=\[|<\d|[A-Z][a-z]{2} [ \d]\d \d\d:|\d{4}-\d\d-\d\d[T ]))"
)
_ISO = re.compile(r"^(\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d)(?:([.,])(\d{1,9}))?(Z|[+-]\d\d:?\d\d)?:? ")
_BSD = re.compile(r"^(?:[A-Z][a-z]{2} [ \d]\d )?\d\d:\d\d:\d\d(?:\.\d{1,9})?:? ")
_RFC5424 = re.compile(r"^(?P<host>\S{1,255}) (?P<program>\S{1,48}) \S{1,128} \S{1,32} (?:-|\[[^\]]{0,400}\]) ")
_FORWARDED = re.compile(r"^(?P<program>[\w.-]{1,48})\[\d{1,9}\]: ")
_TAG = re.compile(r"^(?:(?P<host>[\w.:-]{1,255}) )?(?P<program>kernel|[\w./-]{1,48}(?:\[\d{1,9}\])?)(?: -){0,3}: ?")
# Any other date or column before the tag of a program that tells of kills: other languages, years, `grep` in front.
_LOOSE = re.compile(
    r"^(?P<before>(?:(?!: )[^\"'`=]){0,160}?)\b(?P<program>kernel|systemd-oomd|earlyoom|nohang|oomd|kubelet|containerd)"
    r"(?:\[\d{1,9}\])?: ?"
)
_LOOSE_DATE = re.compile(r"\d\d:\d\d|^\d{9,10}\.\d|^\[ *(?P<kernel_time>\d{1,12}\.\d{1,9})\] |^(?:[\w.-]{1,255} )?$")


def parse_kmsg(raw: bytes) -> tuple[Record, ...]:
    """Return the lines of one `/dev/kmsg` record; none for a text that is not one.

    The kernel writes bytes below 32, above 126 and the backslash as `\\xNN`; a newline inside is `\\x0a`.
    """
    match = _KMSG.match(raw.decode("utf-8", "backslashreplace").partition("\n")[0])
    if match is None:
        return ()
    facility, stamp = int(match[1]) >> 3, int(match[3]) / 1e6
    text = _unescape(match[4])
    # A daemon's line that systemd forwards (`ForwardToKMsg=`, `StandardError=kmsg`) begins with its tag.
    tag = _FORWARDED.match(text) if facility != LOG_KERN else None
    if tag is not None:
        return (Record(text[tag.end() :], stamp, facility=facility, program=tag["program"]),)
    return tuple(Record(line, stamp, facility=facility) for line in text.split("\n"))


def _unescape(text: str) -> str:
    if "\\x" not in text:
        return text
    raw = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)
    return raw.encode("latin-1", "replace").decode("utf-8", "backslashreplace")


def parse_line(line: str, reference: float | None = None) -> tuple[Record, ...]:
    """Return the records of one line of a log file or of pasted text, its carrier's prefix stripped.

    RFC 3164 dates have no year: with `reference`, a Unix time, they lie in the year before it, else they are None.
    """
    text = _PASTED.sub("", _ANSI.sub("", line.rstrip("\r\n").replace("\xa0", " ")), count=1)
    # Mail in quoted-printable writes its equals signs so.
    text = _GUEST.sub("", text.replace("=3D", "="), count=1)
    if text.startswith("{"):
        wrapped = unwrap_json(text)
        if wrapped is not None:
            return _unwrapped(wrapped)
    cri = CRI.match(text)
    if cri is not None:
        return _unwrapped(Wrapped(text[cri.end() :], parse_time(cri["time"]), None, None, None))
    if _KMSG.match(text) is not None:
        return parse_kmsg(text.encode("utf-8", "surrogateescape"))
    record = _strip(Record(text), reference)
    return tuple(replace(record, text=part) for part in record.text.split("#012"))


def _unwrapped(wrapped: Wrapped) -> tuple[Record, ...]:
    """Return the records inside a wrapping, with what the wrapping knows about them."""
    records: list[Record] = []
    for part in wrapped.text.rstrip("\n").split("\n"):
        inner = _strip(Record(part))
        program = wrapped.program or inner.program
        records.append(
            replace(
                inner,
                time=wrapped.time if wrapped.time is not None else inner.time,
                kernel_time=wrapped.kernel_time if wrapped.kernel_time is not None else inner.kernel_time,
                host=wrapped.host or inner.host,
                program=program,
                facility=LOG_KERN if program == "kernel" else LOG_USER,
                unverified=wrapped.unverified if wrapped.is_attested else inner.unverified,
            )
        )
    return tuple(records)


def _strip(record: Record, reference: float | None = None) -> Record:
    """Take one prefix after the other away, outermost first."""
    is_5424 = _VERSION.match(record.text) is not None
    text = _DECODED_LEVEL.sub("", _LEVEL.sub("", record.text, count=1), count=1)
    text, when = _strip_date(text, reference)
    host, program, tag = None, "kernel", None
    if when is not False:
        tag = _RFC5424.match(text) if is_5424 else _TAG.match(text)
        if tag is not None:
            host, program, text = tag["host"], tag["program"].partition("[")[0], text[tag.end() :]
    loose = _loose_tag(record.text) if tag is None else None
    if loose is not None:
        program, text = loose["program"], record.text[loose.end() :]
    text = _LEVEL.sub("", text, count=1)
    stamp = _STAMP.match(text)
    text = _CALLER.sub("", text[stamp.end() :], count=1) if stamp else _WALL.sub("", text, count=1)
    return Record(
        text,
        kernel_time=float(stamp[1]) if stamp else None,
        time=when if isinstance(when, float) else None,
        host=host,
        facility=LOG_KERN if program == "kernel" else LOG_USER,
        program=program,
        unverified=None if stamp or not (tag or loose) else _anybody(program),
    )


def _anybody(program: str) -> str:
    return f"any user can write a line of syslog that is tagged {program}"


def _loose_tag(text: str) -> re.Match[str] | None:
    """Return the tag of a line whose date or columns are of no known shape; None where it may be a sentence."""
    match = _LOOSE.match(text) if ": " in text else None
    return match if match and _LOOSE_DATE.search(match["before"]) else None


def _strip_date(text: str, reference: float | None) -> tuple[str, float | bool | None]:
    """Return the text behind a date, and that date; False when there was none or only dmesg's own."""
    iso = _ISO.match(text)
    if iso is not None and iso[2] == ",":
        return text[iso.end() :], False
    if iso is not None:
        return text[iso.end() :], parse_time(iso[0].rstrip(": "))
    bsd = _BSD.match(text)
    if bsd is None:
        return text, False
    return text[bsd.end() :], None if reference is None else date_before(bsd[0], reference)


def date_before(text: str, reference: float) -> float | None:
    """Return the Unix time of `Nov 23 10:01:02`, local time, in the year that ends a day after `reference`."""
    words = text.split()
    if len(words) != 3 or words[0] not in _MONTHS:
        return None
    hour, minute, second = words[2].split(":")
    latest = time.localtime(reference + 86400)
    for year in (latest.tm_year, latest.tm_year - 1):
        parts = (year, _MONTHS.index(words[0]) + 1, int(words[1]), int(hour), int(minute), int(float(second)), 0, 0, -1)
        try:
            found = time.mktime(parts)
        except (OverflowError, ValueError):
            return None
        if found <= reference + 86400:
            return found
    return None

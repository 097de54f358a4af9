r"""One line of a log as records: `/dev/kmsg`, dmesg, syslog, JSON and whatever else carries messages.

Documentation/ABI/testing/dev-kmsg; dmesg(1); RFC 3164 and RFC 5424.
Sample lines: `3,1153,81726371,-;Out of memory: Killed process 116 ...`,
`[   81.726371] Out of memory: ...`, `Jun 19 22:42:14 host kernel: [   81.726371] Out of memory: ...`
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from oomtop.frozen import replace
from oomtop.oomlog.carriers.json_text import unwrap_json
from oomtop.oomlog.carriers.prefixes import strip, strip_fast
from oomtop.oomlog.carriers.record import LOG_KERN, LOG_USER, Record, has_any
from oomtop.oomlog.lines import KNOWN

__all__ = ["LOG_KERN", "LOG_USER", "Record", "parse_kmsg", "parse_line"]

_KMSG = re.compile(r"^(\d{1,6}),(\d{1,20}),(\d{1,19}),[^;]{0,80};(.*)", re.S)
_ESCAPED = re.compile(r"\\x([0-9a-fA-F]{2})")
_ANSI = re.compile(r"\x1b\[[0-9;?]{0,20}[ -/]{0,2}[@-~]")
_FORWARDED = re.compile(r"^(?P<program>[\w.-]{1,48})\[\d{1,9}\]: ")
_JSON = re.compile(r"^(?:(?:data: ?|\x1e|[^{}\"']{0,160}[\t ])?(?=\{\s*\"|\[\s*[\"{])|(?=\"\[ *\d))")
_STAMP = r"\[ *\d{1,9}\.\d{6}\] "
# On a console two messages can share a line, and tools escape the ends of lines.
_JOINED = re.compile(rf"#012|\\n(?=\[|<\d)|(?<=[\w)])(?={_STAMP})")
_OF_JOINED = ("#012", "\\n", "] ")
_PADDED = re.compile(r" {20,}")
_HTML = re.compile(r"&(lt|gt|quot|amp|#39|nbsp);|</?(?:br|pre|code|p|td|tr|li|span|div)\b[^>]{0,99}>")
_ENTITIES = {"lt": "<", "gt": ">", "quot": '"', "amp": "&", "#39": "'", "nbsp": " "}
_LONGEST = 1 << 20


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
    fast = strip_fast(line.rstrip("\r\n"), reference)
    return parse_odd_line(line, reference) if fast is None else (fast,)


def parse_odd_line(line: str, reference: float | None = None) -> tuple[Record, ...]:
    """Return the records of a line that is not as dmesg and rsyslog write most of them."""
    text = clean(line)
    json = _JSON.match(text) if '"' in text else None
    if json is None and '"=>' in text and '{"' in text:
        # Fluent Bit and fluentd print a record as Ruby does.
        wrapped = unwrap_json(text[text.index('{"') :].rstrip("] ,").replace('"=>', '":'))
    else:
        wrapped = unwrap_json(text[json.end() :].rstrip(" ,")) if json is not None else None
    if wrapped is not None:
        return wrapped
    if _KMSG.match(text) is not None:
        return parse_kmsg(text.encode("utf-8", "surrogateescape"))
    return tuple(_parts(text, reference))


def clean(line: str) -> str:
    """Return a line without colours, padding and markup; mail in quoted-printable writes its equals signs as =3D."""
    text = line.rstrip("\r\n")[:_LONGEST]
    text = _ANSI.sub("", text) if "\x1b" in text else text
    text = text.replace("\xa0", " ").replace("=3D", "=").lstrip("\ufeff")
    if "&" in text or "<" in text:
        text = _HTML.sub(lambda match: _ENTITIES.get(match[1] or "", ""), text)
    return text


def _parts(text: str, reference: float | None) -> Iterator[Record]:
    """Yield the messages of a line; those behind the first have its date and host."""
    first, *others = _JOINED.split(text) if has_any(text, _OF_JOINED) else (text,)
    head = strip(first, reference)
    yield _unpadded(head)
    for part in others:
        inner = strip(part, reference)
        is_bare = inner.time_text is None and inner.kernel_time is None
        yield _unpadded(replace(head, text=part) if is_bare else replace(inner, host=inner.host or head.host))


def _unpadded(record: Record) -> Record:
    """Return a message that a terminal filled up to its width in the middle, without that; rows keep their columns."""
    if "                    " not in record.text or not KNOWN.match(record.text) or record.text.startswith("["):
        return record
    return replace(record, text=_PADDED.sub("", record.text))

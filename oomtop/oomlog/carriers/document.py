"""Whether a whole file is a log at all: source code, manual pages and rules quote the kernel's lines as examples.

Decided by the shares of its lines, as a line alone on its own cannot be told from its quotation.
"""

from __future__ import annotations

import re

from oomtop.frozen import frozen
from oomtop.oomlog.lines import KNOWN

_CODE = re.compile(
    r"\s*(?:from [\w.]+ import |import [\w.\"{*]+|(?:async )?def \w+\(|class \w+[(:]|#include\s*[<\"]|#define \w"
    r"|package \w+;?$|func [\w(]|(?:pub )?fn \w+|(?:static|const|struct|enum|typedef|void|int|char|extern) [\w*]"
    r"|(?:var|let) \w+ ?[=:]|use [\w:]+;|return\b|assert |@\w+|#!/|/\*|\*/|(?:el)?if .*[:{]$|fi$|done$|if .*; then$"
    r"|[A-Z_]{2,} = [rbf]{0,2}[\"'({\[]|\w+\(r?[\"\'].*\),?$|[)}\]]+[;,]?$|[\"']{3}\\?$)"
)
_SURE = (
    ("a patch", re.compile(r"diff --git |@@ -\d+|--- a/|\+\+\+ b/")),
    ("a manual page", re.compile(r"\.(?:TH|SH|SS|PP|TP|nf|fi|Dd|Sh|Pp|Bd|Ed)\b")),
    ("a set of rules", re.compile(r"\s*(?:- )?(?:alert|expr|groups|rules|record|for|annotations):(?: |$)")),
)
_MARKUP = re.compile(
    r"#{1,6} [A-Za-z]|```|~~~|[=~^-]{4,}$|.*\w::$|[-*] \w|\d{1,2}\. \w|\|.*\|$|</?(?:html|h\d|p|pre|body)\b|[A-Z ]{4,}$"
)
_PROSE = re.compile(r"(?!.*(?:\d\d:\d\d:\d\d|\[ *\d+\.\d+\]|kB\b)) *[A-Z][\w'-]*(?: [\w'`\"(-][\w'`\")-]*[,.;:]?){5}")
_CHAT = re.compile(r"(?:\[\d\d:\d\d(?::\d\d)?\] )?<[\w.-]{1,32}> \S|[\w.' -]{1,40} \d{1,2}:\d\d(?: ?[AP]M)?$")
_TALK = re.compile(r"[> \t]{0,16}[A-Za-z][\w'-]*[,.;:?!]*(?: [\w'`\"(-][\w'`\"),.;:?!-]*){3,}$")
_SHORT = 40
"""Lines of a text in which sentences count that a program may write as well."""
_JSON = re.compile(r"\s*(?:\{|\[\s*(?:[{\[\"]|$))")
_LOG = re.compile(
    r"\bSIG(?:TERM|KILL)\b|\bMiB\b|\bPID: \d|\d ms\b"
    r"|(?:\[ *\d{1,9}\.\d{1,9}\]|\d\d:\d\d:\d\d|\d{2}kB\b|0x[0-9a-f]{3})|^\s*\[ *\d+\] +\d"
)
_FEWEST = 2
_CODE_SHARE = 0.2


@frozen
class Document:
    """What a file is that is no log."""

    kind: str
    is_sure: bool
    """Whether nothing in it can be a log; otherwise one may have been pasted into it."""
    has_mentions: bool = False
    """Whether what others say of a kill is told; Markdown without a line of a log explains such sentences."""


def document_of(text: str) -> Document | None:
    """Return what a text is if most of its lines are not those of a log; None for a log."""
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines or _JSON.match(lines[0]):
        return None
    logs = sum(_LOG.search(line) is not None or KNOWN.match(line) is not None for line in lines)
    if logs * 2 > len(lines):
        return None
    for kind, shape in _SURE:
        if sum(shape.match(line) is not None for line in lines) >= _FEWEST:
            return Document(kind, is_sure=True)
    code = sum(_CODE.match(line) is not None or line.endswith((";", "{")) for line in lines)
    code += lines[0].startswith("#!")
    if code >= _FEWEST and code > logs and code >= _CODE_SHARE * len(lines):
        return Document("source code", is_sure=True)
    chats = sum(_CHAT.match(line) is not None for line in lines)
    if chats >= _FEWEST and chats > logs:
        return Document("a conversation", is_sure=False)
    shapes = (_MARKUP, _PROSE, _TALK) if len(lines) <= _SHORT else (_MARKUP, _PROSE)
    words = sum(KNOWN.match(line) is None and any(shape.match(line) for shape in shapes) for line in lines)
    is_document = words >= _FEWEST and words > logs
    is_markdown = not logs and any(line.startswith(("# ", "## ", "```")) for line in lines)
    return Document("a document", is_sure=False, has_mentions=not is_markdown) if is_document else None

"""Mentions of kills by others, as lines of a list, as text and as JSON."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from oomtop.analysis.postmortem.mention_words import describe_mention, report_place
from oomtop.frozen import as_dict
from oomtop.oomlog.evidence import UnreadMention
from oomtop.oomlog.mentions.mention import Mention
from oomtop.units import DASH, printable

SHOWN = 40
Json = dict[str, object]


def mention_to_json(mention: Mention) -> Json:
    """Return one mention, with where its full report is in words."""
    return {**as_dict(mention), "lines": list(mention.lines), "report_at": report_place(mention)}


def leftover_to_json(leftover: UnreadMention) -> Json:
    """Return one line that nothing here understands."""
    return as_dict(leftover)


def render_mentions(mentions: Sequence[Mention], width: int) -> str:
    """Return what others say, a sentence each and where the full report is; those about an event name its number."""
    lines = [f"{len(mentions)} mention{'s' * (len(mentions) != 1)} of kills by others"]
    for mention in mentions[:SHOWN]:
        lines += _sentences(mention, width)
    if len(mentions) > SHOWN:
        lines.append(f"  ... {len(mentions) - SHOWN} more, all with --json")
    return "\n".join(lines) + "\n"


def render_mention(mention: Mention, width: int) -> str:
    """Return one mention: what it says, where the full report is, and its line."""
    lines = [*_sentences(mention, width), "", "THE LOG ITSELF", printable(mention.text)]
    return "\n".join(lines) + "\n"


def _sentences(mention: Mention, width: int) -> Iterable[str]:
    place = f"Event {mention.event + 1} is its report." if mention.event is not None else report_place(mention)
    text = printable(f"{describe_mention(mention)} {place or ''}".strip())
    yield from textwrap.wrap(
        text, max(20, width), initial_indent="  ", subsequent_indent="    ", break_long_words=False
    )


def mention_columns(mention: Mention) -> tuple[str, str, str, str]:
    """Return (reporter, pid, name, what it is about), as a list of events shows them."""
    pid = DASH if mention.pid is None else str(mention.pid)
    return f"{mention.by}*", pid, mention.name or DASH, mention.subject or mention.kind


def render_leftovers(leftovers: Sequence[UnreadMention]) -> str:
    """Return the sentence for logs in which nothing could be read although lines speak of OOM."""
    count = len(leftovers)
    quoted = "; ".join(
        f"{'line ' + str(left.line) if left.line is not None else left.source}: {left.text[:160]}"
        for left in leftovers[:3]
    )
    more = f"; and {count - 3} more" if count > 3 else ""
    return f"no OOM report found, but {count} line{'s' * (count != 1)} mention{'s' * (count == 1)} OOM: {quoted}{more}"

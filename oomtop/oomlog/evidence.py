"""What one or more logs tell: the events, who else mentions a kill, and what could not be read."""

from __future__ import annotations

from collections.abc import Iterable

from oomtop.frozen import frozen, replace
from oomtop.oomlog.carriers.document import Document
from oomtop.oomlog.event import OomEvent
from oomtop.oomlog.mentions.join import confirm, join_mentions, settle
from oomtop.oomlog.mentions.mention import Mention
from oomtop.oomlog.merge import merge_logs


@frozen
class Unread:
    """A log that could not be read, and why."""

    path: str
    why: str


@frozen
class UnreadMention:
    """A line about OOM in no known wording."""

    source: str
    line: int | None
    text: str


@frozen
class Evidence:
    """Events, mentions, lines that were not understood, and logs that were not read."""

    events: tuple[OomEvent, ...] = ()
    mentions: tuple[Mention, ...] = ()
    leftovers: tuple[UnreadMention, ...] = ()
    problems: tuple[Unread, ...] = ()


def gather(events: Iterable[OomEvent], part: Evidence) -> Evidence:
    """Return a part with its events, and its mentions joined to them."""
    settled = settle(tuple(events))
    mentions = join_mentions(settled, part.mentions)
    return Evidence(confirm(settled, mentions), mentions, part.leftovers, part.problems)


def of_document(found: Evidence, document: Document) -> Evidence:
    """Return what a file that is no log tells: examples are none of its machine's kills, an excerpt may be one."""
    doubt = f"the line stands in {document.kind}, perhaps as an example"
    events = tuple(replace(event, unverified=event.unverified or doubt) for event in found.events)
    if document.has_mentions:
        return replace(found, events=events)
    events, examples = ((), events) if document.is_sure else (events, ())
    first = [(event.source or "", event.raw[0].strip()) for event in examples if event.raw]
    known = "\n".join(left.text for left in found.leftovers)
    said = [UnreadMention(source, None, text) for source, text in first if text not in known]
    said += [
        UnreadMention(mention.source or "", next(iter(mention.lines), None), mention.text) for mention in found.mentions
    ]
    return replace(found, events=events, mentions=(), leftovers=(*found.leftovers, *said))


def together(parts: Iterable[Evidence]) -> Evidence:
    """Return what several logs tell as one, each kill and each mention once, oldest first."""
    told = tuple(parts)
    return gather(
        merge_logs(event for part in told for event in part.events),
        Evidence(
            mentions=tuple(dict.fromkeys(mention for part in told for mention in part.mentions)),
            leftovers=tuple(left for part in told for left in part.leftovers),
            problems=tuple(problem for part in told for problem in part.problems),
        ),
    )

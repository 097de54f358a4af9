"""Mentions of kills in lines of any program: the tables of wordings applied, lines about one subject put together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from oomtop.frozen import replace
from oomtop.oomlog.carriers.record import COMMENT, Record, has_any
from oomtop.oomlog.event import OomEvent
from oomtop.oomlog.evidence import Evidence, UnreadMention, gather
from oomtop.oomlog.mentions import batch, clouds, containers, kernel, kubernetes, systemd
from oomtop.oomlog.mentions.mention import FAILURE, KILL, Mention, Shape
from oomtop.oomlog.mentions.outline import OF_ENGINES, Node, Outline, is_of_event, json_leaves, name_of, value_of

SHAPES: tuple[Shape, ...] = (
    *kubernetes.SHAPES, *systemd.SHAPES, *containers.SHAPES, *batch.SHAPES, *clouds.SHAPES, *kernel.SHAPES,
)  # fmt: skip
_BY_NEEDS = tuple((shape.needs, index, shape) for index, shape in enumerate(SHAPES))
WORDS = (
    "OOM", "oom-kill'", "oom_kill", "oom-kill ev", ": oom-kill", "=oom-kill", "oom_reaper", "systemd-oomd killed",
    "container oom",
    '"oom"', "/oom", "oom killed", "out of memory)", "out of memory", "Out Of Memory", "Out of Memory", "OutOfMemory",
    "OUT_OF_ME", "emory limit", "memory quota", "emory quota", "exceeded limit", " oom event", "low on resource",
    "viction manager",
    "allocation fail", "vmalloc", "code 137", "status 137", "exitCode=137", "signal: killed", "MEMLIMIT",
    "running low on memory", "hard limit", "soft limit", "memory budget", "SLUB: Unable", "to memory usage",
    "LSF memory usage",
)  # fmt: skip
"""What every line that is a mention holds one of."""
_ROOTS = ("emory", "oom", "OOM", "alloc", "limit", "137", "viction", "OUT_OF", "signal: killed")
"""What every line that is a mention has of the kind, in few words."""
_SEAM = 60
_QUOTED = len(SHAPES)
NEEDLES = (b"allocation fail", b"viction manager", b"vmalloc", b"code 137", b"status 137", b"OUT_OF_ME")
"""What a mention holds that has neither `oom`, `OOM` nor `emory`."""
TELLING = "|".join(map(re.escape, WORDS)).encode()
_CONTEXT = tuple(re.compile(pattern) for pattern in (*systemd.CONTEXT, *batch.CONTEXT))
_CONTEXT_STARTS = ("Running", "●", "○", "×", "Id=", "Task ", "Job", "ID ")
_NODES = tuple(re.compile(pattern) for pattern in kubernetes.NODES)
_DETAIL = re.compile(kernel.DETAIL)
_TALKS = re.compile(
    r"(?<![A-Za-z])(?:OOM|oom)(?![A-Za-z])|[Oo]ut[ -][Oo]f[ -][Mm]emory|OutOfMemory|OOMKill|oom-kill", re.A
)
_OF_TALK = ("oom", "OOM", "emory")
_NEAR_LINES, _NEAR_SECONDS = 60, 60.0
_MOST_LEFTOVERS = 100
_MAX_TEXT = 2000


class MentionReader:
    """Feeds on the lines of one log and collects what they mention."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._found: list[Mention] = []
        self._shapes: list[set[int]] = []
        """Which shapes each mention is made of."""
        self._told = 0
        """How many lines said something."""
        self._outline = Outline()
        self._nodes: dict[int, Node] = {}
        """The nodes whose name may still follow, by the place of their mention."""
        self._quoted: set[str] = set()
        """Lines of the kernel that stand in an event of Kubernetes, whose other lines still follow."""
        self._context: str | None = None
        self._before = ""
        self._leftovers: list[UnreadMention] = []

    def feed(self, line: str, record: Record | None, number: int | None = None) -> bool:
        """Take a line in, and its first message; return whether it repeats the kernel's own words."""
        line = line.rstrip("\r\n")
        # The kernel's own kill line, by far the most frequent; only node-problem-detector repeats it.
        if "Killed process " in line and "OOMKilling" not in line and "{" not in line and "message" not in line:
            self._before = line
            self._leave(line, number)
            return False
        node = self._outline.add(line, number)
        before, self._before = self._before, line
        if self._is_detail(line):
            return False
        if not _may_tell(line) and not (node is not None and is_of_event(node)):
            self._keep_context(line)
            if not self._take_wrapped(before, line, record, number):
                self._leave(line, number)
            return False
        count = self._told
        leaves = tuple(json_leaves(line, number)) if line.lstrip().startswith(("{", "[")) else ()
        if leaves:
            taken = [self._take(leaf.value or "", leaf, record, number) for leaf in leaves]
            if any(taken) or self._told > count:
                return any(taken)
        quotes = self._take(line, node, record, number)
        if self._told == count and not self._take_wrapped(before, line, record, number):
            self._leave(line, number)
        return quotes

    def may_go_on(self, line: str) -> bool:
        """Whether a line may go on with the sentence that the line before it begins."""
        return bool(self._before) and _may_tell(_seam(self._before, line))

    def note(self, line: str) -> None:
        """Note a line of the kernel that the next one may go on with."""
        self._before = line

    def pass_over(self, lines: Sequence[str], has_keys: bool, number: int | None) -> None:
        """Take lines in that are no mention; `has_keys`: some may be keys, `number` is the last line's before them."""
        self.note(lines[-1])
        if has_keys:
            self._outline.pass_over([line for line in lines if ": " in line or line[-1] == ":"])
        for at, line in enumerate(lines if len(self._leftovers) < _MOST_LEFTOVERS else ()):
            self._leave(line, None if number is None else number + at + 1)

    def found(self) -> tuple[Mention, ...]:
        """Return the mentions in their order."""
        return tuple(self._named(at, mention) for at, mention in enumerate(self._found))

    def evidence(self, events: Iterable[OomEvent]) -> Evidence:
        """Return the events of the log with what it mentions; a line that was only repeated is no event."""
        own = (event for event in events if not self._quoted or {line.strip() for line in event.raw} - self._quoted)
        return gather(own, Evidence(mentions=self.found(), leftovers=tuple(self._leftovers)))

    def _leave(self, line: str, number: int | None) -> None:
        """Note a line that speaks of OOM in no known words; who reads events does not miss it."""
        if len(self._leftovers) < _MOST_LEFTOVERS and has_any(line, _OF_TALK) and _TALKS.search(line):
            self._leftovers.append(UnreadMention(self._source, number, line.strip()[:_MAX_TEXT]))

    def _named(self, at: int, mention: Mention) -> Mention:
        node = self._nodes.get(at)
        if node is None or mention.subject is not None:
            return mention
        return replace(mention, subject=name_of(node))

    def _keep_context(self, line: str) -> None:
        if line.startswith(_CONTEXT_STARTS):
            match = next((found for shape in _CONTEXT if (found := shape.search(line))), None)
            self._context = match["subject"] if match else self._context

    def _take(self, text: str, node: Node | None, record: Record | None, number: int | None) -> bool:
        """Add what a text says; return whether it repeats the kernel's own words."""
        for index, shape in _wordings(text) if _may_tell(text) else ():
            match = shape.pattern.search(text)
            # Who writes code into a sentence speaks of a line; a whole line of a log may stand in such signs as well.
            if (
                match is not None
                and text.find("`") in range(1, match.start())
                and text.count("`", 0, match.start()) % 2
            ):
                return False
            if match is not None and COMMENT.match(text):
                return False
            if match is not None:
                self._add(index, _fields(match, text), text, node, record, number)
                return shape.quotes
        quote = kubernetes.QUOTE.pattern.search(text) if node is not None and is_of_event(node) else None
        if quote is not None and node is not None:
            self._add(_QUOTED, _fields(quote, text), text, node, record, number)
            self._quoted.add((node.value or "").strip())
            return True
        if node is not None and _is_state(node):
            by = _engine(node)
            self._add(-1 - len(by), {"by": by}, text, node, record, number)
        return False

    def _take_wrapped(self, before: str, line: str, record: Record | None, number: int | None) -> bool:
        """Try a line together with the one before it, which a mail program may have broken; return whether it told."""
        if not before or not _may_tell(_seam(before, line)):
            return False
        text, cut = f"{before.rstrip()} {line.strip()}", len(before.rstrip())
        for index, shape in _wordings(text):
            match = shape.pattern.search(text)
            if match is not None and match.start() < cut < match.end():
                self._add(index, _fields(match, text), text, None, record, number)
                return True
        return False

    def _is_detail(self, line: str) -> bool:
        """Take the pid that the kernel prints behind an allocation that failed."""
        last = self._found[-1] if self._found else None
        if last is None or last.kind != FAILURE or last.pid is not None or "PID: " not in line:
            return False
        match = _DETAIL.search(line) or re.search(r"\bPID: (?P<pid>\d{1,10})\b", line)
        if match is not None:
            self._found[-1] = replace(last, pid=int(match["pid"]))
        return match is not None

    def _add(
        self,
        index: int,
        fields: dict[str, str | None],
        text: str,
        node: Node | None,
        record: Record | None,
        number: int | None,
    ) -> None:
        self._told += 1
        shape = kubernetes.QUOTE if index == _QUOTED else SHAPES[index] if index >= 0 else None
        mention = self._mention(shape, fields, text, node, record, number)
        at = self._goes_with(index, shape, mention)
        if at is None and shape is not None and shape.joins and shape.by == "docker":
            # An exit code alone says nothing of memory.
            return
        if at is None:
            self._found.append(mention)
            self._shapes.append({index})
            if node is not None and mention.subject is None:
                self._nodes[len(self._found) - 1] = node
            return
        self._shapes[at].add(index)
        self._found[at] = _joined(self._found[at], mention, shape is not None and shape.adds)

    def _mention(
        self,
        shape: Shape | None,
        fields: dict[str, str | None],
        text: str,
        node: Node | None,
        record: Record | None,
        number: int | None,
    ) -> Mention:
        by = shape.by if shape else fields["by"] or "kubelet"
        subject = fields.get("subject") or (self._context if by in ("systemd", "slurm", "nomad") else None)
        count = fields.get("count")
        return Mention(
            by=by,
            kind=shape.kind if shape else KILL,
            text=text.strip()[:_MAX_TEXT],
            lines=() if number is None else (number,),
            subject=subject or fields.get("node"),
            pid=int(pid) if (pid := fields.get("pid")) else None,
            name=fields.get("name"),
            count=int(count) if count else 1 if shape is not None and shape.adds else None,
            time=record.time if record else None,
            host=record.host if record else None,
            source=self._source,
        )

    def _goes_with(self, index: int, shape: Shape | None, mention: Mention) -> int | None:
        """Return the place of the mention that a new one belongs to."""
        for at in range(len(self._found) - 1, max(-1, len(self._found) - 20), -1):
            known = self._found[at]
            if not _is_near(known, mention):
                continue
            if shape is not None and shape.joins and (known.subject == mention.subject or shape.by == "srun"):
                return at
            is_new = index not in self._shapes[at] or (shape is not None and shape.adds)
            same = (known.by, known.kind, known.pid) == (mention.by, mention.kind, mention.pid)
            if same and is_new and known.subject == mention.subject and mention.subject is not None:
                return at
        return None


def _seam(before: str, line: str) -> str:
    return f"{before[-_SEAM:].rstrip()} {line[:_SEAM].strip()}"


def _wordings(text: str) -> list[tuple[int, Shape]]:
    """Return the wordings that a text may have, each with its place in their table."""
    return [(index, shape) for needs, index, shape in _BY_NEEDS if needs in text]


def _may_tell(line: str) -> bool:
    """Whether a line can be a mention; tried on every line, so that the cheapest questions come first."""
    return has_any(line, _ROOTS) and has_any(line, WORDS)


def _fields(match: re.Match[str], text: str) -> dict[str, str | None]:
    fields = match.groupdict()
    if fields.get("subject") is None:
        node = next((found["node"] for shape in _NODES if (found := shape.search(text))), None)
        fields["node"] = node
    return fields


def _is_near(known: Mention, mention: Mention) -> bool:
    if known.time is not None and mention.time is not None:
        return abs(mention.time - known.time) <= _NEAR_SECONDS
    if known.lines and mention.lines:
        return mention.lines[0] - known.lines[-1] <= _NEAR_LINES
    return True


def _joined(known: Mention, more: Mention, adds: bool) -> Mention:
    count = (known.count or 0) + (more.count or 0) if adds else known.count or more.count
    return replace(known, lines=(*known.lines, *more.lines), count=count or None, pid=known.pid or more.pid)


def _is_state(node: Node) -> bool:
    """Whether a key and its value are the state of a container that was killed."""
    key = node.key.lower()
    return (key == "reason" and node.value == "OOMKilled") or (
        key in ("oomkilled", "oom_killed") and node.value == "true"
    )


def _engine(node: Node) -> str:
    """Return who prints such a state: Kubernetes a reason, docker and podman a truth value."""
    if node.key.lower() == "reason":
        return "kubelet"
    if node.key == "oom_killed":
        return "nomad"
    return "podman" if value_of(node, *OF_ENGINES) else "docker"

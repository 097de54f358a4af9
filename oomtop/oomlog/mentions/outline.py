"""Text that is nested by its indentation, and JSON, as a tree: `kubectl describe`, YAML, printed JSON.

Whoever says `Reason: OOMKilled` names the container some lines above or below, at a smaller indentation.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

_MOST_NODES = 50_000
_MAX_JSON = 1 << 22
_LINE = re.compile(
    r"^(?P<indent>[ \t]*(?:- )*)\"?(?P<key>[^\":\[\]{}#\s][^\":\[\]{}#]{0,79}?)\"? ?:(?:\s+(?P<value>.*))?$"
)
_ITEM = re.compile(r"^(?P<indent>[ \t]*)[\[{]\s*$")
_NAMES = ("name", "Name", "containerName", "task", "requestId")
_OF_EVENT = ("involvedObject", "regarding")
_WITH_NAME = (*_OF_EVENT, "metadata")
OF_ENGINES = ("OciVersion", "ConmonPidFile", "ImageName")
_ASKED = frozenset((*_NAMES, *OF_ENGINES))
_DEEPEST = 64
_MOST_OBJECTS = 8
_CONTAINERS = ("Containers", "Init Containers", "Ephemeral Containers")


class Node:
    """One key with its value and what stands below it."""

    __slots__ = ("indent", "key", "number", "objects", "parent", "value", "values")

    def __init__(self, key: str, value: str | None, indent: int, number: int | None, parent: Node | None) -> None:
        self.key = key
        self.value = value
        self.indent = indent
        self.number = number
        self.parent = parent
        # Of what stands below it, only what is asked for: a text may have 50,000 keys at one indentation.
        self.values: dict[str, str] = {}
        """The first value of each key that names something."""
        self.objects: list[Node] = []
        """The children whose own name is the object's."""
        if parent is not None:
            parent.adopt(self)

    def adopt(self, child: Node) -> None:
        """Note what a child names."""
        if child.value and child.key in _ASKED:
            self.values.setdefault(child.key, child.value)
        elif child.key in _WITH_NAME and len(self.objects) < _MOST_OBJECTS:
            self.objects.append(child)

    def child(self, *keys: str) -> str | None:
        """Return the value of the first child with one of these keys that has one."""
        return next((self.values[key] for key in keys if key in self.values), None)

    def above(self) -> Iterator[Node]:
        """Yield the nodes that this one stands in, the nearest first."""
        node = self.parent
        for _ in range(_DEEPEST):
            if node is None:
                return
            yield node
            node = node.parent


class Outline:
    """Feeds on the lines of a text and keeps the tree of those that have the shape."""

    def __init__(self) -> None:
        self._root = Node("", None, -1, None, None)
        self._last = self._root
        self._count = 0

    def add(self, line: str, number: int | None) -> Node | None:
        """Take a line in; return its node, None for a line of another shape."""
        match = _LINE.match(line) or _ITEM.match(line)
        if match is None:
            return None
        if self._count >= _MOST_NODES:
            self._root = self._last = Node("", None, -1, None, None)
            self._count = 0
        self._count += 1
        indent = match["indent"]
        if indent.endswith("- "):
            self._place("-", None, len(indent) - 2, number)
        fields = match.groupdict()
        value = fields.get("value")
        return self._place(fields.get("key") or "-", _clean(value) if value else None, len(indent), number)

    def pass_over(self, lines: Sequence[str]) -> None:
        """Take lines in at the left margin whose keys name nothing: after the last of them the others are forgotten."""
        nodes = [line for line in lines if _LINE.match(line) is not None]
        if not nodes:
            return
        self._count += len(nodes) - 1
        if self._count > _MOST_NODES:
            self._root = self._last = Node("", None, -1, None, None)
            self._count -= _MOST_NODES
        self.add(nodes[-1], None)

    def _place(self, key: str, value: str | None, indent: int, number: int | None) -> Node:
        parent = self._last
        while parent.indent >= indent and parent.parent is not None:
            parent = parent.parent
        self._last = Node(key, value, indent, number, parent)
        return self._last


def _clean(value: str) -> str | None:
    value = value.strip().rstrip(",")
    quoted = len(value) > 1 and value[0] == value[-1] == '"'
    return (value[1:-1] if quoted else value) or None


def json_leaves(line: str, number: int | None) -> Iterator[Node]:
    """Yield every text and truth value of one line of JSON, each with what it stands in; nothing for other text."""
    if len(line) > _MAX_JSON or not line.lstrip().startswith(("{", "[")):
        return
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        return
    root = Node("", None, -1, number, None)
    leaves: list[Node] = []
    _grow(root, data, number, leaves)
    yield from leaves


def _grow(parent: Node, data: object, number: int | None, leaves: list[Node]) -> None:
    pairs = data.items() if isinstance(data, dict) else (("-", item) for item in data) if isinstance(data, list) else ()
    for key, value in pairs:
        is_nested = isinstance(value, (dict, list))
        word = None if is_nested or value is None else str(value).lower() if isinstance(value, bool) else str(value)
        node = Node(str(key), word, parent.indent + 1, number, parent)
        if is_nested:
            _grow(node, value, number, leaves)
        else:
            leaves.append(node)


def name_of(node: Node) -> str | None:
    """Return the name of what a node is about: the nearest container, object or node that has one."""
    for place in node.above():
        for inner in place.objects:
            named = inner.child("name")
            if named is not None:
                return named
        if place.parent is not None and place.parent.key in _CONTAINERS:
            return place.key
        named = place.child(*_NAMES)
        if named is not None:
            return named.lstrip("/")
    return None


def value_of(node: Node, *keys: str) -> str | None:
    """Return the nearest value of one of these keys around a node."""
    return next((found for place in node.above() if (found := place.child(*keys)) is not None), None)


def is_of_event(node: Node) -> bool:
    """Whether a text is the message of an event of Kubernetes, which names the object it is about before it."""
    parent = node.parent
    if node.key not in ("message", "note") or parent is None:
        return False
    return any(child.key in _OF_EVENT for child in parent.objects)

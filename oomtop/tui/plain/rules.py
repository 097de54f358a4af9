"""As much of Textual's style sheets as those of the first tab use: what an element of a screen has declared.

Selectors of types, ids, classes and `:focus`, with an ancestor or without one; `!important`; the last of the most
specific rules wins.  https://textual.textualize.io/guide/CSS/
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_PART = re.compile(r"([.#:]?)([\w-]+)")


class Element(NamedTuple):
    """A widget, or what a selector asks of one."""

    type: str = ""
    id: str = ""
    classes: frozenset[str] = frozenset()

    def has(self, asked: Element) -> bool:
        """Whether it matches the selector."""
        return (
            asked.type in ("", self.type) and asked.id in ("", self.id) and asked.classes <= self.classes
        )  # fmt: skip


class Rule(NamedTuple):
    """A selector with what it declares."""

    ancestor: Element
    asked: Element
    weight: tuple[int, int, int]
    declared: Mapping[str, str]


def parse_rules(text: str) -> tuple[Rule, ...]:
    """Return the rules of a style sheet in their order."""
    found = _RULE.findall(_COMMENT.sub("", text))
    return tuple(_rule(each.split(), _pairs(body)) for selectors, body in found for each in selectors.split(","))


def declared(rules: Sequence[Rule], screen: Element, element: Element) -> Mapping[str, str]:
    """Return what the rules declare for an element of a screen, `!important` taken off."""
    applying = [rule for rule in rules if element.has(rule.asked) and screen.has(rule.ancestor)]
    applying.sort(key=lambda rule: rule.weight)
    every = [pair for rule in applying for pair in rule.declared.items()]
    every.sort(key=lambda pair: pair[1].endswith("!important"))
    return {name: value.removesuffix("!important").strip() for name, value in every}


def _rule(selectors: Sequence[str], pairs: Mapping[str, str]) -> Rule:
    *ancestors, asked = (_element(_PART.findall(selector)) for selector in selectors)
    ancestor = ancestors[0] if ancestors else Element()
    parts = (ancestor, asked)
    ids, types = (sum(bool(getattr(part, name)) for part in parts) for name in ("id", "type"))
    return Rule(ancestor, asked, (ids, sum(len(part.classes) for part in parts), types), pairs)


def _element(parts: Iterable[tuple[str, str]]) -> Element:
    named = list(parts)
    return Element(
        next((name for sign, name in named if not sign), ""),
        next((name for sign, name in named if sign == "#"), ""),
        frozenset(name for sign, name in named if sign in (".", ":") and sign),
    )


def _pairs(body: str) -> Mapping[str, str]:
    def split() -> Iterator[tuple[str, str]]:
        for line in body.split(";"):
            name, sign, value = line.partition(":")
            if sign:
                yield name.strip(), value.strip()

    return dict(split())

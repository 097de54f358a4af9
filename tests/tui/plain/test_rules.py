"""The part of style sheets that the plain screen understands, beside what Textual makes of it."""

from __future__ import annotations

from oomtop.tui.plain.rules import Element, declared, parse_rules

SHEET = """
#memory { height: 2; }   /* a comment { } */
#memory.-limited { height: 3; }
Dashboard.-tall #events, Dashboard.-high #events { height: 5; }
#events { height: 2; display: none; }
Dashboard.-without-events #events { display: none !important; }
Dashboard.-tall #events { display: block; }
"""


def _of(id: str, screen: str = "", own: str = "") -> dict[str, str]:
    classes = frozenset(screen.split())
    return dict(
        declared(parse_rules(SHEET), Element("Dashboard", "", classes), Element("", id, frozenset(own.split())))
    )


def test_the_more_specific_rule_wins_wherever_it_stands() -> None:
    assert _of("memory") == {"height": "2"}
    assert _of("memory", own="-limited") == {"height": "3"}
    assert _of("events", "-tall") == {"height": "5", "display": "block"}
    assert _of("events", "-high") == {"height": "5", "display": "none"}


def test_important_wins_over_all() -> None:
    assert _of("events", "-tall -without-events")["display"] == "none"


def test_others_have_nothing_declared() -> None:
    assert _of("swap", "-tall") == {}

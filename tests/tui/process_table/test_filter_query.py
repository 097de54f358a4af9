from __future__ import annotations

import re

import pytest

from oomtop.tui.process_table.filter_query import FilterError, parse
from oomtop.units import GIB, MIB
from tests.tui.factories import make_process, make_row

ROW = make_row(
    make_process(4321, "postgres", rss=2 * GIB, swap=None, adj=-900, command="postgres: --Writer [x]"),
    user="root", growth=2 * MIB / 60, unit="postgresql.service",
)  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "", "  ", "WRITER", "4321", "postgresql.serv", "root", "!^post.*res$", "!writer \\[x",
        "rss>1g", "rss > 1.5GiB and user=root", "rss>=2g", "swap>1 or growth>1m", "adj<0", "adj=-900",
        "name~^post", "not name=bash", "(rss<1 or adj<0) and not user=alice", "NAME=POSTGRES AND RSS>1",
        'command~"--Writer "', "unit!=ssh.service", "pid=4321", "[x]",
    ],
)  # fmt: skip
def test_accepts(text: str) -> None:
    assert parse(text)(ROW)


@pytest.mark.parametrize(
    "text", ["chrome", "!^chrome", "rss>3g", "swap>0", "swap<1g", "not adj<0", "user=alice or growth>3m", "share>99%"]
)
def test_rejects(text: str) -> None:
    """An unknown figure satisfies no comparison."""
    assert not parse(text)(ROW)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("!(", "not a regular expression"),
        (f"!{'(' * 499}", "not a regular expression"),
        ("!a{99999999999}", "not a regular expression"),
        (f"{'(' * 400}rss>1", "too many parentheses"),
        ("x" * 501, "at most 500 characters, this one has 501"),
        ("rsss>1g", "unknown field 'rsss'; fields: pid"),
        ("rss>lots", "expected a number after rss"),
        ("rss>1g and", "but the filter ends there"),
        ("rss>1g user=root", "expected 'and' or 'or' before 'user'"),
        ("rss>", "a value after rss>"),
        ("(rss>1", "not closed"),
        ("user>5", "user is text"),
        ("name~[", "not a regular expression"),
        ('name="x', "cannot read"),
        ("rss>>1", "expected a value after rss>"),
    ],
)
def test_says_what_is_wrong(text: str, words: str) -> None:
    with pytest.raises(FilterError, match=re.escape(words)):
        parse(text)


def test_looks_only_at_the_beginning_of_an_endless_command() -> None:
    row = make_row(make_process(command="a" * 4_000_000 + "needle"))
    assert not parse("needle")(row)

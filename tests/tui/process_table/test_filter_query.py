from __future__ import annotations

import re

import pytest

from oomtop.tui.process_table.filter_query import parse, parse_for
from oomtop.tui.process_table.filter_regex import LONGEST, Allowance, FilterError
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
        (f"{'(' * 400}rss>1", "parentheses are nested"),
        ("x" * 501, "at most 500 characters, this one has 501"),
        ("rsss>1g", "unknown field 'rsss'; did you mean rss?"),
        ("rss>lots", "expected a number after rss"),
        ("rss>1g and", "but the filter ends here"),
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


@pytest.mark.parametrize(
    ("text", "part"),
    [("!x(a+)+$", "x(a+)+$"), ("!x(a|a)*b", "x(a|a)*b"), ("!x(a*)*b", "x(a*)*b"), ("!(.*a){12}", "(.*a){12}"),
     ("!(a?){30}", "(a?){30}"), ("!xa*a*a*b", "xa*a*a"), ("!x([^,]+,?)+x", "x([^,]+,?)+x"), (r"!(a+)b\1", r"(a+)b\\1"),
     ("!(?:(?:^){60000}){60000}", "(?:(?:^){60000})"), ("!" + "a?" * 30 + "a" * 30, "a?a?a?"),
     ("!f[a-g]*(?:[a-f]*q)", "f[a-g]*(?:[a-f]*q)"), ("!(?=.*a)(?=.*b)x", "(?=.*a)(?=.*b)"),
     ("![\u0100-\uffff][\u0100-\uffff][\u0100-\uffff]", "ranges"), ('name~"x(a+)+$"', "x(a+)+$")],
)  # fmt: skip
def test_refuses_what_backtracks_without_bounds(text: str, part: str) -> None:
    """And says up to where it could be read."""
    with pytest.raises(FilterError, match=f"could block the screen: .*{re.escape(part)}"):
        parse(text)


@pytest.mark.parametrize(
    ("text", "command"),
    [("!.*.*.*=", "a=b"), ("!.+@.+[.].+", "a@b.c"), ("!java.*-Xmx[0-9]+g.*kafka", "java -Xmx12g -cp x kafka"),
     ("!^/usr/(s)?bin/java", "/usr/bin/java -jar"), (r"!^java\s+-jar\s+.*kafka", "java  -jar  my kafka"),
     (r"!([0-9]+[.]){3}[0-9]+", "--listen 10.0.0.1"), (r"!/[^/]+/[^/]+/bin", "/opt/x/bin/y"), ("!ab+.*b", "abb"),
     ("!(node|ruby) .*(server|worker)[0-9]*$", "node /srv/worker12"), ("!a.*?b$", "a-b-b"), ("!^$", ""),
     ("!(?i:x)(?!y)", "Xz"), ("!a{1,5}b{1,5}", "aab"), (r"!\bmy\b", "in my cell")],
)  # fmt: skip
def test_takes_what_people_write(text: str, command: str) -> None:
    assert parse(text)(make_row(make_process(comm="u", command=command), user="", unit=None))
    assert text == "!^$" or not parse(text)(make_row(make_process(comm="u", command="zz"), user="", unit=""))


@pytest.mark.parametrize(
    "text", ["!f[a-z]*[q!]", "!a+$", "!(a+)+$", "!(a|a)*b", "!a{2,900}z", "!(?=a*z)a", "!.*.*.*=", "!a.*a.*[z=]"]
)
def test_searches_no_longer_than_its_budget(text: str) -> None:
    """Whatever the processes are called; what was not looked at counts as no match, and is known to be missing."""
    budget = Ledger()
    accept = parse(text, budget)
    for number in range(2000):
        accept(make_row(make_process(100 + number, command=f"fa{number}" * 400)))
        accept(make_row(make_process(100 + number, command=f"{number}" + "a" * LONGEST)))
    assert budget.spent < 0.5


class Ledger(Allowance):
    """An allowance that adds up what was spent."""

    spent = 0.0

    def spend(self, seconds: float) -> None:
        super().spend(seconds)
        self.spent += seconds


def test_a_filter_that_these_processes_make_slow_is_refused() -> None:
    rows = [make_row(make_process(100 + number, command=f"{number}" + "fa" * LONGEST)) for number in range(2000)]
    parse_for(rows[:5], "!f[a-z]*[q!]")
    with pytest.raises(FilterError, match="too slow"):
        parse_for(rows, "!f[a-z]*[q!]")

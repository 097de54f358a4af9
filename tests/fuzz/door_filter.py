"""What is typed as a filter: it is understood, or refused with a reason; it never raises on a row."""

from random import Random

from oomtop.tui.process_table.filter_query import FILTER_NAMES, parse
from oomtop.tui.process_table.filter_regex import FilterError
from tests.fuzz.harness import Door, mutate
from tests.tui.factories import make_process, make_row

ROWS = tuple(
    make_row(make_process(100 + at, comm, command=command), growth=None if at % 2 else 1.0)
    for at, (comm, command) in enumerate(
        (
            ("a" * 15, "a" * 5000 + "!"),
            ("x", "ab" * 2000),
            ("x", "a/ " * 400),
            ("x", "\x1b]52;c;QQ==\x07"),
            ("", ""),
            ("mü", "\udce4 \u202e"),
            ("j", None),
        )
    )
)
WORDS = (
    *FILTER_NAMES, *(">", ">=", "<", "<=", "=", "!=", "~", "(", ")", "not", "and", "or", '"', "!", " ", "\\"),
    *("1g", "100m", "-1", "9" * 400, "1e9", "root", "^/usr", "a+$", ".*=", "[[:alpha:]]", "a{2,99999}"),
    *("a*", "[a-z]*", "(a+)+$", "(a|a)*", ".*", "(", "|", "a", "a?", "\\s+", "x", "{2,}", "+", "b", "[^/]+", "^", "$"),
    *("(?P<x>a)(?P=x)", "(?i)", "(?#", "\\", "\u0130", "\0", "٣", "½"),
)  # fmt: skip


def make(rng: Random) -> str:
    """Return words of the language in any order, some of them broken."""
    text = "".join(rng.choice(("", " ")) + rng.choice(WORDS) for _ in range(rng.randint(1, 12)))
    text = rng.choice(("", "", "!")) + text
    return mutate(rng, text.encode("utf-8")).decode("utf-8", "surrogateescape") if rng.random() < 0.3 else text


def attempt(text: str) -> None:
    """Filter some rows as the table does."""
    try:
        accept = parse(text)
    except FilterError:
        return
    for row in ROWS:
        accept(row)


DOOR = Door("filter", make, attempt, few=100, many=20_000)

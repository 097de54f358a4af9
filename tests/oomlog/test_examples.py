"""The documented post-mortems are what the program prints; `OOMTOP_WRITE_EXAMPLES=1` writes them anew."""

import os
from pathlib import Path

from oomtop.analysis.postmortem.explain import explain
from oomtop.oomlog.scan import scan_file
from oomtop.render.events import render_text

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "post-mortem-examples.md"
LOGS = ROOT / "tests" / "fixtures" / "events"
HEAD = """\
# Three post-mortems

What `oomtop events FILE` prints for three real logs, without the raw log that follows at its end.  The sentences come
first and answer three questions: what ran out, why this victim, what to change.  Below them, each limit and each
counter names the line of the log it was taken from; the ranking is the log's list of tasks, and the zones are its lines
`Node 0 DMA free:...`.  On a machine of your own: `oomtop events`, or the Events tab and Enter.

How to read the ranking: `rss + swap + tables` in pages, plus `adj` thousandths of what could be used (the column
"adj adds"), is the kernel's badness; who has the most is chosen.  "without adj" is the rank with every
`oom_score_adj` at 0.
"""
CHAPTERS = (
    ("global", "The whole machine: RAM and swap are used up", "A build that grew into 24 GiB of swap; 112 processes."),
    (
        "cgroup",
        "A container at its limit",
        "The machine had memory left; the container had reached its limit of 20 MiB.",
    ),
    (
        "fragmentation",
        "Free memory in pieces that are too small",
        "198 MiB were free, 106 of them for this request, but no 16 KiB in one piece.",
    ),
)


def document() -> str:
    parts = [HEAD]
    for name, title, what in CHAPTERS:
        (event,) = scan_file(str(LOGS / f"{name}.log"), f"{name}.log")
        text = render_text(explain(event), 100, raw=False)
        parts.append(f"\n## {title}\n\n{what}\n\n```\n{text}```\n")
    return "".join(parts)


def test_the_documented_examples_are_what_is_printed() -> None:
    if os.environ.get("OOMTOP_WRITE_EXAMPLES"):
        DOCUMENT.write_text(document())
    assert DOCUMENT.read_text() == document()

"""A machine that lacks much: no PSI, no swap, no kernel log, no cgroups, no privileges over its processes."""

import json
from pathlib import Path

import pytest

from oomtop.analysis.assessment import assess
from oomtop.history import History
from oomtop.host.root import Root
from oomtop.render.assessment_json import assessment_to_json
from oomtop.render.top import render_top
from oomtop.sources.live import LiveSource

MEMINFO = "MemTotal: 1000000 kB\nMemFree: 400000 kB\nBuffers: 1000 kB\nCached: 300000 kB\n"
STAT = "42 (left) alone) S 1 42 42 0 -1 0 1 0 0 0 1 1 0 0 20 0 1 0 500 1000000 250 0" + " 0" * 30


@pytest.fixture
def root(tmp_path: Path) -> Root:
    process = tmp_path / "proc" / "42"
    process.mkdir(parents=True)
    (tmp_path / "proc" / "meminfo").write_text(MEMINFO)
    (process / "stat").write_text(STAT)
    (process / "statm").write_text("244 250 50 1 0 100 0\n")
    return Root(str(tmp_path))


def test_what_is_missing_is_said_and_nothing_breaks(root: Root) -> None:
    source, history, assessment = LiveSource(0.1, root), History(), None
    for tick in source.ticks():
        history.add(tick)
        assessment = assess(tick, history, assessment)
        if history.ticks == 2:
            source.close()
    assert assessment is not None
    text = render_top(assessment, 10, "memory", 120)
    assert "left) alone" in text
    assert "Swap      none" in text
    assert "Pressure  -" in text
    assert "kernel log" in text
    assert assessment.pressure.memory is None
    assert assessment.pressure.oom_kills is None
    assert json.dumps(assessment_to_json(assessment))


def test_no_meminfo_is_a_parse_error_and_no_traceback(tmp_path: Path) -> None:
    from oomtop.errors import ParseError

    source = LiveSource(0.1, Root(str(tmp_path)))
    with pytest.raises(ParseError):
        next(iter(source.ticks()))

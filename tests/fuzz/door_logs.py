"""Log files that others write: every event of them is told, explained and printed, and nothing raises."""

import io
import json
import os
from functools import lru_cache
from pathlib import Path
from random import Random

from oomtop.analysis.postmortem.explain import explain
from oomtop.oomlog.log_files import read_stream
from oomtop.render.events import render_list, render_markdown, render_text
from oomtop.render.events_json import events_text
from tests.fuzz.harness import NASTY, Door, mutate

LOGS = (str(Path(__file__).parents[1] / "fixtures" / "events"), *filter(None, [os.environ.get("OOMTOP_CORPUS")]))
"""Real logs of many kernels are mutated too where a folder of them is there."""
LONG = (b" " * 3000, b"0*4kB " * 500, b"9" * 5000, b"#012", b"\\n[", b"=\n", b'{"MESSAGE":"', b'"dmesg": [ {\n', b"}\n")


@lru_cache(1)
def texts() -> tuple[bytes, ...]:
    """Return known logs, cut to what is tried in a moment."""
    files = (path for folder in LOGS for path in sorted(Path(folder).rglob("*")) if path.is_file())
    return tuple(path.read_bytes()[:15_000] for path in files)


def make(rng: Random) -> bytes:
    """Return a log with damaged bytes, with lines of other logs in it, or in another order."""
    data = rng.choice(texts())
    for _ in range(rng.choice((0, 1, 2, 6))):
        at = rng.randint(0, len(data))
        data = data[:at] + rng.choice((*NASTY, *LONG, b"\n".join(rng.sample(data.split(b"\n"), 1)))) + data[at:]
    if rng.random() < 0.2:
        lines = data.split(b"\n")
        rng.shuffle(lines)
        data = b"\n".join(lines)
    return mutate(rng, data, rng.choice((1, 8, 40)))


def attempt(data: bytes) -> None:
    """Read it as a file is read, and show all that it tells in every form."""
    found = read_stream(io.BytesIO(data), "log")
    for event in found.events:
        post_mortem = explain(event)
        render_text(post_mortem)
        render_markdown(post_mortem)
    render_list(found.events)
    json.loads("".join(events_text(found.events, found.mentions, found.leftovers)))


DOOR = Door("logs", make, attempt, few=150, many=150_000)

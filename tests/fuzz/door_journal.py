"""Entries of the journal as JSON, whose fields any program writes but for those with `_` in front."""

import json
from random import Random
from typing import Any

from oomtop.oomlog.carriers.json_text import unwrap_json
from oomtop.oomlog.scan import scan_lines
from tests.fuzz.harness import NASTY, Door, mutate

MESSAGES = (
    "Out of memory: Killed process 42 (db) total-vm:9kB, anon-rss:8kB, file-rss:0kB, shmem-rss:0kB, UID:1 pgtables:1kB",
    "x invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0",
    "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task=x,pid=9,uid=0",
    "Killed /system.slice/db.service due to memory pressure for /system.slice being 91.73% > 50.00% for > 20s",
    'sending SIGTERM to process 12006 uid 1000 "python3": badness 209, VmRSS 2891 MiB',
)
VALUES: tuple[Any, ...] = (
    "kernel",
    "syslog",
    "0",
    "1000",
    "1795820000000000",
    "9" * 400,
    "-1",
    "1e999",
    "²",
    None,
    1e308,
    [],
    {},
    True,
    10**400,
)
KEYS = (
    "_TRANSPORT", "SYSLOG_IDENTIFIER", "_UID", "_SYSTEMD_UNIT", "_HOSTNAME", "__REALTIME_TIMESTAMP", "timestamp", "time",
    "_SOURCE_MONOTONIC_TIMESTAMP", "host", "labels", "pri", "level",
)  # fmt: skip


def make(rng: Random) -> list[str]:
    """Return some entries, some of them nested, some damaged."""
    return [_entry(rng) for _ in range(rng.randint(1, 5))]


def _entry(rng: Random) -> str:
    message = rng.choice((*MESSAGES, rng.choice(NASTY).decode("latin-1")))
    data: Any = {key: rng.choice(VALUES) for key in rng.sample(KEYS, rng.randrange(len(KEYS)))}
    data[rng.choice(("MESSAGE", "message", "log", "zz"))] = rng.choice((message, list(message.encode()), [message]))
    # Indented, 400 levels are 160,000 bytes, and megabytes with a message of numbers: rare, and in one line.
    deep = rng.choice((3, 30, 400)) if rng.random() < 0.03 else rng.choice((0, 0, 0, 1, 3))
    for _ in range(deep):
        data = rng.choice(({"a": data}, [data]))
    text = json.dumps(data, indent=None if deep > 30 else rng.choice((None, 2)))
    return mutate(rng, text.encode()).decode("utf-8", "backslashreplace") if rng.random() < 0.4 else text


def attempt(entries: list[str]) -> None:
    """Read them as lines of the journal and of a file; what is not the kernel's transport is never the kernel."""
    for text in entries:
        unwrap_json(text)
    for event in scan_lines("\n".join(entries).split("\n"), "journal"):
        assert event.killer


DOOR = Door("journal", make, attempt, few=60, many=50_000)

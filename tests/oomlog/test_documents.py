"""Lines of the kernel in source code, manual pages, rules and documents: examples, and no kills."""

import io

import pytest

from oomtop.oomlog.evidence import Evidence
from oomtop.oomlog.log_files import read_stream

KILL = (
    "[ 1000.123456] Out of memory: Killed process 71 (db) total-vm:320000kB, anon-rss:258400kB, file-rss:800kB, "
    "shmem-rss:0kB, UID:0 pgtables:588kB oom_score_adj:0"
)
PROSE = "When the kernel runs out of memory it chooses a process and kills it.\nThe administrator then looks for it.\n"
NO_LOG = {
    "C": f'#include <stdio.h>\nstatic const char *line =\n    "{KILL}";\nint main(void) {{ return 0; }}\n',
    "C comment": f"/*\n * Sample:\n {KILL}\n */\nint x;\n",
    "Python": f'"""Doc.\n\nSample line:\n    {KILL}\n"""\nimport os\n\ndef f():\n    return 1\n',
    "Python string": f'LOG = """\\\n{KILL}\n"""\n\ndef test_x():\n    assert parse(LOG)\n',
    "Go": f'package x\n\nvar lines = []string{{\n\t`{KILL}`,\n}}\n\nfunc f() int {{ return 1 }}\n',
    "Rust": f'// Rust\nconst L: &str = "{KILL}";\nfn main() {{}}\n',
    "patch": f"diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n+{KILL}\n int x;\n",
    "roff": f".TH OOM 1\n.SH DESCRIPTION\nThe kernel prints\n.nf\n{KILL}\n.fi\nand goes on.\n",
    "shell": f'#!/bin/sh\necho "{KILL}" > /dev/kmsg\nif true; then\n  exit 0\nfi\n',
    "table": 'SHAPES = (\n    shape("fly", r"Process appears to have been OOM killed"),\n    shape("x", r"oom"),\n)\n',
    "Markdown": f"# Units\n\n{PROSE}\ndb.service: Failed with result 'oom-kill'. It is OOM.\n",
    "rules": "groups:\n- name: oom\n  rules:\n  - alert: Oom\n    expr: x > 0\n    annotations:\n      reason: OOMKilled\n",
}  # fmt: skip
DOCUMENTS = {
    "Markdown": f"# OOM\n\n{PROSE}\n    {KILL}\n",
    "fence": f"# OOM\n\n```\n{KILL}\n```\n\n{PROSE}",
    "list": f"# OOM\n\n- {KILL}\n- another\n\n{PROSE}",
    "man page": f"NAME\n       oom\n\nDESCRIPTION\n       The kernel prints a line like this one:\n\n           {KILL}\n\n",
    "mail": f"Hi all,\n\n> we saw this\n> {KILL}\n> what is it?\n\n{PROSE}",
    "HTML": f"<html><body><h1>OOM</h1>\n<p>{PROSE}</p><pre>\n{KILL}\n</pre></body></html>\n",
    "RST": f"Usage\n=====\n\nThe log then has::\n\n    {KILL}\n",
}


def read(text: str) -> Evidence:
    return read_stream(io.BytesIO(text.encode()), "file")


@pytest.mark.parametrize("kind", NO_LOG)
def test_no_kill_is_told_of_what_cannot_be_a_log_but_its_lines_are_named(kind: str) -> None:
    found = read(NO_LOG[kind])
    assert (found.events, found.mentions) == ((), ())
    assert [left.text for left in found.leftovers if "OOM" in left.text or "Out of memory" in left.text]


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_a_kill_in_a_document_is_told_and_marked(kind: str) -> None:
    (event,) = read(DOCUMENTS[kind]).events
    assert event.unverified == "the line stands in a document, perhaps as an example"


@pytest.mark.parametrize("around", ["", "We saw this today:\n\n", "some noise\n"])
def test_a_log_with_a_sentence_is_a_log(around: str) -> None:
    (event,) = read(f"{around}{KILL}\n{KILL}\n").events
    assert event.unverified is None


OWN_WORDS = (
    "Out of memory: Killed process 71 (db) total-vm:32kB, anon-rss:25kB, file-rss:8kB, shmem-rss:0kB",
    KILL,
    "Nov 24 08:00:00 h kernel: Out of memory: Killed process 71 (db) total-vm:32kB, anon-rss:25kB, file-rss:8kB",
    "e.g. lowmemorykiller: Kill 'com.foo' (123), uid 10001, oom_score_adj 900 to free 1000kB rss, 0kB swap",
    "systemd-oomd[1]: Killed /a.scope due to memory pressure for /a being 70.00% > 50.00% for > 20s",
    'earlyoom[5]: sending SIGTERM to process 71 uid 1000 "db": badness 900, VmRSS 1000 MiB',
    "oom_reaper: reaped process 71 (db), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB",
)


@pytest.mark.parametrize("sign", ["// ", "    //", "# ", "#", "/* ", "; ", "-- "])
@pytest.mark.parametrize("words", OWN_WORDS)
def test_a_comment_is_nobodys_own_line(sign: str, words: str) -> None:
    for rest in ("", "a line of any log\n" * 20_000):
        found = read(f"{rest}{sign}{words}\n")
        assert (found.events, found.mentions) == ((), ())


@pytest.mark.parametrize("sign", ["> ", "> > ", " * "])
def test_a_quoted_line_without_stamp_and_date_proves_nothing(sign: str) -> None:
    (event,) = read(f"{sign}{OWN_WORDS[0]}\n").events
    assert event.unverified == "nothing around the line says that the kernel wrote it"


@pytest.mark.parametrize(
    "around", ["what if it says\n{}\nthen raise the limit\n", "bob  10:02 AM\n{}\nann  10:03 AM\n?\n"]
)
def test_a_line_between_sentences_of_people_is_marked(around: str) -> None:
    (event,) = read(around.format("Memory cgroup out of memory: Killed process 88 (node)")).events
    assert event.unverified is not None
    assert "perhaps as an example" in event.unverified


def test_what_is_said_in_a_conversation_is_no_mention() -> None:
    said = "then oom_reaper: reaped process 9 (x) would not be there"
    found = read(f"[10:01] <ann> my box froze\n[10:02] <bob> {said}\n[10:03] <ann> no\n")
    assert (found.events, found.mentions) == ((), ())
    assert [left for left in found.leftovers if said in left.text]

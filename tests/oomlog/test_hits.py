"""The search for telling words finds the same in any bytes, with a zero byte among them or without."""

import pytest

from oomtop.oomlog import hits
from oomtop.oomlog.hits import find_hits

LINES = (
    b"Out of memory: Killed process 7 (x) total-vm:9kB",
    b"x: page allocation failure: order:0",
    b"##[error]Process completed with exit code 137.",
    b"Exited with status 137",
    b"slurm State=OUT_OF_MEMORY",
    b"x: vmalloc error: size 4096",
)
PADDING = b"Nov 24 08:00:00 host sshd[7]: a room full of blooms, memory usage 137\n" * 200


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("before", [PADDING, PADDING + b"\0\n", b"\xff\xfe" + PADDING])
def test_a_telling_line_is_found_in_any_bytes(line: bytes, before: bytes) -> None:
    (first, *_) = find_hits(before + line + b"\n" + PADDING)
    assert len(before) - hits.CONTEXT <= first < len(before) + len(line)


@pytest.mark.parametrize("block", [b"", b"\0", PADDING, PADDING + b"\0"])
def test_a_block_without_one_has_no_hit(block: bytes) -> None:
    assert find_hits(block) == []


def test_a_c_library_without_the_search_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    block = b"".join(PADDING + line + b"\n" for line in LINES)
    found = find_hits(block)
    monkeypatch.setattr(hits, "_strstr", lambda: None)
    assert find_hits(block) == found

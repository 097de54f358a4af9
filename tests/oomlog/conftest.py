from collections.abc import Iterator

import pytest

from oomtop.oomlog import scan
from oomtop.oomlog.event import OomEvent


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The lines that are read one by one."""
    found: list[str] = []
    take = scan.LogScanner.take

    def taking(scanner: scan.LogScanner, text: str) -> Iterator[OomEvent]:
        found.append(text)
        return take(scanner, text)

    monkeypatch.setattr(scan.LogScanner, "take", taking)
    return found

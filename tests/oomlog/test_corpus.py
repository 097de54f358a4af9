"""Real logs of many kernels, read when a folder with them and their truth is there (OOMTOP_CORPUS)."""

import json
import os
from pathlib import Path

import pytest

from oomtop.oomlog.sources import read_file

FOLDER = Path(os.environ.get("OOMTOP_CORPUS", Path(__file__).parents[3] / "shared/reference/corpus"))


@pytest.mark.skipif(not (FOLDER / "truth.json").exists(), reason=f"no corpus at {FOLDER}")
def test_every_victim_of_the_corpus_is_found():
    wrong = []
    for truth in json.loads((FOLDER / "truth.json").read_text()):
        wanted = [(event["victim"] or {}).get("pid") for event in truth["events"]]
        events = read_file(str(FOLDER / truth["file"]))
        found = [event.victim.pid if event.victim else None for event in events if event.killer == "kernel"]
        if wanted != found:
            wrong.append(f"{truth['file']}: {wanted} {found}")
    assert not wrong

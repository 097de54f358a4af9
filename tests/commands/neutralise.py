"""Make one option after the other do nothing, and run the test that is said to prove it: it has to fail.

`python -m tests.commands.neutralise [WORD ...]` takes minutes; words choose the options that hold one of them.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.commands.test_every_option import PROOFS

FOLDER = Path(__file__).parent / "neutral"
"""On PYTHONPATH its sitecustomize.py is run by every Python, also by the programs that a test starts."""


def main() -> int:
    """Name every option whose test passes all the same, or does not run here."""
    chosen = {words: proof for words, proof in PROOFS.items() if not sys.argv[1:] or any(w in words for w in sys.argv)}
    unnoticed = 0
    for words, proof in chosen.items():
        verdict = "noticed" if is_noticed(words, proof) else "NOT NOTICED"
        unnoticed += verdict != "noticed"
        print(f"{verdict:12} {words:24} {proof}", flush=True)
    return min(unnoticed, 1)


def is_noticed(words: str, proof: str) -> bool:
    """Return whether the test fails once the option does nothing."""
    environ = {**os.environ, "PYTHONPATH": str(FOLDER), "OOMTOP_NEUTRAL": words}
    test = [sys.executable, "-m", "pytest", "-n", "0", "-x", "-p", "no:cacheprovider", proof]
    try:
        done = subprocess.run(test, env=environ, capture_output=True, timeout=120, check=False)
    except subprocess.TimeoutExpired:
        return True
    return done.returncode == 1


if __name__ == "__main__":
    sys.exit(main())

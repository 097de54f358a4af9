"""No key waits for a module: all that keys need is loaded once the first picture stands."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

KEYS = """down up pagedown end home 1 n N J space U g t tab tab tab tab M slash escape question_mark escape k escape
o escape f escape d escape r escape L escape W escape y escape colon escape A escape v S escape C escape backslash
escape u escape Z Z z escape f6 escape V"""
SCRIPT = """
import asyncio, sys
from tests.tui.shell.test_app import Scripted, drawn
from oomtop.tui.shell.app import OomtopApp, Options
from oomtop.tui.shell.lifecycle import load_keys
from oomtop.tui.shell.tab_factory import MAKERS

async def main():
    app = OomtopApp(Scripted(), Options(interval=60))
    async with app.run_test(size=(80, 24)) as pilot:
        await drawn(pilot)
        load_keys()
        assert app.remedies and app.inspections
        for make in MAKERS.values():
            make(app.state, app.look)
        for key in sys.argv[1:]:
            before = set(sys.modules)
            await pilot.press(key)
            await pilot.pause()
            for name in sorted(set(sys.modules) - before):
                print(key, name)

asyncio.run(main())
"""


def test_no_key_loads_a_module() -> None:
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *KEYS.split()], cwd=root, capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.returncode) == ("", 0), done.stderr

"""No key waits for a disk: all that keys need is loaded once the first picture stands."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

KEYS = """down up pagedown end home 1 n N J space U g g g g t t M P N T I less_than_sign greater_than_sign F F K K O O
slash escape question_mark escape k escape k enter escape o escape f escape d escape r escape L escape W escape y escape
colon q u i escape a escape v V C escape backslash escape u escape Z Z z escape f6 escape enter escape e escape
l escape w escape plus minus c ctrl+l tab"""
# Not `m`, which opens a recording, `X`, which writes a file, and `S`, which looks whether the configuration can be written.
NOTED = """
import asyncio, sys, threading
from oomtop.tui.base.spare_modules import without_spare_modules

with without_spare_modules():
    from tests.tui.pilot import Scripted, settled
    from oomtop.tui.shell.app import OomtopApp, Options
    from oomtop.tui.shell.lifecycle import load_keys
    from oomtop.tui.shell.tab_factory import MAKERS

KERNEL = ("/proc", "/sys", "stat", "cgroup", "maps", "cmdline")
touched = None

def noted(event, args):
    # The kernel's own files are in memory; those of a process are opened below its folder.
    if touched is None or event not in ("import", "open", "os.listdir", "os.scandir"):
        return
    if threading.current_thread() is threading.main_thread() and not str(args[0]).startswith(KERNEL):
        touched.append((event, args[0]))
"""
ON_KEYS = """
async def main():
    global touched
    app = OomtopApp(Scripted(), Options(interval=60))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot, lambda: bool(app.dashboard.table.lines))
        load_keys()
        assert app.actions and app.inspections
        for make in MAKERS.values():
            make(app.state, app.look)
        sys.addaudithook(noted)
        for key in sys.argv[1:] * 4:
            touched = []
            await pilot.press(key)
            await pilot.pause()
            for what in touched:
                print(app.current_mode, key, *what)

asyncio.run(main())
"""
ON_DANGERS = """
from tests.tui.states import SCRIPTS, Still, state

async def main():
    global touched
    found = {name: state(name) for name, script in SCRIPTS.items() if not script.recorded}
    app = OomtopApp(Still(), Options(interval=60))
    app.latest = found["first"]
    async with app.run_test(size=tuple(map(int, sys.argv[1:]))) as pilot:
        app.feed()
        await pilot.pause()
        load_keys()
        assert app.actions and app.inspections
        sys.addaudithook(noted)
        for name, app.latest in found.items():
            touched = []
            app.feed()
            await pilot.pause()
            for what in touched:
                print(name, *what)

asyncio.run(main())
"""


def run(script: str, *arguments: str) -> tuple[str, int]:
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", NOTED + script, *arguments], cwd=root, capture_output=True, text=True, check=False
    )
    print(done.stderr)
    return done.stdout, done.returncode


def test_no_key_of_any_tab_loads_a_module_or_opens_a_file() -> None:
    assert run(ON_KEYS, *KEYS.split()) == ("", 0)


@pytest.mark.parametrize("size", [(80, 24), (200, 60)])
def test_no_danger_that_comes_loads_a_module_or_opens_a_file(size: tuple[int, int]) -> None:
    """Least of all then: the disk is busy with swap."""
    assert run(ON_DANGERS, *map(str, size)) == ("", 0)

"""Take the pictures of the README and the documents: the real program on real drills, as SVG and PNG.

As root everything happens in PID and host-name namespaces of its own, with a leak inside a cgroup limited to 300 MB:
after the calm picture one process is killed by the kernel, and others grow while the pictures are taken.  The machines
of `fleet` are served by the exporter's code to a Prometheus that is started for the picture, and left out where there
is none.
"""

from __future__ import annotations

import asyncio
import html
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from textual.app import App
from textual.pilot import Pilot

from oomtop.fleet.machines import read_machines
from oomtop.fleet.prometheus import Prometheus
from oomtop.recording.reader import Recording
from oomtop.sources.replay import ReplaySource
from oomtop.tui.fleet.app import FleetApp
from oomtop.tui.shell.app import OomtopApp, Options
from screenshots import age
from screenshots.drill import DrillSource, drill, growing_worker, overrun

FOLDER = Path(__file__).parent
LARGE = (120, 40)
WATCHED_SECONDS = 12.0
MACHINES = (("web-01", None, 0.0), ("web-02", 240.0, 30.0), ("db-01", 5400.0, 2.0), ("cache-01", None, 14.0))
"""(name, seconds until it is full, PSI full in per cent) of the machines of the fleet."""
TEXT = re.compile(
    r'<text(?P<before>[^>]*?) x="(?P<x>[^"]+)" y="(?P<y>[^"]+)" textLength="(?P<length>[^"]+)"(?P<after>[^>]*)>'
    r"(?P<text>[^<]+)</text>"
)


@dataclass(frozen=True)
class Shot:
    """A picture: what is pressed after a while of watching, and whether somebody grows meanwhile."""

    name: str
    size: tuple[int, int] = LARGE
    keys: tuple[str, ...] = ()
    grows: bool = True
    theme: str | None = None
    seconds: float = WATCHED_SECONDS


SHOTS = (
    Shot("calm", grows=False),
    Shot("surge"),
    Shot("surge-80x24", (80, 24)),
    Shot("surge-200x60", (200, 60)),
    Shot("surge-16-colours", theme="sixteen"),
    Shot("kill", keys=("J", "k", "enter")),
    Shot("cgroups", keys=("tab", "down", "down")),
    Shot("events", keys=("tab", "tab"), grows=False, seconds=6.0),
    Shot("post-mortem", keys=("tab", "tab", "enter"), grows=False, seconds=6.0),
    Shot("process", keys=("J", "enter"), seconds=8.0),
)


def main() -> None:
    """Make all pictures, or those that are named."""
    if os.geteuid() == 0 and os.environ.get("OOMTOP_DRILL") != "1" and shutil.which("unshare"):
        os.environ["OOMTOP_DRILL"] = "1"
        os.execvp("unshare", ["unshare", "--pid", "--fork", "--mount-proc", "--uts", *sys.orig_argv])
    os.environ.pop("NO_COLOR", None)
    if os.environ.get("OOMTOP_DRILL") == "1":
        socket.sethostname("web-3")
    wanted = sys.argv[1:]
    with drill():
        for shot in SHOTS:
            if not wanted or shot.name in wanted:
                save(asyncio.run(take(shot)), shot.name)
            if shot.name == "calm":
                overrun()
        if not wanted or "replay" in wanted:
            save(replayed(), "replay")
    if (not wanted or "fleet" in wanted) and shutil.which("prometheus"):
        save(fleet(), "fleet")
    if not wanted:
        age.TAKEN.write_text(age.screen())


async def take(shot: Shot) -> str:
    """Run the program on this machine and return its screen."""
    app = OomtopApp(DrillSource(1.0), Options(interval=1.0, theme=shot.theme))
    with growing_worker() if shot.grows else ExitStack():
        return await screen_of(app, shot.size, shot.seconds, shot.keys, shot.name)


async def screen_of(app: App[None], size: tuple[int, int], seconds: float, keys: Sequence[str], name: str) -> str:
    """Return the screen after some seconds and keys."""
    async with app.run_test(size=size) as pilot:
        await asyncio.sleep(seconds)
        for key in keys:
            await pilot.press(key)
            await asyncio.sleep(1.5)
        await settled(pilot)
        return app.export_screenshot(title=f"oomtop: {name}")


async def settled(pilot: Pilot[None]) -> None:
    """Wait for the last refresh."""
    await pilot.pause()
    await pilot.pause()


def replayed() -> str:
    """Record a drill that ends in a kill, and return the replay a few seconds before the kill."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "recording.db")
        # By its short name: the picture is not about where it lies.
        environ = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        recorder = subprocess.Popen(["python3", "-m", "oomtop", "record", "--file", str(path)], env=environ)
        time.sleep(4)
        with growing_worker(rate=12) as worker:
            if worker is not None:
                worker.wait(60)
        time.sleep(3)
        recorder.terminate()
        recorder.wait()
        recording = Recording(str(path))
        end = recording.moments[-1].time
        app = OomtopApp(ReplaySource(recording, end - 6), Options(replay=True))
        return asyncio.run(screen_of(app, LARGE, 4.0, (), "replay"))


def fleet() -> str:
    """Return the table of machines that a real Prometheus knows."""
    from tests.e2e.test_prometheus import exporting, machine, prometheus, until

    with ExitStack() as stack:
        targets = {
            f"{name}:9797": stack.enter_context(exporting(machine(name, seconds, full)))
            for name, seconds, full in MACHINES
        }
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        with exporting(machine("batch-07")) as leaver:
            client = Prometheus(stack.enter_context(prometheus(folder, {**targets, "batch-07:9797": leaver})))
            until(lambda: len(read_machines(client, time.time())) > len(targets), 90)
        # Gone for a while: Prometheus says so at its next scrape.
        time.sleep(12)
        app = FleetApp(lambda now: read_machines(client, now), "http://prometheus:9090", 10.0, None, False)
        return asyncio.run(screen_of(app, (120, 24), 3.0, (), "fleet"))


def pinned(svg: str) -> str:
    """Return the picture with a place of its own for every word: rsvg knows no textLength and drops leading blanks."""
    return TEXT.sub(_pin, svg)


def _pin(match: re.Match[str]) -> str:
    text = html.unescape(match["text"])
    cell = float(match["length"]) / len(text)
    parts = []
    for word in re.finditer(r"[!-~]+|[^\x00-~\xa0]", text):
        x = float(match["x"]) + word.start() * cell
        parts.append(f'<text{match["before"]} x="{x:g}" y="{match["y"]}"{match["after"]}>{html.escape(word[0])}</text>')
    return "".join(parts)


def save(svg: str, name: str) -> None:
    """Write the picture, and a PNG beside it where rsvg-convert is present."""
    path = FOLDER / f"{name}.svg"
    path.write_text(svg)
    print(path)
    if shutil.which("rsvg-convert"):
        command = ["rsvg-convert", "-o", str(path.with_suffix(".png"))]
        subprocess.run(command, input=pinned(svg).encode(), check=True)


if __name__ == "__main__":
    main()

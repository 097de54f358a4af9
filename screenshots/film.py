"""Film the first half minute of a leak, with its end by `k`, as `drill.gif`: the real program on a real drill.

Needs rsvg-convert and Pillow, which nothing else here does: `pip install pillow`.
"""

from __future__ import annotations

import asyncio
import io
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from PIL import Image

from oomtop.tui.shell.app import OomtopApp, Options
from screenshots.drill import DrillSource, drill, growing_worker
from screenshots.make import FOLDER, pinned, settled

SECONDS = 20
"""How long it grows before the keys are pressed."""
KEYS = ("J", "k", "enter", "enter")
AFTER = 4
WIDTH = 720
COLOURS = 32


async def film() -> list[bytes]:
    """Return a picture of each second, as PNG."""
    app = OomtopApp(DrillSource(1.0), Options(interval=1.0))
    frames = []
    with growing_worker(rate=7):
        async with app.run_test(size=(80, 24)) as pilot:
            for second in range(SECONDS + len(KEYS) + AFTER):
                await asyncio.sleep(1.0)
                if SECONDS <= second < SECONDS + len(KEYS):
                    await pilot.press(KEYS[second - SECONDS])
                await settled(pilot)
                frames.append(drawn(app.export_screenshot(title="oomtop")))
    return frames


def drawn(svg: str) -> bytes:
    """Return a picture as PNG."""
    command = ["rsvg-convert", "--width", str(WIDTH)]
    return subprocess.run(command, input=pinned(svg).encode(), check=True, capture_output=True).stdout


def main() -> None:
    """Write the film."""
    if os.geteuid() == 0 and os.environ.get("OOMTOP_DRILL") != "1" and shutil.which("unshare"):
        os.environ["OOMTOP_DRILL"] = "1"
        os.execvp("unshare", ["unshare", "--pid", "--fork", "--mount-proc", "--uts", *sys.orig_argv])
    if os.environ.get("OOMTOP_DRILL") == "1":
        socket.sethostname("web-3")
    with drill():
        pictures = [Image.open(io.BytesIO(frame)).convert("RGB") for frame in asyncio.run(film())]
    first, *others = [picture.quantize(COLOURS) for picture in pictures]
    times = [600] * (len(pictures) - 1) + [3000]
    path = FOLDER / "drill.gif"
    first.save(path, save_all=True, append_images=others, duration=times, loop=0, optimize=True)
    print(path, path.stat().st_size)


if __name__ == "__main__":
    main()

"""Draw the screen in every state of `tests/tui/states.py` at every size, to look at: `states.py [STATE...] [--png]`."""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from screenshots.make import pinned
from tests.tui.states import SCRIPTS, picture


def main() -> None:
    """Write the text of each picture, and with --png the picture, into a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("states", nargs="*", default=list(SCRIPTS))
    parser.add_argument(
        "--sizes", nargs="*", default=["40x12", "60x20", "80x24", "100x30", "120x40", "160x45", "200x60"]
    )
    parser.add_argument("--theme")
    parser.add_argument("--keys", nargs="*", default=[])
    parser.add_argument("--ascii", action="store_true")
    parser.add_argument("--png", action="store_true")
    parser.add_argument("--into", type=Path, default=Path("/tmp/states"))
    given = parser.parse_args()
    given.into.mkdir(exist_ok=True)
    for state in given.states:
        for size in given.sizes:
            width, height = map(int, size.split("x"))
            shown = asyncio.run(picture(state, (width, height), given.keys, theme=given.theme, ascii=given.ascii))
            name = given.into / f"{state}-{size}"
            name.with_suffix(".txt").write_text("\n".join(shown.lines))
            if given.png:
                command = ["rsvg-convert", "-o", str(name.with_suffix(".png"))]
                subprocess.run(command, input=pinned(shown.svg).encode(), check=True)


if __name__ == "__main__":
    main()

"""The program with everything it needs, as files: for the zip archive and for the Debian package.

All that oomtop cannot do without is there as pure Python, so one tree serves every architecture.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from oomtop.config.toml_text import loads

PROJECT = Path(__file__).resolve().parent.parent
_OLDEST = "3.10"
_LEXERS_KEPT = frozenset({"__init__.py", "_mapping.py", "python.py", "special.py"})
"""Of Pygments: what draws a traceback; the other 500 files are languages that nobody shows here."""


def pip(words: Sequence[str]) -> None:
    """Run the pip of this interpreter; what it says goes to stderr."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *words]
    subprocess.run(command, check=True, stdout=sys.stderr)


def build_wheel(folder: Path) -> Path:
    """Return the wheel of this project, made in `folder`."""
    pip(["wheel", "--no-deps", "--wheel-dir", str(folder), str(PROJECT)])
    return next(folder.glob("oomtop_monitor-*.whl"))


def pure_dependencies() -> list[str]:
    """Return what the project depends on, but for psutil: it is compiled, and only names the ends of sockets."""
    needed: list[str] = loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    # The tree is for the oldest version as well, whatever runs this: markers do not count.
    return [one.partition(";")[0] for one in needed if not one.startswith("psutil")]


def install_pure(target: Path) -> None:
    """Install the project and what it depends on into `target`, as pure Python for the oldest version and all later."""
    with tempfile.TemporaryDirectory() as folder:
        wheel = build_wheel(Path(folder))
        anywhere = ["--platform", "any", "--implementation", "py", "--abi", "none", "--python-version", _OLDEST]
        into = ["--only-binary", ":all:", *anywhere, "--no-compile", "--target", str(target)]
        for words in (["--no-deps", str(wheel)], pure_dependencies()):
            pip(["install", *into, *words])
            # The next one would warn that it is there already.
            shutil.rmtree(target / "bin", ignore_errors=True)
    for file in (target / "pygments" / "lexers").glob("*.py"):
        if file.name not in _LEXERS_KEPT:
            file.unlink()
    for file in target.rglob("*.py"):
        # Libraries, whatever stands in their first line: nobody runs them as programs.
        text = file.read_bytes()
        if text.startswith(b"#!"):
            file.write_bytes(text.partition(b"\n")[2])
    if compiled := [*target.rglob("*.so")]:
        raise SystemExit(f"not pure Python: {compiled[0]}")

"""`python packaging/zipapp/build.py FILE`: the whole program as one file that any Python 3.10+ runs without a network.

Nothing is unpacked when it runs, so a full disk and a home that cannot be written do not matter.  An archive cannot
keep byte code that Python makes, so it brings that of every version found here; another compiles at each start.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from vendored import install_pure

VERSIONS = ("3.10", "3.11", "3.12", "3.13", "3.14")
_SHEBANG = b"#!/usr/bin/env python3\n"
_SAME_FOR_ALL = (2020, 2, 2, 0, 0, 0)


def find_python(version: str) -> str | None:
    """Return an interpreter of this version, one of pyenv's where `PATH` has none."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    for candidate in (f"python{version}", *map(str, pyenv.glob(f"versions/{version}.*/bin/python"))):
        path = shutil.which(candidate)
        if path and subprocess.run([path, "-c", ""], check=False, capture_output=True).returncode == 0:
            return path
    return None


def compile_tree(python: str, source: Path, target: Path) -> None:
    """Fill `target` with the byte code and the data of `source`."""
    shutil.copytree(source, target)
    how = ["-q", "-b", "-s", str(target.parent), "--invalidation-mode", "unchecked-hash"]
    subprocess.run([python, "-m", "compileall", *how, str(target)], check=True, stdout=sys.stderr)
    for file in target.rglob("*.py"):
        file.unlink()


def files_of(folder: Path) -> Iterator[Path]:
    """Yield what goes into the archive, always in the same order."""
    yield from sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


def write_archive(folder: Path, target: Path) -> None:
    """Write the files of `folder` as an executable archive."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        file.write(_SHEBANG)
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in files_of(folder):
                entry = zipfile.ZipInfo(str(path.relative_to(folder)), _SAME_FOR_ALL)
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, path.read_bytes())
    target.chmod(0o755)


def main(target: Path) -> None:
    """Make the archive and say for which versions it has byte code."""
    with tempfile.TemporaryDirectory() as folder:
        stage = Path(folder)
        install_pure(stage / "any")
        found = {version: python for version in VERSIONS if (python := find_python(version))}
        for version, python in found.items():
            compile_tree(python, stage / "any", stage / f"cp{version.replace('.', '')}")
        shutil.copy(Path(__file__).with_name("__main__.py"), stage)
        write_archive(stage, target)
    print(f"{target}: {target.stat().st_size / 1e6:.1f} MB, byte code for {', '.join(found)}", file=sys.stderr)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

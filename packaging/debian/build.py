"""`python packaging/debian/build.py FOLDER`: oomtop_VERSION-0upstream1_all.deb, with dpkg-deb, from a tree made here.

What oomtop needs lies in a folder of its own, /usr/lib/oomtop: Debian's textual is older than the one it is made for,
and one tree of pure Python serves every architecture.  deb(5), deb-control(5), Debian Policy chapters 5, 6 and 10.
"""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import sys
import tempfile
import time
from email.utils import formatdate
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from vendored import PROJECT, install_pure

HERE = Path(__file__).resolve().parent
MAINTAINER = "oomtop-monitor contributors <oomtop-monitor@users.noreply.github.com>"
REVISION = "0upstream1"
"""Below the first of Debian itself, which then takes its place."""
_COMPLETIONS = {
    "bash": "usr/share/bash-completion/completions/oomtop",
    "zsh": "usr/share/zsh/vendor-completions/_oomtop",
    "fish": "usr/share/fish/vendor_completions.d/oomtop.fish",
}
_SCRIPTS = ("postinst", "prerm", "postrm")


def put(data: bytes | str | Path, target: Path, mode: int = 0o644) -> None:
    """Write a file of the package with its folders."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(data, Path):
        data = data.read_bytes()
    target.write_bytes(data.encode() if isinstance(data, str) else data)
    target.chmod(mode)


def compressed(data: bytes) -> bytes:
    """Return data as gzip without a time, as Policy 12.1 and 12.7 want it."""
    return gzip.compress(data, 9, mtime=0)


def program_output(words: list[str]) -> bytes:
    """Return what a program of this project writes."""
    return subprocess.run([sys.executable, *words], check=True, stdout=subprocess.PIPE, cwd=PROJECT).stdout


def debian_changelog(version: str) -> str:
    """Return the changelog of the package: deb-changelog(5), dated by SOURCE_DATE_EPOCH where it is set."""
    date = formatdate(int(os.environ.get("SOURCE_DATE_EPOCH") or time.time()))
    return (
        f"oomtop ({version}-{REVISION}) unstable; urgency=medium\n\n  * See changelog.gz.\n\n -- {MAINTAINER}  {date}\n"
    )


def fill(root: Path, version: str) -> None:
    """Put everything but the control files into `root`."""
    install_pure(root / "usr/lib/oomtop")
    put(HERE / "oomtop", root / "usr/bin/oomtop", 0o755)
    put(HERE / "config.toml", root / "etc/oomtop/config.toml")
    put(compressed(program_output(["-m", "oomtop", "man"])), root / "usr/share/man/man1/oomtop.1.gz")
    for shell, target in _COMPLETIONS.items():
        put(program_output(["-m", "oomtop", "completion", shell]), root / target)
    for unit in sorted((PROJECT / "packaging/systemd").glob("*.service")):
        put(unit, root / "usr/lib/systemd/system" / unit.name)
    documents = root / "usr/share/doc/oomtop"
    put(HERE / "copyright", documents / "copyright")
    put(compressed((PROJECT / "CHANGELOG.md").read_bytes()), documents / "changelog.gz")
    put(compressed(debian_changelog(version).encode()), documents / "changelog.Debian.gz")
    for document in (PROJECT / "docs").glob("*.md"):
        put(document, documents / document.name)
    for example in (PROJECT / "packaging/prometheus").glob("*.yml"):
        put(example, documents / "examples" / example.name)


def control_files(root: Path, version: str) -> None:
    """Write the folder DEBIAN of a filled `root`."""
    files = sorted(path for path in root.rglob("*") if path.is_file())
    kilobytes = sum(-(-path.stat().st_size // 1024) for path in files)
    fields = (HERE / "control").read_text(encoding="utf-8")
    values = {"@VERSION@": version, "@SIZE@": str(kilobytes), "@MAINTAINER@": MAINTAINER}
    for mark, value in values.items():
        fields = fields.replace(mark, value)
    put(fields, root / "DEBIAN/control")
    put("/etc/oomtop/config.toml\n", root / "DEBIAN/conffiles")
    for script in _SCRIPTS:
        put(HERE / script, root / "DEBIAN" / script, 0o755)
    names = [str(path.relative_to(root)) for path in files if root / "etc" not in path.parents]
    md5sums = subprocess.run(["md5sum", "--", *names], check=True, stdout=subprocess.PIPE, cwd=root).stdout
    put(md5sums, root / "DEBIAN/md5sums")


def main(folder: Path) -> None:
    """Make the package."""
    version = program_output(["-c", "import oomtop; print(oomtop.__version__)"]).decode().strip()
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"oomtop_{version}-{REVISION}_all.deb"
    os.umask(0o022)
    with tempfile.TemporaryDirectory() as stage:
        root = Path(stage) / "root"
        fill(root, version)
        control_files(root, f"{version}-{REVISION}")
        for path in root.rglob("*"):
            path.chmod(0o755 if path.is_dir() or path.parent.name in ("bin", "DEBIAN") else 0o644)
        for name in ("control", "conffiles", "md5sums"):
            (root / "DEBIAN" / name).chmod(0o644)
        if shutil.which("dpkg-deb") is None:
            raise SystemExit("dpkg-deb is not on this machine; the zip archive runs anywhere: make zipapp")
        command = ["dpkg-deb", "--root-owner-group", "-Zxz", "--build", str(root), str(target)]
        subprocess.run(command, check=True, stdout=sys.stderr)
    print(f"{target}: {target.stat().st_size / 1e6:.1f} MB", file=sys.stderr)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

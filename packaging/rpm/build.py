"""`python packaging/rpm/build.py FOLDER`: an RPM package, from the tree of the Debian one."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "debian")]
from build import fill, program_output  # noqa: E402


def main(folder: Path) -> None:
    """Make the package."""
    if shutil.which("rpmbuild") is None:
        raise SystemExit("rpmbuild is not on this machine (package rpm or rpm-build)")
    version = program_output(["-c", "import oomtop; print(oomtop.__version__)"]).decode().strip()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as made:
        stage, spec = Path(made) / "stage", Path(made) / "oomtop.spec"
        fill(stage, version)
        (stage / "usr/share/doc/oomtop/changelog.Debian.gz").unlink()
        functions = stage / "usr/share/zsh/vendor-completions"
        functions.rename(functions.with_name("site-functions"))
        text = (HERE / "oomtop.spec.in").read_text(encoding="utf-8")
        spec.write_text(text.replace("@VERSION@", version).replace("@STAGE@", str(stage)), encoding="utf-8")
        places = ["--define", f"_topdir {made}/rpm", "--define", f"_rpmdir {made}/out"]
        subprocess.run(["rpmbuild", "-bb", "--quiet", *places, str(spec)], check=True, stdout=sys.stderr)
        for package in (Path(made) / "out").rglob("*.rpm"):
            shutil.copy(package, folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""`python packaging/site/prepare.py FOLDER`: README, docs and CHANGELOG as pages of mkdocs."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
SOURCE = "https://github.com/oomtop-monitor/oomtop-monitor/blob/main/"
_LINK = re.compile(r"(\]\()([^)#:]+)([)#])")
_TITLES = {"index.md": "oomtop", "changelog.md": "Changes", "contributing.md": "Working on oomtop"}


def moved(text: str, here: Path, pages: dict[Path, str]) -> str:
    """Return a page with its links to other pages and pictures as they are on the site, the rest to the repository."""

    def link(match: re.Match[str]) -> str:
        target = (here.parent / match[2]).resolve()
        if target in pages:
            return f"{match[1]}{pages[target]}{match[3]}"
        if target.parent == PROJECT / "screenshots":
            return f"{match[1]}screenshots/{target.name}{match[3]}"
        return f"{match[1]}{SOURCE}{target.relative_to(PROJECT)}{match[3]}"

    return _LINK.sub(link, text)


def main(folder: Path) -> None:
    """Write everything that mkdocs reads."""
    pages = {PROJECT / "README.md": "index.md", PROJECT / "CHANGELOG.md": "changelog.md"}
    pages[PROJECT / "CONTRIBUTING.md"] = "contributing.md"
    pages |= {path: path.name for path in sorted((PROJECT / "docs").glob("*.md"))}
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "docs").mkdir(parents=True)
    shutil.copytree(PROJECT / "screenshots", folder / "docs/screenshots", ignore=shutil.ignore_patterns("*.py"))
    for path, name in pages.items():
        text = moved(path.read_text(encoding="utf-8"), path, pages)
        (folder / "docs" / name).write_text(text, encoding="utf-8")
    entries = "".join(f"  - {_TITLES.get(name, _title(path))!r}: {name}\n" for path, name in pages.items())
    head = (PROJECT / "packaging/site/mkdocs.yml").read_text(encoding="utf-8")
    (folder / "mkdocs.yml").write_text(f"{head}nav:\n{entries}", encoding="utf-8")


def _title(path: Path) -> str:
    return path.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

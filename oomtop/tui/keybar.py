"""The last line: the keys that matter, letters beside F-keys, because many terminals eat F1 and F10."""

from __future__ import annotations

from rich.text import Text

from oomtop.analysis.model import Assessment
from oomtop.tui.look import Look
from oomtop.units import printable

_KEYS = (
    ("?", "Help"), ("Tab", "Tabs"), ("Enter", "Details"), ("k", "Kill"), ("o", "Protect"), ("f", "Freeze"),
    ("d", "Caches"), ("z", "Undo"), ("q", "Quit"), ("/", "Search"), ("\\", "Filter"), ("r", "Reclaim"), ("L", "Limit"),
    ("W", "Swap"), ("t", "Tree"), ("u", "User"), ("Z", "Pause"), ("v", "Chart"), (":", "All"),
)  # fmt: skip


def draw_keys(assessment: Assessment, width: int, height: int, look: Look) -> list[Text]:
    """Return the keys, and the first thing that could not be read."""
    line = Text()
    for key, label in _KEYS:
        if line.cell_len + len(key) + len(label) + 2 > width:
            break
        line.append(key, look.style("accent", bold=True) or "bold").append(f" {label} ")
    return [line]


def draw_status(assessment: Assessment, width: int, height: int, look: Look) -> list[Text]:
    """Return what could not be read, with its reason; nothing when all is well."""
    if not assessment.problems:
        return [Text("")]
    first = assessment.problems[0]
    more = f"  (+{len(assessment.problems) - 1} more)" if len(assessment.problems) > 1 else ""
    return [Text(f"{printable(first.what)}: {printable(first.why)}{more}", look.style("warn"))]

"""The last line: the keys that matter, letters besides F-keys, because many terminals intercept F1 and F10."""

from __future__ import annotations

from collections.abc import Sequence

from oomtop.analysis.model.assessment import Assessment
from oomtop.tui.style.key_names import key_of
from oomtop.tui.style.palette import Look
from oomtop.tui.style.text import Text
from oomtop.tui.widgets.text_parts import keep_start
from oomtop.units import printable

Keys = Sequence[tuple[str, str]]
"""(key as it is written, what it does) from the most to the least wanted."""
MONITOR_KEYS: Keys = (
    ("k", "Kill"), ("J", "Select"), ("f", "Freeze"), ("L", "Limit"), ("o", "Spare"), ("?", "Help"), ("q", "Quit"),
    ("/", "Find"), ("\\", "Filter"), (":", "Commands"), ("n", "Next danger"), ("Tab", "Tabs"), ("Enter", "Details"),
    ("z", "Undo"), ("d", "Caches"), ("W", "Swap"), ("r", "Reclaim"), ("t", "Tree"), ("u", "User"), ("v", "Chart"),
    ("Z", "Pause"), ("S", "Setup"),
)  # fmt: skip


def draw_keys(keys: Keys, width: int, look: Look) -> Text:
    """Return as many keys as fit."""
    line = Text()
    for key, label in fitting(keys, width):
        line.append(key, look.style("accent", bold=True) or "bold").append(f" {label}  ")
    line.truncate(width)
    return line


def fitting(keys: Keys, width: int) -> Keys:
    """Return the keys that fit, the last of them without the blanks behind it."""
    shown, used = [], 0
    for key, label in keys:
        used += len(key) + len(label) + 3
        if used - 2 > width:
            break
        shown.append((key, label))
    return shown


def key_at(keys: Keys, x: int) -> str | None:
    """Return the key that stands at cell `x`; of several written together the one that is hit."""
    left = 0
    for name, label in keys:
        if left <= x < left + len(name) + 1 + len(label):
            return _one_of(name, x - left)
        left += len(name) + len(label) + 3
    return None


def _one_of(name: str, at: int) -> str | None:
    """Return the key of a name; `+-` and `[ ]` are two keys, `1-9` are nine, of which the written ones can be hit."""
    if name.isalnum() or len(name) == 1:
        return key_of(name)
    if at >= len(name) or name[at] == " " or (name[at] == "-" and len(name) == 3):
        return None
    return key_of(name[at])


def draw_status(assessment: Assessment, width: int, height: int, look: Look) -> list[Text]:
    """Return what could not be read, with its reason; nothing when all is well."""
    if not assessment.problems:
        return [Text("")]
    first = assessment.problems[0]
    more = f"  (+{len(assessment.problems) - 1} more)" if len(assessment.problems) > 1 else ""
    words = keep_start(f"{printable(first.what)}: {printable(first.why)}", width - len(more), look)
    return [Text(f"{words}{more}", look.style("warn"))]

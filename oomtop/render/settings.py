"""The kernel settings as plain text, for the shell."""

from __future__ import annotations

from collections.abc import Sequence

from oomtop.analysis.settings.verdicts import SettingRow
from oomtop.units import DASH, printable

_COLUMNS = "{:36} {:>14} {:>12} {:>8}  {}"


def render_settings(rows: Sequence[SettingRow]) -> str:
    """Return a table of all settings, those with something to be said about them first."""
    lines = [_COLUMNS.format("SETTING", "NOW", "DEFAULT", "ADVISED", "NOTE")]
    for row in rows:
        verdict = row.verdict
        advised = DASH if verdict is None or verdict.recommended is None else str(verdict.recommended)
        why = "" if verdict is None else verdict.text
        lines.append(_COLUMNS.format(row.name, row.value, row.default or DASH, advised, why).rstrip())
    return "\n".join(printable(line) for line in lines)


def render_setting(row: SettingRow) -> str:
    """Return everything there is to know about one setting, one fact a line."""
    lines = [f"{row.name} is {row.value} ({row.file})", f"what:     {row.what}"]
    if row.setting is not None:
        lines.append(f"range:    {row.setting.lowest} to {row.setting.highest}")
    lines.append(f"default:  {row.default or 'computed from the size of the machine'}")
    verdict = row.verdict
    if verdict is None:
        lines.append("advised:  keep")
    else:
        label = "note:     " if verdict.recommended is None else f"advised:  {verdict.recommended}: "
        lines.append(f"{label}{verdict.text}")
    if row.risk:
        lines.append(f"risk:     {row.risk}")
    if row.setting is None:
        lines.append("read-only in oomtop")
    return "\n".join(printable(line) for line in lines)

"""The kernel settings as data."""

from __future__ import annotations

from collections.abc import Sequence

from oomtop.analysis.settings.verdicts import SettingRow


def settings_to_json(rows: Sequence[SettingRow]) -> dict[str, object]:
    """Return every setting with what is advised."""
    return {"schema": 1, "settings": [_setting(row) for row in rows]}


def _setting(row: SettingRow) -> dict[str, object]:
    verdict, setting = row.verdict, row.setting
    return {
        "name": row.name,
        "value": row.value,
        "default": row.default,
        "file": row.file,
        "what": row.what,
        "risk": row.risk or None,
        "lowest": None if setting is None else setting.lowest,
        "highest": None if setting is None else setting.highest,
        "advised": None if verdict is None else verdict.recommended,
        "advice": None if verdict is None else verdict.text,
        "severity": None if verdict is None else verdict.severity.value,
    }

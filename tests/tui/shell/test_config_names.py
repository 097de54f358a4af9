"""What a configuration names on the screen: columns, sections, key bindings."""

from __future__ import annotations

import sys
from types import MappingProxyType
from typing import Any

import pytest

from oomtop.config.load import Config
from oomtop.frozen import replace
from oomtop.tui.shell import config_names
from oomtop.tui.shell.config_names import check_names


@pytest.mark.parametrize(
    ("more", "said"),
    [({"columns": ("pid", "memroy")}, "columns: there is no memroy; did you mean memory?"),
     ({"sort": "qq"}, "sort: there is no qq; expected one of pid, user"),
     ({"hidden": ("swp",)}, "hidden: there is no swp; did you mean swap?"),
     ({"keys": MappingProxyType({"action.kil": "x"})}, "keys.action.kil: no such key binding; did you mean action.kill?"),
     ({"keys": MappingProxyType({"zz": "x"})}, "keys.zz: no such key binding; `?` on each screen")],
)  # fmt: skip
def test_a_mistyped_name_is_said_with_the_nearest_one(more: dict[str, Any], said: str) -> None:
    (error,) = check_names(replace(Config(), **more))
    assert str(error).startswith(f": {said}") or said in str(error)


@pytest.mark.parametrize("id", ["action.kill", "table.tag", "events.up", "dialog.confirm", "replay.play", "setup.keep"])
def test_every_binding_may_be_changed(id: str) -> None:
    assert check_names(replace(Config(), keys=MappingProxyType({id: "x"}))) == ()


def test_no_screen_is_loaded_where_no_key_is_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config_names, "import_module", lambda name: sys.exit(name))
    assert check_names(Config()) == ()

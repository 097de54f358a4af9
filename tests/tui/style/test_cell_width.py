"""Widths of texts, beside Rich's: the same, and its table is left alone by what the program draws itself."""

from __future__ import annotations

import subprocess
import sys

import pytest
import rich.cells

from oomtop.tui.style import cell_width


def test_every_narrow_character_is_one_for_rich_too() -> None:
    assert [char for char in cell_width._NARROW if rich.cells.cell_len(char) != 1] == []


@pytest.mark.parametrize("text", ["", "plain", "▼ │ …", "日本語", "a日b", "e\u0301", "🔎 x"])
@pytest.mark.parametrize("width", [0, 1, 3, 4, 9])
def test_texts_are_measured_and_cut_as_by_rich(text: str, width: int) -> None:
    assert cell_width.cell_len(text) == rich.cells.cell_len(text)
    assert cell_width.set_cell_size(text, width) == rich.cells.set_cell_size(text, width)


def test_what_the_program_draws_loads_no_table() -> None:
    code = (
        "import sys; from oomtop.tui.style.cell_width import cell_len, set_cell_size\n"
        "cell_len('▼▲█▁▇│─┄…·»▶▸•╭╯ 12 GiB'); set_cell_size('──', 9)\n"
        "print([name for name in sys.modules if name.startswith('rich')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"

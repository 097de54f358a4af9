"""Every field can be read from a row, and what draws on the table has what it needs of it."""

import pytest

from oomtop.fields import FIELDS, FieldUnit, ProcessField, number_of, text_of
from oomtop.tui.help.figure_help import explain_field
from oomtop.tui.process_table.columns import BY_ID, ColumnContext
from tests.tui.factories import make_row

IDS = [field.id for field in FIELDS]


@pytest.mark.parametrize("field", FIELDS, ids=IDS)
def test_a_field_is_read_from_a_row(field: ProcessField) -> None:
    row = make_row()
    if field.path:
        value = text_of(field)(row) if field.unit is FieldUnit.TEXT else number_of(field)(row)
        assert isinstance(value, str if field.unit is FieldUnit.TEXT else (int, float, type(None)))
    else:
        assert BY_ID[field.id].text(row, ColumnContext()), "a column of its own rule"


@pytest.mark.parametrize("field", [field for field in FIELDS if field.title], ids=lambda field: field.id)
def test_a_column_has_a_help_line(field: ProcessField) -> None:
    assert field.help
    assert explain_field(field).startswith(field.help)


def test_names_are_unique() -> None:
    names = [name for field in FIELDS for name in (field.id, *field.filters)]
    assert len(names) == len(set(names))

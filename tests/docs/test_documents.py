"""What the documents tell a reader to type: every command parses, every key does something, every file is there."""

import re
import shlex
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import fields
from pathlib import Path

import pytest

from oomtop.cli import COMMANDS, build_parser
from oomtop.config.alerts import _KEYS, FIGURES
from oomtop.config.load import Config, apply_table
from oomtop.config.toml_text import loads
from oomtop.tui.process_table.columns import COLUMNS
from tests.present import present

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").glob("*.md")])
SHELL = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
TOML = re.compile(r"^```toml\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:)([^)#]+)\)")
FILE = re.compile(r"`((?:packaging|docs|tests|themes|screenshots|oomtop)/[\w./-]+)`")


def commands(path: Path) -> Iterator[list[str]]:
    for block in SHELL.findall(path.read_text()):
        for line in block.splitlines():
            for command in line.partition("#")[0].replace("sudo ", "").split(";"):
                words = shlex.split(command)
                if words[:1] == ["oomtop"]:
                    yield words[1:]


WORDS = [pytest.param(words, id=f"{path.name}: {shlex.join(words)}") for path in DOCUMENTS for words in commands(path)]


@pytest.mark.parametrize("words", WORDS)
def test_every_command_of_a_document_parses(words: list[str]) -> None:
    asks_for_help = "--help" in words
    with pytest.raises(SystemExit) if asks_for_help else nullcontext() as ended:
        build_parser().parse_args(words)
    assert not asks_for_help or present(ended).value.code == 0


def test_the_readme_names_every_command() -> None:
    text = (ROOT / "README.md").read_text()
    assert [name for name in COMMANDS if not re.search(rf"oomtop {name}\b", text)] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_and_file_of_a_document_exists(path: Path) -> None:
    text = path.read_text()
    missing = [name for name in LINK.findall(text) if not (path.parent / name).exists()]
    missing += [name for name in FILE.findall(text) if not (ROOT / name).exists()]
    assert missing == []


def test_every_key_of_the_triage_guide_is_bound() -> None:
    from textual.binding import Binding

    from oomtop.tui.process_table.widget import ProcessTable
    from oomtop.tui.shell.app import OomtopApp

    bound: set[str] = set()
    for owner in (OomtopApp, ProcessTable):
        for binding in owner.BINDINGS:
            bound.update(binding.key.split(",") if isinstance(binding, Binding) else binding[0].split(","))
    names = {"<": "less_than_sign", ">": "greater_than_sign", "Enter": "enter"}
    text = (ROOT / "docs/triage.md").read_text()
    keys = {names.get(key, key) for key in re.findall(r"`([^`\s]|Enter)`", text)}
    unbound = {
        key for key in keys if key not in bound and key.lower() not in bound and f"shift+{key.lower()}" not in bound
    }
    assert unbound <= {"B", "enter"}, unbound  # bound by the screen of the events and by the table's rows
    assert len(keys) > 8


def test_the_columns_of_top_have_the_names_of_the_monitor() -> None:
    from oomtop.render.top import render_top
    from tests.tui.factories import make_assessment, make_row

    lines = render_top(make_assessment((make_row(),)), 1, "memory", 120).splitlines()
    heads = next(line for line in lines if line.endswith("COMMAND")).split()
    assert set(heads) <= {column.title for column in COLUMNS}


def test_the_configuration_in_the_documents_has_no_mistake() -> None:
    blocks = [block for path in DOCUMENTS for block in TOML.findall(path.read_text())]
    assert len(blocks) >= 3
    for block in blocks:
        _, mistakes = apply_table(Config(), loads(block), "document")
        assert mistakes == ()


def test_every_key_of_the_configuration_is_documented() -> None:
    text = (ROOT / "docs/configuration.md").read_text()
    rows = set(re.findall(r"`([a-z_.0-9]+)`", "".join(line for line in text.splitlines() if line.startswith("|"))))
    keys = {field.name for field in fields(Config)} - {"origins", "alerts"} | {"alert"}
    assert keys | set(_KEYS) | set(FIGURES) <= rows
    assert {column.id for column in COLUMNS} <= set(re.findall(r"`(\w+)`", text))


KEY_NAMES = {
    "?": "question_mark",
    "/": "slash",
    "\\": "backslash",
    "<": "less_than_sign",
    ">": "greater_than_sign",
    ":": "colon",
}


def test_every_key_of_the_readme_does_what_its_row_says() -> None:
    from textual.binding import Binding

    from oomtop.tui.events.screen import EventsScreen
    from oomtop.tui.process_table.widget import ProcessTable
    from oomtop.tui.shell.app import OomtopApp

    text = (ROOT / "README.md").read_text()
    rows = re.findall(r"^\| (`[^|]+`) \| ([^|]+) \|$", text[text.index("## Keys") :], re.MULTILINE)
    assert len(rows) > 15
    bound = {
        key: f"{binding.description} {binding.id}"
        for owner in (EventsScreen, ProcessTable, OomtopApp)
        for binding in owner.BINDINGS
        if isinstance(binding, Binding)
        for key in binding.key.split(",")
    }
    wrong = {}
    for keys, what in rows:
        for key in re.findall(r"`([^`]+)`", keys):
            name = KEY_NAMES.get(key, key if len(key) == 1 else key.lower().replace("-", "+"))
            stems = {word[:4].lower() for word in re.findall(r"[A-Za-z]{3,}", bound.get(name, ""))}
            if not stems & {word[:4].lower() for word in re.findall(r"[A-Za-z]{3,}", what)}:
                wrong[key] = bound.get(name)
    assert wrong == {}

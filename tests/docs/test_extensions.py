"""Where a column, a finding, a killer and so on belong: each example is applied to a copy of the program and tried.

The table in docs/architecture.md names the same files.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs/architecture.md"


class Edit(NamedTuple):
    """What is put behind a text of a file; a file of its own where that is empty."""

    path: str
    behind: str
    text: str


class Example(NamedTuple):
    """The row of the table, the edits, and a program that fails where they are not enough."""

    row: str
    edits: tuple[Edit, ...]
    check: str


KILLER = '''"""Kills by exampled. Sample line: `exampled: killed 7 (java)`."""

import re

from oomtop.oomlog.event import OomEvent, Victim
from oomtop.oomlog.killers.story import Killer, dated, register


@register
class Exampled(Killer):
    """Reads the kills."""

    needle = rb"exampled: killed "
    programs = ("exampled",)

    def feed(self, record, text):
        """Take one record in."""
        if match := re.search(r"exampled: killed (\\d{1,9}) \\((\\w+)\\)", text):
            yield dated(OomEvent("exampled", "global", victim=Victim(int(match[1]), match[2])), record)
'''
ACTION = '''"""An action that writes nothing."""

from oomtop.actions.base.plan import Outcome, Plan, Status
from oomtop.actions.base.prepared import PreparedAction


def prepare_example(request, context):
    """Return the plan."""
    plan = Plan("example", "Do nothing", ("nothing",), "frees nothing")
    return PreparedAction(plan, lambda report: Outcome("example", Status.DONE, "nothing was done"), [])
'''
FINDING = '''def example(facts: Facts) -> Finding | None:
    """Some memory is used."""
    return Finding("example", Severity.INFO, "memory is used", "MemTotal", "nothing to do")


'''
FILE = '''"""`/proc/loadavg`: the load of the machine (proc(5))."""

from oomtop.host.root import Root, read_optional


def read_load(root: Root) -> float | None:
    """Return the load of the last minute."""
    text = read_optional(root.at("/proc/loadavg"))
    return None if text is None else float(text.split()[0])
'''
EXAMPLES = (
    Example(
        "column",
        (Edit("oomtop/fields.py", "FIELDS: tuple[ProcessField, ...] = (\n",
              '    ProcessField("points", _N, "badness", "POINTS", "badness in pages", _STATUS, least=300),\n'),),
        """
from oomtop.tui.help.topics import _columns
from oomtop.tui.process_table.columns import BY_ID, ColumnContext
from oomtop.tui.process_table.filter_query import parse
from tests.tui.factories import make_row
row = make_row()
assert BY_ID["points"].text(row, ColumnContext()) == str(row.badness)
assert parse("points>=0")(row) and not parse("points<0")(row)
assert ("POINTS", "badness in pages (/proc/PID/status)") in list(_columns())
""",
    ),
    Example(
        "finding",
        (Edit("oomtop/analysis/findings/machine.py", "_NAME = attrgetter(\"process.comm\")\n\n\n", FINDING),
         Edit("oomtop/analysis/findings/machine.py", "RULES: tuple[Rule, ...] = (\n", "    example,\n")),
        """
from oomtop.analysis.assessment import assess
from oomtop.history import History
from tests.synthetic import SyntheticMachine
tick, history = next(iter(SyntheticMachine(9, 3).ticks(1))), History()
history.add(tick)
assert "example" in [finding.id for finding in assess(tick, history, None).findings]
""",
    ),
    Example(
        "killer",
        (Edit("oomtop/oomlog/killers/exampled.py", "", KILLER),),
        """
from oomtop.oomlog.scan import scan_lines
(event,) = scan_lines(["Nov 20 10:00:00 host exampled[5]: exampled: killed 7 (java)"], "log")
assert (event.killer, event.victim.pid) == ("exampled", 7)
from oomtop.oomlog.killers.reader import DAEMONS, NEEDLE
assert "exampled" in DAEMONS and b"exampled: killed" in NEEDLE
""",
    ),
    Example(
        "log format",
        (Edit("oomtop/oomlog/carriers/dates.py", "    if isinstance(value, str):\n", '        value = value.removeprefix("@")\n'),),
        """
from oomtop.oomlog.carriers.dates import parse_time
assert parse_time("@1764324000") == 1764324000
""",
    ),
    Example(
        "action with a key",
        (Edit("oomtop/actions/machine/example.py", "", ACTION),
         Edit("oomtop/actions/base/requests.py", "@frozen\nclass CompactRequest:\n",
              '    """Compact."""\n\n\n@frozen\nclass ExampleRequest:\n'),
         Edit("oomtop/actions/base/requests.py", "    | CompactRequest\n", "    | ExampleRequest\n"),
         Edit("oomtop/actions/dispatch.py", "from oomtop.actions.machine.compact import prepare_compact\n",
              "from oomtop.actions.machine.example import prepare_example\n"),
         Edit("oomtop/actions/dispatch.py", "        _row(requests.CompactRequest, prepare_compact),\n",
              "        _row(requests.ExampleRequest, prepare_example),\n"),
         Edit("oomtop/tui/actions/menus.py", "frees no memory\", requests.CompactRequest()))\n",
              '    items.append(Item("example   nothing", requests.ExampleRequest()))\n')),
        """
from oomtop.actions.base.context import ActionContext
from oomtop.actions.dispatch import prepare
from oomtop.tui.actions.menus import Selection, reclaim_offer
from tests.synthetic import SyntheticMachine
offer = reclaim_offer(Selection(next(iter(SyntheticMachine(9, 3).ticks(1))).snapshot))
request = next(item.leads_to for item in offer.items if item.label.startswith("example"))
assert prepare(request, None).perform(print).summary == "nothing was done"
""",
    ),
    Example(
        "metric",
        (Edit("oomtop/exporter/families.py", "    yield from _about(assessment)\n",
              '    yield gauge("example_bytes", "An example", [((), assessment.memory.total)])\n'),),
        """
from oomtop.analysis.assessment import assess
from oomtop.exporter.families import families
from oomtop.history import History
from tests.synthetic import SyntheticMachine
tick, history = next(iter(SyntheticMachine(9, 3).ticks(1))), History()
history.add(tick)
assert "oomtop_example_bytes" in [family.name for family in families(assess(tick, history, None), 3)]
""",
    ),
    Example(
        "kernel file",
        (Edit("oomtop/host/loadavg.py", "", FILE),
         Edit("oomtop/snapshot.py", "    pressure_io: Pressure | None = None\n", "    load: float | None = None\n"),
         Edit("oomtop/sources/sampler.py", "from oomtop.host.kernel_facts import KernelFacts",
              "\nfrom oomtop.host.loadavg import read_load\nfrom oomtop.host.kernel_facts import KernelFacts"),
         Edit("oomtop/sources/sampler.py", "            pressure_io=self._pressure(\"io\"),\n",
              "            load=self._try(\"load\", lambda: read_load(root)),\n")),
        """
from oomtop.host.root import Root
from oomtop.recording.codec import Codec
from oomtop.snapshot import Snapshot
from oomtop.sources.sampler import Sampler
snapshot = Sampler(Root()).sample()
assert snapshot.load >= 0
codec = Codec((Snapshot,))
assert codec.load(Snapshot, codec.full(snapshot)).load == snapshot.load
""",
    ),
    Example(
        "theme colour",
        (Edit("oomtop/tui/style/theme_file.py", "_BAR = (", '"example", '),
         Edit("themes/dark.toml", "[bar]\n", 'example = "#aabbcc"\n')),
        """
from oomtop.tui.style.theme import load_theme
assert load_theme("dark").palette["example"] == "#aabbcc"
""",
    ),
)  # fmt: skip
MOST_FILES = {"column": 1, "finding": 1, "killer": 1, "action with a key": 4}
IDS = [example.row for example in EXAMPLES]


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the program with every example applied."""
    copy = tmp_path_factory.mktemp("extended")
    for folder in ("oomtop", "themes"):
        shutil.copytree(ROOT / folder, copy / folder)
    for name in ("tests/present.py", "tests/synthetic.py", "tests/tui/factories.py"):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, copy / name)
    for edit in (edit for example in EXAMPLES for edit in example.edits):
        path = copy / edit.path
        before = path.read_text() if edit.behind else ""
        assert before.count(edit.behind) == 1 or not edit.behind, f"{edit.path}: {edit.behind!r}"
        path.write_text(before.replace(edit.behind, edit.behind + edit.text, 1) if edit.behind else edit.text)
    return copy


@pytest.mark.parametrize("example", EXAMPLES, ids=IDS)
def test_the_files_of_an_example_are_enough(example: Example, extended: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", example.check], cwd=extended, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("example", EXAMPLES, ids=IDS)
def test_the_document_names_the_same_files(example: Example) -> None:
    row = next(line for line in DOCUMENT.read_text().splitlines() if line.startswith(f"| {example.row} |"))
    named = set(re.findall(r"`((?:oomtop|themes)/[\w/]+\.(?:py|toml))`", row))
    existing = {edit.path for edit in example.edits if (ROOT / edit.path).exists()}
    assert named == existing


def test_the_number_of_files_of_an_extension() -> None:
    files = {example.row: len({edit.path for edit in example.edits}) for example in EXAMPLES}
    assert {row: files[row] for row in MOST_FILES} == MOST_FILES

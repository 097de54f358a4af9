"""The process screen: score, memory, growing mappings, limits and tools.

It opens at once with the last tick; figures behind the target's memory lock follow later.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from oomtop.analysis.inspect.mappings import MappingsAt, compare
from oomtop.analysis.inspect.process_detail import Study, study
from oomtop.analysis.inspect.runtime import Runtime, detect_allocator, detect_runtime
from oomtop.analysis.inspect.tools import DeepTool, tools_for
from oomtop.analysis.model.assessment import Assessment
from oomtop.analysis.model.danger import DangerKind
from oomtop.frozen import replace
from oomtop.host.process import ProcessId
from oomtop.host.process_details import ProcessDetails, read_process_details
from oomtop.host.programs import find_programs
from oomtop.host.root import Root
from oomtop.host.smaps import MappedMemory, read_smaps, read_smaps_rollup
from oomtop.tui.base.aim import Aim, KeyPlace
from oomtop.tui.base.messages import ToolChosen
from oomtop.tui.base.session import State
from oomtop.tui.base.slow_read import Answer, ask
from oomtop.tui.dangers.danger_words import aim_in_danger, group_in_danger
from oomtop.tui.dangers.forecast_chart import draw_forecast_of
from oomtop.tui.dangers.panel import danger_strip
from oomtop.tui.process import sections
from oomtop.tui.style.palette import Look
from oomtop.tui.style.stylesheet import stylesheet
from oomtop.tui.style.text import Text
from oomtop.tui.widgets.chart import draw_curve
from oomtop.tui.widgets.key_bar import KeyBar
from oomtop.tui.widgets.menu import Menu
from oomtop.tui.widgets.tab_screen import TabScreen, title_of
from oomtop.tui.widgets.text_block import Page, Sheet
from oomtop.tui.widgets.text_parts import section
from oomtop.units import printable

# Reading smaps blocks the target: wait a hundred times as long before the next read, at least ten seconds.
_PAUSE_FACTOR = 100.0
_PAUSE_SECONDS = 10.0
# Percentage of time stalled on memory above which walking page tables would make things worse.
_FORECAST, _TALL = 9, 34
"""Lines of the forecast, on a screen of so many lines."""
_STALLED = 20.0
_OF_TICKS = ("process-forecast", "process-curve")
"""The charts: an answer of a slow read changes nothing in them, and each takes 10 ms."""
_KEYS = (
    ("Esc", "Back"), ("k", "Kill"), ("o", "Protect"), ("e", "Env"), ("l", "Files"), ("w", "Command"), ("s", "Strace"),
    ("m", "Mappings again"), ("T", "Tools"), ("r", "Reclaim"), ("L", "Limit"),
)  # fmt: skip
_Timed = tuple[tuple[MappedMemory, ...], float]


class ProcessScreen(TabScreen):
    """One process, updated by ticks and by its own slow reads."""

    DEFAULT_CSS = stylesheet("process/screen.tcss")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter,backspace", "back", "Back", id="process.back"),
        Binding("m", "read_mappings", "Read the mappings again and compare with the first read", id="process.mappings"),
        Binding("T", "tools", "Inspection tools: gdb, strace, heaptrack", id="process.tools"),
        *(Binding(str(key), f"open_tool({key})", f"Open tool {key}", show=False, id=f"process.tool_{key}")
          for key in range(1, 10)),
    ]  # fmt: skip

    def __init__(self, state: State, look: Look, identity: ProcessId, root: Root | None = None) -> None:
        super().__init__(state, look, name="process")
        self._identity = identity
        self._root = root or Root()
        self._study: Study | None = None
        self._slow = sections.SlowStudy()
        self._first: MappingsAt | None = None
        self._rest: float | None = None
        """Seconds until the next read of the mappings, None during a read."""
        self._due: float | None = None
        """The time of the next read, on the clock of the ticks."""
        self._moment = self._asked = 0.0
        """The time of the last tick, and of the last one when memory was asked for."""
        self._page_size = 4096
        self._is_built = False

    # -- life ---------------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        """Mount every widget once."""
        yield Sheet(self._title, id="process-title")
        yield danger_strip(self)
        with Page(id="process-page"):
            with Vertical(id="process-left"):
                yield Sheet(self._forecast, id="process-forecast")
                yield Sheet(self._summary, id="process-summary")
                yield Sheet(self._score, id="process-score")
                yield Sheet(self._limits, id="process-limits")
            with Vertical(id="process-right"):
                yield Sheet(self._mappings, id="process-mappings")
                yield Sheet(self._tools, id="process-tools")
                yield Sheet(self._curve, id="process-curve")
        yield KeyBar(_KEYS, self.look, id="process-keys")

    def on_mount(self) -> None:
        """Start all slow reads."""
        self.query_one(Page).focus()
        self._is_built = True
        self.watch_assessment(self.assessment)
        if self.state.replay:
            note = "not part of a recording"
            self._slow = sections.SlowStudy(Answer(None, note), Answer(None, note), Answer(None, note))
            return
        self._ask_details()
        self._ask_memory()

    def watch_assessment(self, assessment: Assessment | None) -> None:
        """Show a tick; read the mappings again when due."""
        if assessment is None or not self._is_built:
            return
        if not self._moment:
            self._asked, self._slow = assessment.monotonic, replace(self._slow, begun=assessment.monotonic)
        self._moment, self._page_size = assessment.monotonic, assessment.machine.page_size
        is_first = self._study is None
        self._study = study(assessment, self._identity, self._study)
        self.show_strip(assessment)
        if is_first:
            self._find_runtime()
        stalled = assessment.pressure.memory is not None and assessment.pressure.memory.some.avg10 > _STALLED
        if self._is_due() and not stalled and self._study is not None and self._study.exited_at is None:
            self._ask_memory()
            self._ask_details()
        self._draw()

    def _is_due(self) -> bool:
        """Whether the pause after a read of the mappings is over; it starts with the tick after the read."""
        if self._rest is None:
            return False
        self._due = self._due or self._moment + self._rest
        return self._moment >= self._due

    def _draw(self, but: Collection[str] = ()) -> None:
        """Draw; an answer may arrive while the screen closes, so widgets may be missing."""
        for sheet in self.query(Sheet):
            if sheet.id not in but:
                sheet.update()

    # -- what may hang --------------------------------------------------------------------------------

    def _ask_details(self) -> None:
        read = partial(read_process_details, self._root, self._identity)
        ask(self, self.state.slow, read, self._take_details, "details")

    def _ask_memory(self) -> None:
        root, identity, slow = self._root, self._identity, self.state.slow

        def timed() -> _Timed:
            started = time.monotonic()
            return read_smaps(root, identity), time.monotonic() - started

        self._rest = self._due = None
        self._asked = self._moment
        ask(self, slow, partial(read_smaps_rollup, root, identity), self._take_rollup, "rollup")
        ask(self, slow, timed, self._take_mappings, "mappings")

    def _take_details(self, answer: Answer[ProcessDetails]) -> None:
        if answer.value is None and self._slow.details.value is not None:
            return
        self._slow = replace(self._slow, details=answer)
        self._find_runtime()
        self._draw(_OF_TICKS)

    def _take_rollup(self, answer: Answer[MappedMemory]) -> None:
        if answer.value is not None or self._slow.rollup.value is None:
            self._slow = replace(self._slow, rollup=answer, rolled_up_at=self._asked)
        self._draw(_OF_TICKS)

    def _take_mappings(self, answer: Answer[_Timed]) -> None:
        """Take a read; later ones are compared with the first, and a failed one keeps what is known."""
        if answer.value is None:
            if self._slow.mappings.value is None:
                self._slow = replace(self._slow, mappings=Answer(None, answer.note))
        else:
            mappings, cost = answer.value
            reading = MappingsAt(time.monotonic(), mappings)
            rows = Answer(compare(self._first, reading), "")
            between = None if self._first is None else reading.monotonic - self._first.monotonic
            self._slow = replace(self._slow, mappings=rows, seconds_between=between, mapped_at=self._asked)
            self._first = self._first or reading
            self._rest = max(_PAUSE_SECONDS, _PAUSE_FACTOR * cost)
        self._find_runtime()
        self._draw(_OF_TICKS)

    def _find_runtime(self) -> None:
        """Detect the runtime from what is known, and look for its installed tools."""
        current = self._study
        if current is None:
            return
        process, details = current.process, self._slow.details.value
        names = [row.memory.name for row in self._slow.mappings.value or ()]
        found = Runtime.KERNEL
        if not process.is_kernel_thread:
            exe, of_file = (details.exe, details.sections) if details else (None, frozenset[str]())
            found = detect_runtime(exe, process.comm, process.command, names, of_file)
        self._slow = replace(self._slow, runtime=found, allocator=detect_allocator(names))
        tools = tools_for(found)
        read = partial(find_programs, [tool.program for tool in tools])
        ask(self, self.state.slow, read, partial(self._take_programs, tools), "tools")

    def _take_programs(self, tools: tuple[DeepTool, ...], answer: Answer[frozenset[str]]) -> None:
        if answer.value is None:
            return
        known = answer.value
        marked = sorted(((tool, tool.program in known) for tool in tools), key=lambda pair: not pair[1])
        self._slow = replace(self._slow, tools=tuple(marked))
        self._draw(_OF_TICKS)

    # -- what is drawn --------------------------------------------------------------------------------

    def _title(self, width: int) -> list[Text]:
        if self._study is None:
            return [Text(f" {self._identity.pid}  no longer visible", self.look.style("warn"))]
        return [sections.title_line(self._study, width, self.look)]

    def _forecast(self, width: int) -> list[Text]:
        """Return the forecast of its nearest limit; not on a small screen whose strip shows the same."""
        assessment, current = self.assessment, self._study
        if assessment is None or current is None or current.process.is_kernel_thread:
            return []
        path = current.row.headroom_path
        near = next((each for each in assessment.dangers if each.subject == path), None)
        machine = next((each for each in assessment.dangers if each.kind is DangerKind.MACHINE), None)
        height = _FORECAST if self.size.height >= _TALL else 1
        return draw_forecast_of(near or machine, assessment, (width, height), self.look)

    def _summary(self, width: int) -> list[Text]:
        if self._study is None:
            return []
        return sections.draw_summary(self._study, self._slow, self._moment, width, self.look)

    def _score(self, width: int) -> list[Text]:
        if self._study is None:
            return []
        score, page = self._study.process.oom_score, self._page_size
        lines = sections.draw_score(self._study.machine, page, score, width, self.look)
        return lines + sections.draw_group_score(self._study.group, page, width, self.look)

    def _limits(self, width: int) -> list[Text]:
        return sections.draw_limits(self._study.limits, width, self.look) if self._study else []

    def _curve(self, width: int) -> list[Text]:
        if self._study is None or self._study.process.is_kernel_thread:
            return []
        title = section("Growth", width, self.look, "RSS and swap")
        return [title, *draw_curve(self._study.curve, width, sections.curve_height(width), self.look)]

    def _mappings(self, width: int) -> list[Text]:
        shown = 8 if self.has_class("-low") else 14
        if self._study is None:
            return []
        return sections.draw_mappings(self._study, self._slow, self._moment, shown, width, self.look)

    def _tools(self, width: int) -> list[Text]:
        return sections.draw_tools(self._study, self._slow, width, self.look) if self._study else []

    # -- keys -----------------------------------------------------------------------------------------

    @property
    def subject(self) -> object:
        """Return the process."""
        return self._identity

    def targets(self) -> tuple[ProcessId, ...]:
        """Return the process while it is alive."""
        gone = self._study is not None and self._study.exited_at is not None
        return () if gone else (self._identity,)

    def targets_title(self) -> str:
        """Return a description of the process."""
        if self._study is None:
            return str(self._identity.pid)
        return title_of(self._study.row)

    def copies(self) -> tuple[tuple[str, str], ...]:
        """Return the pid, the command and everything on the screen."""
        everything = "\n".join(sheet.text for sheet in self.query(Sheet) if sheet.text)
        command = (self._study.process.command or self._study.process.comm) if self._study is not None else ""
        return (("everything", everything), ("pid", str(self._identity.pid)), ("command", printable(command)))

    def cgroup(self) -> str | None:
        """Return the cgroup in danger that it is in, else its own."""
        if self._study is None or self.assessment is None:
            return None
        in_danger = group_in_danger(self.state.subject(self.assessment), self.assessment, self.targets())
        return in_danger or self._study.process.cgroup

    def aim(self, assessment: Assessment) -> Aim:
        """Return what the action keys act on."""
        aim = Aim(KeyPlace.PROCESS, frozenset(self.targets()))
        return aim_in_danger(aim, self.state.subject(assessment), assessment)

    def action_back(self) -> None:
        """Go back to where it was opened."""
        self.dismiss(None)

    def action_read_mappings(self) -> None:
        """Read the mappings again, and show the change since the first read."""
        if not self.state.replay:
            self._ask_memory()

    def action_tools(self) -> None:
        """Choose one of the installed tools."""
        installed = [tool for tool, there in self._slow.tools if there]
        choices = [(at, " ".join(tool.command(self._identity.pid))) for at, tool in enumerate(installed, 1)]
        if choices and self.targets():
            menu = Menu(f"Inspect {self.targets_title()}", choices)
            self.app.push_screen(menu, lambda key: None if key is None else self.action_open_tool(key))

    def action_open_tool(self, key: int) -> None:
        """Show the plan of the installed tool with this number."""
        installed = [tool for tool, there in self._slow.tools if there]
        if key <= len(installed) and self.targets():
            self.post_message(ToolChosen(installed[key - 1], self._identity))

"""From a key to a look into one process: its screen, its environment, files and words, a tool in this terminal."""

from __future__ import annotations

from oomtop.actions.base.errno_text import in_words
from oomtop.actions.base.guard import Guard
from oomtop.actions.base.plan import Plan
from oomtop.analysis.inspect.tools import STRACE, DeepTool
from oomtop.host.process import Process, ProcessId
from oomtop.host.process_folder import process_folder
from oomtop.host.programs import find_programs
from oomtop.host.root import Root
from oomtop.tui.base.messages import ToolChosen
from oomtop.tui.process.screen import ProcessScreen
from oomtop.tui.process.text_screens import READINGS, ReadingScreen
from oomtop.tui.style.palette import Look
from oomtop.tui.widgets.shell import Shell
from oomtop.tui.widgets.tab_screen import open_once
from oomtop.tui.widgets.terminal_handover import run_in_place
from oomtop.units import printable

_NOBODY = "no process is selected: choose one with the arrow keys"


class Inspections:
    """What the keys that look into a process do on the tab in sight."""

    def __init__(self, app: Shell, guard: Guard, look: Look) -> None:
        self._app = app
        self._guard = guard
        self._look = look

    def open_process(self, identity: ProcessId) -> None:
        """Open the screen of a process."""
        open_once(self._app, ProcessScreen(self._app.state, self._look, identity))
        self._app.call_after_refresh(self._app.feed)

    def do(self, what: str) -> None:
        """Do what the key of this name does."""
        if what == "strace":
            self.strace()
        else:
            self.read(what)

    def read(self, what: str) -> None:
        """Open the environment, the open files or the whole command of the first target."""
        identity = self._target()
        if identity is not None and self._app.state.replay:
            self._app.remark("a recording does not hold this")
        elif identity is not None:
            title = self._app.tab.targets_title()
            open_once(self._app, ReadingScreen(self._app.state, self._look, identity, title, READINGS[what]))

    def strace(self) -> None:
        """Follow the system calls of the first target, as htop does."""
        identity = self._target()
        if identity is not None:
            self._app.post_message(ToolChosen(STRACE, identity))

    def tool_plan(self, tool: DeepTool, identity: ProcessId) -> Plan | None:
        """Return what opening a tool means for the process, None where there is a reason not to, which is said."""
        if self._is_refused(tool, identity):
            return None
        process = self._process(identity)
        name = printable(process.comm) if process is not None else "?"
        stops = f"{tool.program} stops the process until you leave it"
        return Plan(
            "tool",
            f"Open {tool.program} on {identity.pid} ({name})",
            (f"runs {' '.join(tool.command(identity.pid))} in this terminal",),
            effect=tool.what,
            risk=stops if tool.stops else f"{tool.program} may slow the process down while it looks into it",
        )

    def run_tool(self, tool: DeepTool, identity: ProcessId) -> None:
        """Give the terminal to a tool until it ends, unless there is a reason not to by now."""
        if self._is_refused(tool, identity):
            return
        argv = tool.command(identity.pid)
        if not run_in_place(self._app, self._child_command(argv), argv):
            self._app.remark(f"{tool.program}: this terminal cannot be handed over")

    def _is_refused(self, tool: DeepTool, identity: ProcessId) -> bool:
        """Whether there is a reason not to open a tool, which is said."""
        problem = self._reason_against(tool, identity)
        if problem is not None:
            self._app.remark(f"{tool.program}: {problem}")
            self._app.notify(problem, title=tool.program, severity="warning", markup=False)
        return problem is not None

    def _child_command(self, argv: tuple[str, ...]) -> tuple[str, ...]:
        """Return the command without the protection that oomtop gave itself, which children inherit."""
        guard = self._app.self_guard
        return argv if guard is None else guard.child_command(argv)

    def _target(self) -> ProcessId | None:
        targets = self._app.tab.targets()
        if not targets:
            self._app.remark(_NOBODY)
            return None
        return targets[0]

    def _reason_against(self, tool: DeepTool, identity: ProcessId) -> str | None:
        """Return why the tool is not opened; last of all whether the number still is this process's."""
        if self._app.state.replay:
            return "this is a recording: the process is not here"
        process = self._process(identity)
        if process is None:
            return self._guard.mode_refusal() or "the process has exited"
        refusal = self._guard.refusal(process)
        if refusal is not None:
            return refusal
        if not find_programs([tool.program]):
            return f"not installed ({tool.hint})"
        try:
            with process_folder(Root(), identity):
                return None
        except OSError as error:
            return in_words(error)

    def _process(self, identity: ProcessId) -> Process | None:
        facts = self._app.facts
        return next((p for p in facts.processes if p.id == identity), None) if facts is not None else None

"""Opens views of one process: its screen, environment, files, command, or a tool in this terminal."""

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

_NOBODY = "Nothing selected: move the cursor to a process"


class Inspections:
    """Handles the inspection keys on the visible tab."""

    def __init__(self, app: Shell, guard: Guard, look: Look) -> None:
        self._app = app
        self._guard = guard
        self._look = look

    def open_process(self, identity: ProcessId) -> None:
        """Open the screen of a process."""
        open_once(self._app, ProcessScreen(self._app.state, self._look, identity))
        self._app.call_after_refresh(self._app.feed)

    def do(self, what: str) -> None:
        """Run the action of a key."""
        if what == "strace":
            self.strace()
        else:
            self.read(what)

    def read(self, what: str) -> None:
        """Open the environment, the open files or the whole command of the first target."""
        identity = self._target()
        if identity is not None and self._app.state.replay:
            self._app.remark("not part of a recording")
        elif identity is not None:
            title = self._app.tab.targets_title()
            open_once(self._app, ReadingScreen(self._app.state, self._look, identity, title, READINGS[what]))

    def strace(self) -> None:
        """Trace the system calls of the first target, as htop does."""
        identity = self._target()
        if identity is not None:
            self._app.post_message(ToolChosen(STRACE, identity))

    def tool_plan(self, tool: DeepTool, identity: ProcessId) -> Plan | None:
        """Return the plan of opening a tool; None after reporting why it cannot be opened."""
        if self._is_refused(tool, identity):
            return None
        process = self._process(identity)
        name = printable(process.comm) if process is not None else "?"
        stops = f"{tool.program} stops the process until you quit it"
        return Plan(
            "tool",
            f"Open {tool.program} on {identity.pid} ({name})",
            (f"runs {' '.join(tool.command(identity.pid))} in this terminal",),
            effect=tool.what,
            risk=stops if tool.stops else f"{tool.program} may slow the process down while it runs",
        )

    def run_tool(self, tool: DeepTool, identity: ProcessId) -> None:
        """Hand the terminal to a tool until it exits, unless it can no longer be opened."""
        if self._is_refused(tool, identity):
            return
        argv = tool.command(identity.pid)
        if not run_in_place(self._app, self._child_command(argv), argv):
            self._app.remark(f"{tool.program}: this terminal cannot be handed over")

    def _is_refused(self, tool: DeepTool, identity: ProcessId) -> bool:
        """Report why a tool cannot be opened; return whether there is a reason."""
        problem = self._reason_against(tool, identity)
        if problem is not None:
            self._app.remark(f"{tool.program}: {problem}")
            self._app.notify(problem, title=tool.program, severity="warning", markup=False)
        return problem is not None

    def _child_command(self, argv: tuple[str, ...]) -> tuple[str, ...]:
        """Return the command without oomtop's own protection, which children would inherit."""
        guard = self._app.self_guard
        return argv if guard is None else guard.child_command(argv)

    def _target(self) -> ProcessId | None:
        targets = self._app.tab.targets()
        if not targets:
            self._app.remark(_NOBODY)
            return None
        return targets[0]

    def _reason_against(self, tool: DeepTool, identity: ProcessId) -> str | None:
        """Return why the tool cannot be opened; the last check is that the pid is still this process."""
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

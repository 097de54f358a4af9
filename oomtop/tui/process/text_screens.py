"""Text screens as in htop: environment, open files, full command of one process."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType

from oomtop.frozen import frozen
from oomtop.host.environ import read_arguments, read_environ
from oomtop.host.open_files import OpenFile, read_open_files
from oomtop.host.process import ProcessId
from oomtop.host.process_details import read_process_details
from oomtop.host.root import Root
from oomtop.tui.base.session import State
from oomtop.tui.base.slow_read import Answer, ask
from oomtop.tui.style.palette import Look
from oomtop.tui.style.text import Text
from oomtop.tui.widgets.line_view import LineView
from oomtop.tui.widgets.text_block import Sheet
from oomtop.tui.widgets.text_screen import TextScreen
from oomtop.units import DASH, format_bytes, printable

Lines = list[Text]


@frozen
class TextSource:
    """A text about a process: its title and how to read it."""

    title: str
    read: Callable[[Root, ProcessId], Callable[[Look], Lines]]
    """Performs the slow read and returns the function that draws the lines."""


class ReadingScreen(TextScreen):
    """One text about one process."""

    KEYS = (("Esc", "Back"), ("/", "Search"), ("\\", "Filter"), ("m", "Read again"), ("k", "Kill"))
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "back", "Back", id="reading.back"),
        Binding("m,f5", "again", "Read again", id="reading.again"),
    ]

    def __init__(self, state: State, look: Look, identity: ProcessId, title: str, reading: TextSource) -> None:
        super().__init__(state, look, name="reading")
        self._identity = identity
        self._title = title
        self._reading = reading
        self._note = "reading"

    def on_mount(self) -> None:
        """Start to read."""
        super().on_mount()
        self.action_again()

    @property
    def subject(self) -> object:
        """Return the process and the kind of text."""
        return self._identity, self._reading.title

    def targets(self) -> tuple[ProcessId, ...]:
        """Return the process."""
        return (self._identity,)

    def targets_title(self) -> str:
        """Return the description of the process when the screen opened."""
        return self._title

    def copies(self) -> tuple[tuple[str, str], ...]:
        """Return the lines that are shown."""
        return (("text", self.view.text),)

    def action_again(self) -> None:
        """Read once more."""
        reading, identity = self._reading, self._identity
        ask(self, self.state.slow, lambda: reading.read(Root(), identity), self._take, "reading")

    def _take(self, answer: Answer[Callable[[Look], Lines]]) -> None:
        """An answer may come while the screen is being closed, so nothing is looked for that must be there."""
        self._note = answer.note
        for view in self.query(LineView):
            if answer.value is not None:
                view.set_lines(answer.value(self.look))
        for sheet in self.query(Sheet):
            sheet.update()

    def heading(self, width: int) -> Lines:
        """Return the title, a note and the process."""
        line = Text(f" {self._reading.title} ", self.look.style("accent", bold=True) or "bold")
        if self._note:
            line.append(f" {printable(self._note)} ", self.look.style("warn", bold=True))
        return [line.append(f" {printable(self._title)}")]


def _environment(root: Root, identity: ProcessId) -> Callable[[Look], Lines]:
    words = read_environ(root, identity)

    def draw(look: Look) -> Lines:
        lines = [Text(" as of its exec; later changes by the program are not included", look.style("dim"))]
        if not words:
            lines.append(Text(" none", look.style("dim")))
        for word in words:
            name, sign, value = word.partition("=")
            lines.append(Text(printable(name), look.style("accent", bold=True)).append(printable(sign + value), "none"))
        return lines

    return draw


def _command(root: Root, identity: ProcessId) -> Callable[[Look], Lines]:
    arguments, details = read_arguments(root, identity), read_process_details(root, identity)

    def draw(look: Look) -> Lines:
        lines = [
            Text(f"{label:7}", look.style("dim")).append(printable(value or DASH), "none")
            for label, value in (("exe", details.exe), ("cwd", details.cwd), ("root", details.root))
        ]
        for at, argument in enumerate(arguments):
            lines.append(Text(f"{at:6} ", look.style("dim")).append(printable(argument), "none"))
        return lines if arguments else [*lines, Text(" no arguments: a kernel thread or a zombie")]

    return draw


def _files(root: Root, identity: ProcessId) -> Callable[[Look], Lines]:
    found = read_open_files(root, identity)

    def draw(look: Look) -> Lines:
        held = sum(file.allocated or 0 for file in found.files if file.in_memory and file.deleted)
        note = f" {len(found.files)} open; files in memory (tmpfs, memfd) hold {format_bytes(found.in_memory)}"
        lines = [Text(note), Text(f" {'fd':>6} {'kind':6} {'length':>6} {'real':>6}  name", "bold")]
        if held:
            lines[0].append(f", {format_bytes(held)} of it in deleted files", look.style("warn", bold=True))
        lines += [_file(file, look) for file in _sorted(found.files)]
        if found.more:
            lines.append(Text(f" and {found.more} more", look.style("dim")))
        return lines

    return draw


def _sorted(files: Sequence[OpenFile]) -> list[OpenFile]:
    """Sort files in memory first, largest at the top, then by number."""
    return sorted(
        files, key=lambda file: (not file.in_memory, -(file.allocated or 0) if file.in_memory else 0, file.fd)
    )


def _file(file: OpenFile, look: Look) -> Text:
    sizes = f"{format_bytes(file.size):>6} {format_bytes(file.allocated):>6}"
    line = Text(f" {file.fd:>6} {file.kind:6} {sizes}  {printable(file.target)}")
    if file.in_memory:
        line.stylize(look.style("warn", bold=file.deleted))
        line.append("  in memory")
    return line


READINGS: dict[str, TextSource] = {
    "environment": TextSource("Environment", _environment),
    "files": TextSource("Open files", _files),
    "command": TextSource("Command", _command),
}
"""The screens of the keys e, l and w."""

"""Messages from the sampling thread and widgets to the app."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.message import Message

from oomtop.analysis.model.assessment import Assessment, ProcessRow
from oomtop.snapshot import Snapshot

if TYPE_CHECKING:
    from oomtop.actions.base.plan import Outcome, Plan
    from oomtop.actions.base.undo import UndoStep
    from oomtop.analysis.inspect.tools import DeepTool
    from oomtop.host.process import ProcessId


class NewAssessment(Message):
    """A tick was sampled and assessed."""

    def __init__(self, assessment: Assessment, snapshot: Snapshot) -> None:
        super().__init__()
        self.assessment = assessment
        self.snapshot = snapshot


class SourceEnded(Message):
    """There are no more ticks, and why, if it was an error."""

    def __init__(self, problem: str | None, is_own: bool = True) -> None:
        super().__init__()
        self.problem = problem
        self.is_own = is_own
        """Whether this is the source the program started with, not a recording opened over it."""


class Told(Message):
    """A line for the event pane, from any thread, optionally with the terminal bell."""

    def __init__(self, text: str, bell: bool = False) -> None:
        super().__init__()
        self.text = text
        self.bell = bell


class ActionProgress(Message):
    """Progress of a running action."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class ActionEnded(Message):
    """An action was performed."""

    def __init__(self, plan: Plan, outcome: Outcome, undone: UndoStep | None = None) -> None:
        super().__init__()
        self.plan = plan
        self.outcome = outcome
        self.undone = undone
        """The step it undid, None if it was not an undo."""


class RowSelected(Message):
    """The cursor of the process table moved to another process, or to none."""

    def __init__(self, row: ProcessRow | None) -> None:
        super().__init__()
        self.row = row


class AimMoved(Message):
    """The action keys act on something else than before: the cursor or the tags moved, or a pid is being typed."""


class TotalsShown(Message):
    """The process table shows totals of several processes, or no longer does."""

    def __init__(self, shown: bool) -> None:
        super().__init__()
        self.shown = shown


class RowActivated(Message):
    """Enter or a double click on a process."""

    def __init__(self, row: ProcessRow) -> None:
        super().__init__()
        self.row = row


class ToolChosen(Message):
    """A tool was chosen for a process."""

    def __init__(self, tool: DeepTool, identity: ProcessId) -> None:
        super().__init__()
        self.tool = tool
        self.identity = identity

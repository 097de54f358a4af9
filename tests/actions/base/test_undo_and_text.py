from oomtop.actions.base.plan import Outcome, Plan, Status, Target
from oomtop.actions.base.requests import DropCachesRequest
from oomtop.actions.base.undo import UndoStack
from oomtop.host.process import ProcessId
from oomtop.render.plan import describe, describe_outcome
from tests.actions.children import identity


def test_the_last_reversible_action_is_on_top() -> None:
    stack = UndoStack()
    assert stack.top is None
    stack = stack.with_outcome(Outcome("a", Status.DONE, "one", undo=DropCachesRequest(1)))
    stack = stack.with_outcome(Outcome("b", Status.DONE, "two"))
    assert stack.top is not None
    assert stack.top.summary == "one"
    assert stack.without(stack.top).top is None


def test_what_could_not_be_taken_back_goes_below_the_others() -> None:
    stack = UndoStack()
    for name in ("one", "two", "three"):
        stack = stack.with_outcome(Outcome("a", Status.DONE, name, undo=DropCachesRequest(1)))
    assert [step.summary for step in stack.set_aside(stack.steps[2]).steps] == ["three", "one", "two"]
    assert (
        stack.set_aside(UndoStack().with_outcome(Outcome("a", Status.DONE, "x", undo=DropCachesRequest(1))).steps[0])
        is stack
    )


def test_the_stack_is_bounded() -> None:
    stack = UndoStack()
    for number in range(200):
        stack = stack.with_outcome(Outcome("a", Status.DONE, str(number), undo=DropCachesRequest(1)))
    assert len(stack.steps) == 50
    assert stack.steps[-1].summary == "199"


def test_a_hostile_name_is_plain_text() -> None:
    target = Target(ProcessId(7, 1), "\x1b[31mevil\n", "rm\t\u202e-rf", "root", None, 4096, None)
    text = describe(Plan("kill", "Send SIGTERM to 7", ("step",), (target,), warnings=("careful",)))
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert text.splitlines()[1].startswith("  7  ?[31mevil")
    assert text.splitlines()[-1] == "warning: careful"


def test_a_refused_plan_shows_no_steps() -> None:
    text = describe(Plan("kill", "Send SIGTERM to 1", ("never",), refusal="pid 1"))
    assert text == "Send SIGTERM to 1\nrefused: pid 1"


def test_many_targets_are_counted() -> None:
    target = Target(identity(1), "x", None, "root", None, 0, None)
    assert "and 88 more" in describe(Plan("kill", "t", (), (target,) * 100))


def test_an_outcome_with_its_details() -> None:
    assert describe_outcome(Outcome("kill", Status.PARTLY, "of 2", ("one\x1b",))) == "partly: of 2\n  one?"

"""The key `A`: what can be armed on a danger, and that it is carried out or given up once."""

import threading
from collections.abc import Callable

from oomtop.actions.base.plan import Outcome, Plan
from oomtop.actions.base.requests import FreezeRequest, KillRequest, LimitRequest
from oomtop.analysis.model.danger import DangerKind, Remedy
from oomtop.sources.sampler import Sampler
from oomtop.tui.actions.arming import ArmedAction, arm_choices
from oomtop.units import GIB, MIB
from tests.tui.factories import make_danger, make_process, make_row

ROWS = (make_row(make_process(11289, "oomtop-leak", rss=129 * MIB, cgroup="/web")),)


def test_what_can_be_armed_on_a_group() -> None:
    words, requests = zip(*arm_choices(make_danger(rows=ROWS)), strict=True)
    assert words == ("SIGTERM to 11289 oomtop-leak", "freeze 11289 oomtop-leak", "raise the limit by 100M")
    assert [type(request) for request in requests] == [KillRequest, FreezeRequest, LimitRequest]
    assert requests[2].size == 400 * MIB


def test_swap_is_not_armed() -> None:
    danger = make_danger("RAM", kind=DangerKind.MACHINE, remedies=(Remedy("swap", None, GIB, None),))
    assert arm_choices(danger) == []


class Prepared:
    plan = Plan("freeze", "Send SIGSTOP to 1", ())
    closed = False

    def perform(self, report: Callable[[str], object]) -> Outcome:
        raise AssertionError("nothing is to be done")

    def close(self) -> None:
        self.closed = True


def test_told_to_end_it_is_given_up_once() -> None:
    sampler = Sampler()
    facts = sampler.sample()
    sampler.close()
    ended, reasons, acted = threading.Event(), list[str](), list[object]()
    prepared = Prepared()
    danger = make_danger("RAM", kind=DangerKind.MACHINE, limit=1 << 50)
    action = ArmedAction(prepared, danger, facts, acted.append, lambda reason: (reasons.append(reason), ended.set()))
    action.start()
    action.disarm()
    assert ended.wait(20)
    assert (reasons, acted, prepared.closed) == (["told to end"], [], True)

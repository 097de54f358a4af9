"""Names of users come when they come; numbers are there at once."""

import threading

import pytest

from oomtop.host import user_names
from oomtop.host.user_names import UserNames, user_name


def test_a_quick_answer_is_there_in_the_same_call() -> None:
    names = UserNames(lambda uid: f"user{uid}")
    assert dict(names.names({0, 7}, patience=10.0)) == {0: "user0", 7: "user7"}


def test_a_slow_answer_holds_up_nobody_and_comes_later() -> None:
    gate = threading.Event()
    names = UserNames(lambda uid: "late" if uid and gate.wait() else "root")
    assert (5, "late") not in names.names({0, 5})
    assert (5, "late") not in names.names({0, 5, 6})
    gate.set()
    while len(names.names({0, 5, 6})) < 3:
        gate.wait(0.001)
    assert dict(names.names({5})) == {0: "root", 5: "late", 6: "late"}


def test_each_user_is_asked_for_once() -> None:
    asked = []
    names = UserNames(lambda uid: asked.append(uid) or str(uid))
    for _ in range(3):
        names.names({1, 2}, patience=10.0)
    assert sorted(asked) == [1, 2]


def test_lookups_that_hang_do_not_keep_the_others_waiting_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(user_names, "DEADLINE", 0.0)
    never = threading.Event()
    names = UserNames(lambda uid: str(never.wait()) if uid < 4 else f"user{uid}")
    names.names(range(4))
    while dict(names.names({9})).get(9) != "user9":
        never.wait(0.001)
    assert names.overdue == 4
    never.set()


def test_without_a_further_thread_the_number_stays_and_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    names = UserNames(lambda uid: f"user{uid}")
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", lambda thread: (_ for _ in ()).throw(RuntimeError("no more")))
        assert names.names({3}) == ()
    while not names.names({3}):
        threading.Event().wait(0.001)
    assert dict(names.names({3})) == {3: "user3"}


def test_a_number_without_a_name_is_its_own_name() -> None:
    assert user_name(4_000_000_000) == "4000000000"
    assert user_name(-2) == "-2"


def test_a_name_service_that_hangs_is_not_waited_for() -> None:
    never = threading.Event()
    assert user_names.answer_soon(lambda: str(never.wait()), "otherwise", seconds=0.01) == "otherwise"
    never.set()
    assert user_names.answer_soon(lambda: {"known": "x"}["unknown"], "otherwise") == "otherwise"


def test_home_is_that_of_the_environment_or_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/somewhere")
    assert user_names.home_folder() == "/somewhere"
    monkeypatch.delenv("HOME")
    assert user_names.home_folder().startswith("/")

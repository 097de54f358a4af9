"""`@frozen` behaves as a frozen slotted dataclass does."""

import copy
import dataclasses
import pickle
import subprocess
import sys
from collections.abc import Callable

import pytest

from oomtop.frozen import field, frozen, replace, slotted


@frozen
class Point:
    """Two numbers, a label that does not count, and a list of its own."""

    x: int
    y: int = 2
    label: str = field(default="", compare=False)
    seen: list[int] = field(default_factory=list)

    @property
    def sum(self) -> int:
        return self.x + self.y


@frozen
class Named(Point):
    """A point with one field more."""

    name: str = "n"


@frozen
class Empty:
    """Nothing."""


def test_fields_by_place_name_and_default() -> None:
    point = Point(1, y=3)
    assert (point.x, point.y, point.label, point.seen, point.sum) == (1, 3, "", [], 4)
    assert Point(1).seen is not Point(1).seen
    assert Named(1, name="a").name == "a"
    with pytest.raises(TypeError, match=r"Point\.__init__\(\) missing 1 required positional argument: 'x'"):
        Point()  # type: ignore[call-arg]


def test_the_first_instances_are_made_as_the_later_ones_are() -> None:
    @frozen
    class Fresh:
        """As `Point`, but nothing has made one yet."""

        x: int
        y: int = 2
        seen: list[int] = field(default_factory=list)

    # Some of the arguments are wrong.
    make: Callable[..., Fresh] = Fresh
    makers = (
        lambda: make(1), lambda: make(1, 5, [6]), lambda: make(x=1, seen=[7]), lambda: make(1, 2, [3], 4),
        lambda: make(y=1), lambda: make(1, x=1), lambda: make(1, z=1),
    )  # fmt: skip

    def outcome(maker: Callable[[], Fresh]) -> str | tuple[int, int, list[int]]:
        try:
            made = maker()
        except TypeError as error:
            return str(error)
        return made.x, made.y, made.seen

    first = [outcome(maker) for maker in makers]
    assert first[:3] == [(1, 2, []), (1, 5, [6]), (1, 2, [7])]
    for _ in range(10):
        assert [outcome(maker) for maker in makers] == first
    assert Fresh(1).seen is not Fresh(1).seen


def test_nothing_can_be_set_removed_or_added() -> None:
    point = Point(1)
    for name in ("x", "other"):
        with pytest.raises(dataclasses.FrozenInstanceError, match=name):
            setattr(point, name, 5)
    with pytest.raises(dataclasses.FrozenInstanceError):
        del point.x
    assert not hasattr(point, "__dict__")


def test_equal_by_its_class_and_what_counts() -> None:
    assert Point(1, 2, "a") == Point(1, 2, "b")
    assert Point(1) != Point(2)
    assert Named(1) != Point(1)
    like_it: object = (1, 2, [])
    assert Point(1) != like_it
    assert Empty() == Empty()
    assert hash(Empty()) == hash(Empty())
    one: Callable[[int], object] = frozen(type("One", (), {"__annotations__": {"x": "int"}, "__doc__": "One."}))
    assert {one(1): "kept"}[one(1)] == "kept"


def test_what_the_standard_library_does_with_dataclasses() -> None:
    point = Point(1, seen=[4])
    # Asked of an object: the answer for a class narrows it to what knows no fields.
    made: object = Point
    assert dataclasses.is_dataclass(made)
    assert [field.name for field in dataclasses.fields(Named)] == ["x", "y", "label", "seen", "name"]
    assert dataclasses.replace(point, y=9) == replace(point, y=9) == Point(1, 9, seen=[4])
    assert dataclasses.asdict(point) == {"x": 1, "y": 2, "label": "", "seen": [4]}
    assert copy.copy(point) == copy.deepcopy(point) == pickle.loads(pickle.dumps(point)) == point
    assert repr(point) == "Point(x=1, y=2, label='', seen=[4])"
    match point:
        case Point(x, y):
            assert (x, y) == (1, 2)


def test_a_copy_with_other_values_knows_its_fields() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'z'"):
        replace(Point(1), z=2)  # type: ignore[call-arg]
    assert replace(Empty()) == Empty()
    assert replace(Named(1, name="a"), label="b").label == "b"


@slotted
class Counter:
    """What can be set."""

    count: int = 0
    seen: list[int] = field(default_factory=list)


def test_a_slotted_record_can_be_set_but_not_hashed() -> None:
    counter = Counter(1)
    counter.count += 1
    assert counter == Counter(2)
    assert Counter().seen is not Counter().seen
    assert not hasattr(counter, "__dict__")
    with pytest.raises(TypeError, match="unhashable"):
        hash(counter)


def test_records_are_made_without_the_module_of_dataclasses() -> None:
    code = "import sys, oomtop.frozen; print({'dataclasses', 'inspect'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_ctrl_c_while_a_constructor_is_made_can_be_caught() -> None:
    # Python ends by SIGINT, in spite of the `except`, once KeyboardInterrupt came out of an `exec` of text.
    code = """
import sys
from oomtop.frozen import frozen

@frozen
class Point:
    x: int

def interrupt(frame, event, _):
    if event == "call" and frame.f_code.co_name == "<module>":
        raise KeyboardInterrupt

caught = 0
sys.setprofile(interrupt)
try:
    for x in range(100):
        Point(x)
except KeyboardInterrupt:
    caught = 1
sys.setprofile(None)
print(caught)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "1\n"), done.stderr

"""The Events tab and the post-mortem screen: newest first, the cursor stays, hostile names are inert."""

from io import BytesIO
from pathlib import Path

import pytest
from textual.app import App

from oomtop.oomlog import log_files
from oomtop.oomlog.event import OomEvent
from oomtop.oomlog.evidence import Evidence
from oomtop.oomlog.log_files import read_stream
from oomtop.oomlog.scan import scan_lines
from oomtop.tui.base.session import State
from oomtop.tui.events.list import EventList
from oomtop.tui.events.post_mortem import PostMortemScreen
from oomtop.tui.events.screen import EventsScreen
from oomtop.tui.style.palette import Look
from oomtop.tui.widgets.text_block import Sheet
from oomtop.tui.widgets.text_screen import TextScreen
from tests.present import present
from tests.tui.factories import make_assessment
from tests.tui.pilot import on_top

LOGS = Path(__file__).parents[2] / "fixtures" / "events"
SIZES = [(80, 24), (120, 40), (200, 60)]


def read(name: str) -> tuple[OomEvent, ...]:
    return tuple(scan_lines((LOGS / f"{name}.log").read_text().splitlines(), name))


def kill(pid: int, name: str = "stress", time: str = "2026-11-24T10:00:00Z") -> OomEvent:
    line = (
        f"{time} host kernel: Out of memory: Killed process {pid} ({name}) total-vm:100kB, anon-rss:64kB, file-rss:0kB"
    )
    return next(iter(scan_lines([line], "kern.log")))


class Stage(App[None]):
    """Nothing but one screen."""

    def __init__(self, *live: OomEvent) -> None:
        super().__init__()
        self.tab = EventsScreen(State("root"), Look())
        self.tab.assessment = make_assessment(events=live, time=1_795_600_000.0)

    def on_mount(self) -> None:
        self.push_screen(self.tab)


@pytest.fixture(autouse=True)
def no_logs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_files, "read_journal", lambda since=None: Evidence())
    monkeypatch.setattr(log_files, "read_machine_logs", lambda folder="/var/log", since=None: Evidence())


def text(app: Stage) -> str:
    return "\n".join("".join(segment.text for segment in app.tab.view.render_line(y)) for y in range(20))


@pytest.mark.parametrize("size", SIZES)
async def test_events_stand_newest_first_and_older_logs_are_added(size: tuple[int, int]) -> None:
    app = Stage(kill(3, time="2026-11-24T10:00:03Z"))
    async with app.run_test(size=size) as pilot:
        await app.workers.wait_for_complete()
        older = (kill(1), kill(2, time="2026-11-24T10:00:02Z"), kill(3, time="2026-11-24T10:00:03Z"))
        app.tab.show_older(Evidence(older))
        await pilot.pause()
        lines = [line for line in text(app).splitlines() if "kernel" in line]
        assert [line.split()[2] if line[0].isdigit() else line.split()[4] for line in lines] == ["3", "2", "1"]


async def test_enter_opens_the_post_mortem_and_escape_comes_back() -> None:
    app = Stage(*read("global"))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("enter")
        await pilot.pause()
        said = on_top(app, PostMortemScreen).view.text
        assert "WHAT RAN OUT" in said
        assert max(len(line) for line in said.splitlines()) <= 79
        await pilot.press("escape")
        await pilot.pause()
        assert app.screen is app.tab


async def test_c_copies_markdown() -> None:
    app = Stage(*read("cgroup"))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("enter")
        await pilot.pause()
        await pilot.press("c")
        assert app.clipboard.startswith("## The kernel's OOM killer killed gunpowder")


async def test_the_cursor_stays_on_its_event_when_a_newer_one_comes() -> None:
    first, second = kill(1), kill(2, time="2026-11-24T10:05:00Z")
    app = Stage(second, first)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("down")
        app.tab.assessment = make_assessment(events=(kill(9, time="2026-11-24T10:09:00Z"), second, first), time=1e9)
        await pilot.pause()
        assert present(present(app.tab.event()).victim).pid == 1


async def test_a_hostile_name_is_inert() -> None:
    app = Stage(kill(7, name="a\x1b[31m[bold]b\u202ec"))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "\x1b" not in text(app)
        assert "\u202e" not in text(app)
        assert "[bold]" in text(app)


async def test_without_events_it_says_what_would_appear() -> None:
    app = Stage()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert "/dev/kmsg" in app.tab.query_one("#events-head", Sheet).text
        await pilot.press("enter", "down", "end")


async def test_a_log_that_cannot_be_read_is_named() -> None:
    app = Stage()
    async with app.run_test(size=(80, 24)) as pilot:
        await app.workers.wait_for_complete()
        app.tab.show_older(Evidence(), ["/var/log/kern.log: Permission denied", "journal: x"])
        await pilot.pause()
        assert "/var/log/kern.log: Permission denied (+1 more)" in app.tab.query_one("#events-head", Sheet).text


async def test_search_goes_to_the_next_event_with_the_text() -> None:
    app = Stage(kill(2, "java", "2026-11-24T10:05:00Z"), kill(1, "nginx"))
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert app.tab.query_one(EventList).find("nginx")
        assert present(present(app.tab.event()).victim).name == "nginx"


@pytest.mark.parametrize("size", SIZES)
async def test_what_others_mention_is_a_class_of_its_own(size: tuple[int, int]) -> None:
    log = [
        "2026-11-24T10:00:00Z host systemd[1]: db.service: A process of this unit has been killed by the OOM killer.",
        "2026-11-24T09:00:00Z host kernel: Out of memory: Killed process 7 (nginx) total-vm:9kB, anon-rss:8kB, file-rss:0kB",
        "2026-11-24T09:00:00Z host systemd[1]: web.service: A process of this unit has been killed by the OOM killer.",
    ]
    app = Stage()
    async with app.run_test(size=size) as pilot:
        await app.workers.wait_for_complete()
        app.tab.show_older(read_stream(BytesIO("\n".join(log).encode()), "kern.log"))
        await pilot.pause()
        first, second = text(app).splitlines()[:2]
        assert "systemd*" in first
        assert "db.service" in first
        assert "nginx" in second
        assert "1 OOM event" in app.tab.query_one("#events-head", Sheet).text
        assert "1 mention" in app.tab.query_one("#events-head", Sheet).text
        await pilot.press("enter")
        said = on_top(app, TextScreen).view.text
        assert "a process of db.service was killed" in said
        assert "journalctl -k --since" in said.replace("\n", " ")
        await pilot.press("escape", "down", "enter")
        assert "web.service" in on_top(app, TextScreen).view.text


async def test_a_row_beside_the_bar_for_scrolling_ends_in_a_sign() -> None:
    app = Stage(*(kill(number, "a-long-name-here") for number in range(60)))
    async with app.run_test(size=(60, 20)) as pilot:
        await pilot.pause()
        view = app.tab.view
        assert view.scrollable_content_region.width == 59
        assert all(view.draw_row(at, 60).cell_len <= 59 for at in range(60))

"""The Kernel tab: every size, the cursor and the page, a machine that tells little, names that mean harm."""

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from oomtop.analysis.model.assessment import Assessment
from oomtop.host.buddyinfo import BuddyZone
from oomtop.host.hugepages import HugePool
from oomtop.host.kernel_facts import KernelFacts
from oomtop.host.meminfo import Meminfo
from oomtop.host.slabinfo import Slab
from oomtop.host.swaps import SwapDevice, Zram, Zswap
from oomtop.host.sysctl import FILES
from oomtop.host.zoneinfo import Zone
from oomtop.snapshot import Tick
from oomtop.sources.sampler import Sampler
from oomtop.tui.actions.dialogs import AskDialog
from oomtop.tui.base.session import State
from oomtop.tui.kernel.screen import KernelPage, KernelScreen
from oomtop.tui.shell.app import OomtopApp, Options
from oomtop.tui.style.palette import Look
from oomtop.tui.widgets.text_block import Sheet
from oomtop.units import GIB, MIB
from tests.present import present
from tests.tui.factories import make_assessment
from tests.tui.pilot import Stage, on_top, settled

HOSTILE = "/swap\x1b[31m[bold]x[/bold]\nfile"
SETTINGS = tuple((name, "[always] madvise never" if "thp" in name else "1") for name, _ in FILES)


class OneSample:
    """One real sample; `with_slabs` is what the app asks for."""

    def __init__(self) -> None:
        self._end = threading.Event()
        self._sampler = Sampler()

    def ticks(self) -> Iterator[Tick]:
        yield Tick(self._sampler.sample())
        self._end.wait()
        self._sampler.close()

    def close(self) -> None:
        self._end.set()


def rich_assessment() -> Assessment:
    """A machine with everything: swap of three kinds, pools of huge pages, slab caches, low zones."""
    plain = make_assessment()
    slabs = tuple(Slab(f"cache{n}\x1b[2J", 100, 512, (40 - n) * MIB) for n in range(40))
    return replace(
        plain,
        kernel=KernelFacts(
            SETTINGS,
            (BuddyZone(0, "DMA", (0,) * 11), BuddyZone(0, "Normal", (123456, 5, 4, 3, 2, 1, 0, 0, 0, 0, 7))),
            slabs,
            (HugePool(2 * MIB, 1000, 900, 100, 0),),
        ),
        meminfo=Meminfo(16 * GIB, 3 * GIB, slab=2 * GIB, s_unreclaim=GIB, anon_huge_pages=5 * MIB),
        zones=(Zone(0, "DMA", MIB, 2 * MIB, 3 * MIB, 4 * MIB, 15 * MIB, 16 * MIB, (0, GIB)),),
        swap=replace(
            plain.swap,
            devices=(SwapDevice(HOSTILE, "file", GIB, MIB, -2), SwapDevice("/dev/zram0", "partition", GIB, 0, 100)),
            zram=(Zram("zram0", GIB, 300 * MIB, 100 * MIB, "zstd"),),
            zswap=Zswap(True, "lzo", 20),
            zswap_pool=10 * MIB,
            zswapped=25 * MIB,
        ),
    )


def shown(screen: KernelScreen) -> str:
    return "\n".join(sheet.text for sheet in screen.query(Sheet))


def detail(screen: KernelScreen) -> str:
    return screen.query_one("#kernel-detail", Sheet).text


@pytest.mark.parametrize("size", [(40, 12), (80, 24), (120, 40), (200, 60)])
async def test_every_size_shows_everything_and_no_line_too_long(size: tuple[int, int]) -> None:
    screen = KernelScreen(State("root"), Look())
    async with Stage(screen).run_test(size=size) as pilot:
        screen.assessment = rich_assessment()
        await settled(pilot, lambda: "swappiness" in shown(screen) and "Slab" in shown(screen))
        await pilot.pause()
        text = shown(screen)
        assert "\x1b" not in text
        for sheet in screen.query(Sheet):
            assert all(len(line) <= sheet.size.width for line in sheet.text.split("\n"))
        columns = {sheet.region.x for sheet in screen.query(Sheet)}
        assert (len(columns) > 1) == (size[0] >= 160)
        if size[0] >= 80:
            assert "requests wait" in text
            assert "zram0: 300M in 100M of RAM, 3.0x with zstd" in text
            assert "zswap: 25.0M in 10.0M of RAM, 2.5x with lzo" in text
            assert "1000 in the pool, 900 free, 100 reserved, idle 1.6G" in text
            assert "too fragmented for order 3" in text


async def test_down_moves_the_cursor_to_the_last_setting_and_then_the_page() -> None:
    screen = KernelScreen(State("root"), Look())
    async with Stage(screen).run_test(size=(80, 12)) as pilot:
        plain = rich_assessment()
        screen.assessment = replace(plain, kernel=replace(present(plain.kernel), settings=SETTINGS[:9]))
        await settled(pilot, lambda: screen.selected_setting() is not None)
        page = screen.query_one(KernelPage)
        await pilot.press(*["down"] * 8)
        last, top = detail(screen), page.scroll_offset.y
        assert top > 0
        await pilot.press("down", "down")
        await settled(pilot, lambda: page.scroll_offset.y == top + 2)
        assert detail(screen) == last
        await pilot.press(*["up"] * 12)
        await settled(pilot, lambda: page.scroll_offset.y == 0)
        assert detail(screen) != last


async def test_the_cursor_stays_on_the_first_setting_until_it_is_moved() -> None:
    screen = KernelScreen(State("root"), Look())
    async with Stage(screen).run_test(size=(80, 24)) as pilot:
        plain = rich_assessment()
        good = tuple((name, "67584" if name == "min_free_kbytes" else value) for name, value in SETTINGS)
        seen = []
        for settings in (good, SETTINGS, good):
            screen.assessment = replace(plain, kernel=replace(present(plain.kernel), settings=settings))
            await pilot.pause()
            seen.append(screen._rows[0].name)
            assert screen._cursor == seen[-1]
        assert len(set(seen)) > 1, "another setting has the gravest verdict"
        await pilot.press("down")
        moved = screen._cursor
        screen.assessment = replace(plain, kernel=replace(present(plain.kernel), settings=SETTINGS))
        await pilot.pause()
        assert screen._cursor == moved


async def test_a_setting_that_is_only_shown_is_not_offered_for_change() -> None:
    screen = KernelScreen(State("root"), Look())
    async with Stage(screen).run_test(size=(80, 24)) as pilot:
        screen.assessment = make_assessment(
            kernel=KernelFacts((("swappiness", "0"), ("transparent_hugepage/enabled", "always [never]")))
        )
        await settled(pilot, lambda: screen.selected_setting() == "swappiness")
        assert "try 1" in detail(screen)
        await pilot.press("down")
        assert screen.selected_setting() is None
        assert "read-only here" in detail(screen)


async def test_a_click_selects() -> None:
    screen = KernelScreen(State("root"), Look())
    async with Stage(screen).run_test(size=(80, 24)) as pilot:
        screen.assessment = make_assessment(kernel=KernelFacts((("swappiness", "60"), ("panic_on_oom", "0"))))
        await settled(pilot, lambda: screen.selected_setting() == "swappiness")
        await pilot.click("#kernel-settings", offset=(5, 2))
        assert screen.selected_setting() == "panic_on_oom"


async def test_a_machine_that_tells_nothing() -> None:
    screen = KernelScreen(State("unprivileged"), Look(ascii=True))
    async with Stage(screen).run_test(size=(80, 24)) as pilot:
        screen.assessment = make_assessment()
        await settled(pilot, lambda: "cannot be read" in shown(screen))
        assert screen.selected_setting() is None
        assert "only root can read /proc/slabinfo" in shown(screen)
        assert shown(screen).isascii()
        await pilot.press("down", "up", "end", "home")


async def test_tab_opens_it_on_this_machine_and_y_asks_for_a_value() -> None:
    app = OomtopApp(OneSample(), Options(interval=60))
    async with app.run_test(size=(80, 24)) as pilot:
        await settled(pilot, lambda: bool(app.dashboard.table.lines))
        await pilot.press("shift+tab")
        await settled(pilot, lambda: isinstance(app.screen, KernelScreen) and "swappiness" in shown(app.screen))
        name = on_top(app, KernelScreen).selected_setting()
        assert name is not None
        await pilot.press("enter")
        await settled(pilot, lambda: isinstance(app.screen, AskDialog))
        await pilot.press("escape")
        await settled(pilot, lambda: isinstance(app.screen, KernelScreen))
        await pilot.press("tab")
        await settled(pilot, lambda: app.screen.name == "processes-tab")

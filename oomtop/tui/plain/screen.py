"""`PlainScreen`: paints the first picture of a start, hands it over to Textual, or goes on by itself."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from oomtop.errors import OomtopError
from oomtop.sources.live import LiveSource
from oomtop.tui.base.feed import Feed
from oomtop.tui.base.options import Options
from oomtop.tui.base.sampling import Sample, samples
from oomtop.tui.base.session import State, state_of
from oomtop.tui.plain.inks import Inks, is_plain_colour
from oomtop.tui.plain.picture import Picture
from oomtop.tui.style.palette import has_colour, make_look
from oomtop.tui.style.text import Text
from oomtop.tui.style.theme_file import DEFAULT, read_theme
from oomtop.tui.terminal.plain_terminal import PlainTerminal

if TYPE_CHECKING:
    from oomtop.selfguard import SelfGuard

_LEAST_LINES = 8
"""On fewer Textual scrolls."""
_FIRST_SECONDS = 1.0
"""Seconds until the second tick, which reads the kernel log: that loads modules for 20 ms."""
_GONE = 128 + signal.SIGHUP


class PlainScreen:
    """The first tab, drawn with terminal escape sequences, without Textual."""

    def __init__(self, source: LiveSource, options: Options, begun: State | None = None) -> None:
        self.source = source
        self.options = options
        self.state = begun or state_of(options)
        self.terminal = PlainTerminal()
        self._samples: Iterator[Sample] = samples(source, options.alerts, self.tell)
        self.latest: Sample | None = None
        self.shown: Sample | None = None
        """The sample that the lines on the terminal show."""
        self._lines: Sequence[str] = ()
        self.feed: Feed | None = None
        self._is_to_ring = False
        self.guard: SelfGuard | None = None
        """What protects the program so far."""
        self.listener: Callable[[str, bool], object] | None = None
        """The receiver of remarks once another screen shows them."""
        self._is_true = True
        """Whether the picture is what Textual is going to paint."""
        self.picture = self._make_picture()

    def _make_picture(self) -> Picture:
        try:
            theme = read_theme(self.options.theme or DEFAULT if has_colour() else DEFAULT, is_plain_colour)
        except OomtopError:
            # Textual knows more kinds of colours, or reports the mistake.
            self._is_true, theme = False, read_theme(DEFAULT, is_plain_colour)
        look = make_look(self.options.ascii, theme.palette)
        inks = Inks(theme, look)
        self._is_true = self._is_true and inks.is_whole
        return Picture(self.options, self.state, look, inks)

    def tell(self, text: str, bell: bool = False) -> None:
        """Put a line into the event pane of the present screen."""
        if self.listener is not None:
            self.listener(text, bell)
            return
        # The first tick is told before the terminal is taken.
        self._is_to_ring = self._is_to_ring or bell
        self.state.add_remark(text)

    def open(self) -> None:
        """Take the first tick and paint it.

        Raises:
            OomtopError: a file that cannot be done without cannot be read.
        """
        self.latest = next(self._samples)
        if self._is_true and self.terminal.size()[1] >= _LEAST_LINES:
            self._take_terminal()
            self.paint()

    @property
    def is_open(self) -> bool:
        """Whether it has the terminal."""
        return self.terminal.before is not None

    def _take_terminal(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
            signal.signal(number, _leave)
        self.terminal.open()

    def paint(self, foot: Sequence[Text] = ()) -> None:
        """Send the lines that differ; `foot` stands over the last ones."""
        if self.latest is None:
            return
        self.shown, before = self.latest, self._lines
        if self.options.alerts is not None:
            self.terminal.title.show(self.options.alerts.title(self.shown.assessment.alerts))
        self._lines = self.picture.paint(self.shown.assessment, *self.terminal.size(), foot)
        changed = "".join(line for line in self._lines if line not in before) + "\a" * self._is_to_ring
        self._is_to_ring = False
        if changed:
            self.terminal.write(f"{changed}\x1b[{self.picture.cursor + 1};1H")

    def forget(self) -> None:
        """Send all lines again: the terminal may have moved them."""
        self._lines = []

    def follow(self, take: Callable[[Sample], object]) -> None:
        """Take the next samples in a thread, and report each."""
        if self.feed is None:
            self.feed = Feed(self._begin, self.tell)
            self.feed.start(_FIRST_SECONDS)
        self.feed.hand_to(take, self._end)

    def _begin(self) -> Iterator[Sample]:
        begun, self._samples = self._samples, samples(self.source, self.options.alerts, self.tell)
        return begun

    def _end(self, problem: str | None) -> None:
        if problem is not None:
            self.tell(f"sampling failed: {problem}")

    def stay(self, error: BaseException | None = None) -> None:
        """Keep the terminal, after an error of Textual or on request."""
        if error is not None:
            from oomtop.crash import reason_of

            self.tell(f"the full screen cannot be loaded: {reason_of(error)}")
            self.picture.is_alone = True
        if not self.is_open:
            self._take_terminal()

    def close(self) -> None:
        """Restore the terminal, unless another screen has taken it over, and stop sampling."""
        self.terminal.close()
        self.source.close()
        if self.feed is not None:
            self.feed.close()


def _leave(number: int, frame: object) -> None:
    """End after a signal; if the terminal is gone there is nothing to restore."""
    if number == signal.SIGHUP or not os.isatty(0):
        os._exit(_GONE)
    raise SystemExit(0)

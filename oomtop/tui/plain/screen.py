"""`PlainScreen`: paints the first picture of a start, hands it over to Textual, or goes on by itself."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence

from oomtop.errors import OomtopError
from oomtop.sources.live import Source
from oomtop.tui.base.options import Options
from oomtop.tui.base.sampling import Sample, samples
from oomtop.tui.base.session import State, state_of
from oomtop.tui.plain.inks import Inks, is_plain_colour
from oomtop.tui.plain.picture import Picture
from oomtop.tui.style.palette import has_colour, make_look
from oomtop.tui.style.text import Text
from oomtop.tui.style.theme_file import DEFAULT, read_theme
from oomtop.tui.terminal.plain_terminal import PlainTerminal

_LEAST_LINES = 8
"""On fewer Textual scrolls."""
_GONE = 128 + signal.SIGHUP


class PlainScreen:
    """The first tab, drawn with escapes alone."""

    def __init__(self, source: Source, options: Options, begun: State | None = None) -> None:
        self.source = source
        self.options = options
        self.state = begun or state_of(options)
        self.terminal = PlainTerminal()
        self.samples: Iterator[Sample] = samples(source, options.alerts, self.tell)
        self.latest: Sample | None = None
        self.listener: Callable[[str, bool], object] | None = None
        """Who shows what there is to tell, once that is not this screen."""
        self._is_true = True
        """Whether the picture is what Textual is going to paint."""
        self.picture = self._make_picture()

    def _make_picture(self) -> Picture:
        try:
            theme = read_theme(self.options.theme or DEFAULT if has_colour() else DEFAULT, is_plain_colour)
        except OomtopError:
            # Textual knows more kinds of colours, or says what is wrong.
            self._is_true, theme = False, read_theme(DEFAULT, is_plain_colour)
        look = make_look(self.options.ascii, theme.palette)
        inks = Inks(theme, look)
        self._is_true = self._is_true and inks.is_whole
        return Picture(self.options, self.state, look, inks)

    def tell(self, text: str, bell: bool = False) -> None:
        """Put a line into the event pane of whoever shows one."""
        if self.listener is not None:
            self.listener(text, bell)
        else:
            self.state.add_remark(text)

    def open(self) -> None:
        """Take the first tick and paint it.

        Raises:
            OomtopError: a file that cannot be done without cannot be read.
        """
        self.latest = next(self.samples)
        if self._is_true and self.terminal.size()[1] >= _LEAST_LINES:
            self._take_terminal()
            self.paint()

    def _take_terminal(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
            signal.signal(number, _leave)
        self.terminal.open()

    def paint(self, foot: Sequence[Text] = ()) -> None:
        """Send all cells; `foot` stands over the last lines."""
        if self.latest is not None:
            self.terminal.write(self.picture.paint(self.latest.assessment, *self.terminal.size(), foot))

    def stay(self, error: BaseException | None = None) -> None:
        """Keep the terminal, because of an error of Textual's or as asked for."""
        if error is not None:
            from oomtop.crash import reason_of

            self.tell(f"the full screen cannot be loaded: {reason_of(error)}")
        if self.terminal.before is None:
            self._take_terminal()

    def close(self) -> None:
        """Give the terminal back, unless somebody else has it by now."""
        self.terminal.close()

    def begun(self) -> Iterator[Sample]:
        """Yield every sample, the one that was painted first."""
        if self.latest is not None:
            yield self.latest
        yield from self.samples


def _leave(number: int, frame: object) -> None:
    """End as a signal asks for; where the terminal is gone there is nothing to give back."""
    if number == signal.SIGHUP or not os.isatty(0):
        os._exit(_GONE)
    raise SystemExit(0)

"""`Answer`: the result of a slow read, which never blocks the screen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Generic, TypeVar

from textual.screen import Screen
from textual.worker import Worker

from oomtop.actions.base.errno_text import in_words
from oomtop.errors import OomtopError
from oomtop.frozen import frozen
from oomtop.host.process_folder import ProcessGone
from oomtop.sources.slow_reads import DEADLINE, SlowFacts

T = TypeVar("T")


@frozen
class Answer(Generic[T]):
    """A value, or why there is none (yet)."""

    value: T | None = None
    note: str = "reading"


def ask(
    screen: Screen[None], slow: SlowFacts, read: Callable[[], T], take: Callable[[Answer[T]], None], group: str
) -> None:
    """Start a read in a worker of `screen`, replacing an earlier one of its group; `take` gets the answer.

    After the deadline `take` gets a note, and later the value if it arrives.
    """

    async def answered() -> None:
        future = asyncio.wrap_future(slow.begin(read))
        done, _ = await asyncio.wait({future}, timeout=DEADLINE)
        if not done:
            take(Answer(None, f"no answer in {DEADLINE:g} s: the process holds its memory lock"))
            await asyncio.wait({future})
        take(_answer(future))

    work: Callable[[], Coroutine[None, None, None]] = answered
    _: Worker[None] = screen.run_worker(work, group=group, exclusive=True)


def _answer(future: asyncio.Future[T]) -> Answer[T]:
    try:
        return Answer(future.result(), "")
    except ProcessGone:
        return Answer(None, "exited")
    except PermissionError:
        return Answer(None, "not permitted: needs root or the same user")
    except OSError as error:
        return Answer(None, in_words(error))
    except OomtopError as error:
        return Answer(None, str(error))

"""Commands that run until a signal, or a failed thread, ends them."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable

from oomtop.commands.arguments import complain
from oomtop.crash import reason_of
from oomtop.errors import OomtopError
from oomtop.threads import start_thread, use_one_heap

_ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Daemon:
    """Waits for the end; a failing thread ends the program with its error, so that the service manager restarts it."""

    def __init__(self) -> None:
        """Block the signals and wait for them: a handler could run while this thread holds a lock it needs."""
        use_one_heap()
        self._problems: list[str] = []
        self._is_ending = False
        self._code = 0
        signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
        threading.excepthook = self._on_failed_thread

    def start(self, name: str, work: Callable[[], object]) -> threading.Thread:
        """Start a thread that runs `work`.

        Raises:
            OomtopError: the process cannot start another thread.
        """

        def run() -> None:
            work()
            if not self._is_ending:
                self.fail(OomtopError(f"{name} ended unexpectedly"))

        return start_thread(name, run, self.fail)

    def fail(self, error: BaseException) -> None:
        """End the program because of an error in a thread; may be called from any thread."""
        self._problems.append(reason_of(error))
        self._code = self._code or getattr(error, "exit_code", 1)
        # To the whole process, so that the waiting thread receives it.
        os.kill(os.getpid(), signal.SIGTERM)

    def _on_failed_thread(self, failed: threading.ExceptHookArgs) -> None:
        """End the program when one of oomtop's own threads fails; a client's thread ends alone."""
        if failed.exc_value is not None and failed.thread is not None and failed.thread.name.startswith("oomtop"):
            self.fail(failed.exc_value)

    def wait(self) -> None:
        """Wait for a signal or a failure."""
        signal.sigwait(_ENDING)
        self._is_ending = True

    def exit_code(self) -> int:
        """Print what failed and return the exit code."""
        for problem in self._problems:
            complain(problem)
        return self._code

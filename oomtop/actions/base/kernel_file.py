"""A kernel control file, opened when the plan is made and written when it is performed.

Opening it checks the permission without changing anything.
"""

from __future__ import annotations

import os

from oomtop.actions.base.errno_text import in_words
from oomtop.errors import ActionRefused


class KernelFile:
    """A control file open for writing."""

    def __init__(self, path: str, needs: str = "root") -> None:
        """Open `path`.

        Raises:
            ActionRefused: it is missing or not writable; `needs` says which privilege is needed.
        """
        self.path = path
        try:
            self._descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        except PermissionError as error:
            raise ActionRefused(f"{path}: {in_words(error)}; it needs {needs}") from None
        except OSError as error:
            raise ActionRefused(f"{path}: {in_words(error)}") from None

    def write(self, text: str) -> None:
        """Write the whole text in one call, as control files require.

        Raises:
            OSError: the kernel's error.
        """
        os.write(self._descriptor, text.encode())

    def close(self) -> None:
        """Close the descriptor."""
        os.close(self._descriptor)


def write_file(path: str, text: str) -> None:
    """Write the whole text to a control file in one call.

    Raises:
        OSError: the kernel's error.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, text.encode())
    finally:
        os.close(descriptor)

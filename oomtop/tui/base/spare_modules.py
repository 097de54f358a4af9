"""Keeps modules out of memory that libraries import and the monitor does not use.

ssl would take 6 MB resident and 15 ms at the start, the others 3 MB and 20 ms.
Each has a stand-in while the library is imported; whatever asks the stand-in for something gets it from the module.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from threading import get_ident
from types import ModuleType

ABSENT = ("ssl", "bz2", "lzma", "zlib")
"""asyncio and shutil work without them."""


class _Later(ModuleType):
    """A module that is loaded when something of it is used."""

    def __getattr__(self, name: str) -> object:
        # The import system asks for `__path__` and others that a module may lack.
        if name.startswith("__"):
            raise AttributeError(name)
        return self._find(name)

    def _find(self, name: str) -> object:
        return getattr(self._real(), name)

    def _real(self) -> ModuleType:
        if sys.modules.get(self.__name__) is self:
            del sys.modules[self.__name__]
        return import_module(self.__name__)


class _Functions(_Later):
    """A module of functions that are imported by name: loaded when one of them is called."""

    def _find(self, name: str) -> Callable[..., object]:
        return lambda *values, **named: getattr(self._real(), name)(*values, **named)


def _with_names_of(other: str) -> Callable[[str], ModuleType]:
    """Return what makes stand-ins for modules that export the names of another one, and more."""

    class _Same(_Later):
        def _find(self, name: str) -> object:
            known = import_module(other)
            return getattr(known, name) if hasattr(known, name) else super()._find(name)

    return _Same


def _without_help(name: str) -> ModuleType:
    """Return a stand-in for the module by which plotext attaches the text of its manual to its functions."""
    module = ModuleType(name)
    vars(module).update(documentation=None, add=lambda _: None)
    return module


STAND_INS: Mapping[str, Callable[[str], ModuleType]] = {
    "asyncio.sslproto": _Later,
    "ipaddress": _Later,
    "mimetypes": _Later,
    "platformdirs": _Functions,
    "plotext._doc": ModuleType,
    "plotext._doc_utils": _without_help,
    "textual.css._help_text": _Functions,
    # The module would load four widgets for the sake of their types.
    "textual.types": _with_names_of("textual._types"),
    "typing_extensions": _with_names_of("typing"),
}


class _Absent:
    """A finder by which one thread does not find `ABSENT`: another may read a compressed log at the same time."""

    def __init__(self) -> None:
        self._thread = get_ident()

    def find_spec(self, name: str, *_: object) -> None:
        """Raise ModuleNotFoundError for one that is to be left out; leave any other to the next finder."""
        if name in ABSENT and get_ident() == self._thread:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


@contextmanager
def without_spare_modules() -> Iterator[None]:
    """Import libraries without `ABSENT` and `STAND_INS`; a later import of one of these works as usual."""
    put = {name: make(name) for name, make in STAND_INS.items() if name not in sys.modules}
    absent = _Absent()
    sys.modules.update(put)
    sys.meta_path.insert(0, absent)
    try:
        yield
    finally:
        sys.meta_path.remove(absent)
        for name, module in put.items():
            if name in sys.modules and sys.modules[name] is module:
                del sys.modules[name]

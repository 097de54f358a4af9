"""Keeps modules out of memory that libraries import and the monitor does not use.

ssl would take 6 MB resident and 15 ms at the start, the others 3 MB and 20 ms.
Each has a stand-in while the library is imported; whatever asks the stand-in for something gets it from the module.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType

_ABSENT = ("ssl", "bz2", "lzma", "zlib")
"""asyncio and shutil work without them: None in `sys.modules` makes `import` raise ImportError."""


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


_STAND_INS: Mapping[str, Callable[[str], ModuleType]] = {
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
SPARE = (*_ABSENT, *_STAND_INS)


@contextmanager
def without_spare_modules() -> Iterator[None]:
    """Import libraries without the modules `SPARE`; a later import of one of these works as usual."""
    missing = (name for name in SPARE if name not in sys.modules)
    put = {name: _STAND_INS[name](name) if name in _STAND_INS else None for name in missing}
    sys.modules.update(put)  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name, module in put.items():
            if name in sys.modules and sys.modules[name] is module:
                del sys.modules[name]

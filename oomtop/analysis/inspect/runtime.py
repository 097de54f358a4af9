"""Detects the runtime of a process from its executable, its libraries and the sections of its file."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum


class Runtime(Enum):
    """The runtime that manages a program's memory, which decides the tools for it."""

    KERNEL = "kernel thread"
    NATIVE = "native"
    GO = "Go"
    PYTHON = "Python"
    JAVA = "Java"
    NODE = "Node.js"
    RUBY = "Ruby"
    DOTNET = ".NET"
    PHP = "PHP"
    PERL = "Perl"
    BEAM = "Erlang/Elixir"


_NAMES: tuple[tuple[Runtime, re.Pattern[str]], ...] = (
    (Runtime.JAVA, re.compile(r"java|javaw|jsvc")),
    (Runtime.PYTHON, re.compile(r"(python|pypy)[0-9.]*(-dbg|d|t)?|uwsgi.*|gunicorn.*|celery")),
    (Runtime.NODE, re.compile(r"node|nodejs|electron|npm|yarn")),
    (Runtime.RUBY, re.compile(r"ruby[0-9.]*|jruby|puma.*|unicorn.*")),
    (Runtime.DOTNET, re.compile(r"dotnet|mono(-sgen)?")),
    (Runtime.PHP, re.compile(r"php(-fpm|-cgi)?[0-9.]*|php[0-9.]+(-fpm|-cgi)?")),
    (Runtime.PERL, re.compile(r"perl[0-9.]*")),
    (Runtime.BEAM, re.compile(r"beam(\.smp)?|erl|elixir")),
)
_LIBRARIES: tuple[tuple[Runtime, re.Pattern[str]], ...] = (
    (Runtime.JAVA, re.compile(r"libjvm\.so")),
    (Runtime.DOTNET, re.compile(r"libcoreclr\.so|libmono-?.*\.so")),
    (Runtime.NODE, re.compile(r"libnode\.so.*")),
    (Runtime.RUBY, re.compile(r"libruby[-0-9.]*.*\.so.*")),
    (Runtime.PYTHON, re.compile(r"libpython[0-9.]+.*\.so.*")),
    (Runtime.PHP, re.compile(r"libphp[0-9]*.*\.so.*")),
    (Runtime.PERL, re.compile(r"libperl\.so.*")),
)
_ALLOCATORS = ("jemalloc", "tcmalloc", "mimalloc", "hoard")


def detect_runtime(
    exe: str | None, comm: str, command: str | None, mapped: Iterable[str] = (), sections: Iterable[str] = ()
) -> Runtime:
    """Return the runtime; the executable outranks libraries, which may belong to a plug-in."""
    found = _by_name(_base(exe)) if exe else None
    if found is not None:
        return found
    if ".go.buildinfo" in sections or ".gopclntab" in sections:
        return Runtime.GO
    names = {_base(path) for path in mapped}
    for runtime, pattern in _LIBRARIES:
        if any(pattern.fullmatch(name) for name in names):
            return runtime
    if any(path.startswith(("[anon: Go:", "[anon, Go heap]")) for path in mapped):
        return Runtime.GO
    if exe:
        return Runtime.NATIVE
    # Another user's process: only its name is readable.
    return _by_name(_base((command or "").partition(" ")[0])) or _by_name(comm) or Runtime.NATIVE


def detect_allocator(mapped: Iterable[str]) -> str | None:
    """Return the malloc library that replaces glibc's, if any."""
    names = [_base(path) for path in mapped]
    return next((malloc for malloc in _ALLOCATORS if any(malloc in name for name in names)), None)


def _base(path: str) -> str:
    return path.removesuffix(" (deleted)").rpartition("/")[2]


def _by_name(name: str) -> Runtime | None:
    return next((runtime for runtime, pattern in _NAMES if pattern.fullmatch(name)), None)

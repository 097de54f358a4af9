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


# (runtime, names of its executables, names of its library); the first library that is mapped decides.
_RUNTIMES = tuple(
    (runtime, re.compile(executables), re.compile(library))
    for runtime, executables, library in (
        (Runtime.JAVA, r"java|javaw|jsvc", r"libjvm\.so"),
        (Runtime.DOTNET, r"dotnet|mono(-sgen)?", r"libcoreclr\.so|libmono-?.*\.so"),
        (Runtime.NODE, r"node|nodejs|electron|npm|yarn", r"libnode\.so.*"),
        (Runtime.RUBY, r"ruby[0-9.]*|jruby|puma.*|unicorn.*", r"libruby[-0-9.]*.*\.so.*"),
        (
            Runtime.PYTHON,
            r"(python|pypy)[0-9.]*(-dbg|d|t)?|uwsgi.*|gunicorn.*|celery",
            r"libpython[0-9.]+.*\.so.*",
        ),
        (Runtime.PHP, r"php(-fpm|-cgi)?[0-9.]*|php[0-9.]+(-fpm|-cgi)?", r"libphp[0-9]*.*\.so.*"),
        (Runtime.PERL, r"perl[0-9.]*", r"libperl\.so.*"),
        (Runtime.BEAM, r"beam(\.smp)?|erl|elixir", r"(?!)"),
    )
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
    for runtime, _, library in _RUNTIMES:
        if any(library.fullmatch(name) for name in names):
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
    return next((runtime for runtime, executables, _ in _RUNTIMES if executables.fullmatch(name)), None)

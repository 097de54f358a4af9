"""The table of tools that inspect a process in depth, by runtime."""

from __future__ import annotations

from oomtop.analysis.inspect.runtime import Runtime
from oomtop.frozen import frozen

PID = "{pid}"


@frozen
class DeepTool:
    """One command to run on a process; `{pid}` in `argv` is its number."""

    argv: tuple[str, ...]
    what: str
    runtimes: frozenset[Runtime] | None = None
    """None: every runtime."""
    hint: str = ""
    """How to install it."""
    stops: bool = False
    """Whether the tool stops the process."""

    @property
    def program(self) -> str:
        """The executable to find in PATH."""
        return self.argv[0]

    def command(self, pid: int) -> tuple[str, ...]:
        """Return the command for a process."""
        return tuple(word.replace(PID, str(pid)) for word in self.argv)


_NATIVE = frozenset({Runtime.NATIVE})
_PYTHON = frozenset({Runtime.PYTHON})
_JAVA = frozenset({Runtime.JAVA})
_NODE = frozenset({Runtime.NODE})
_GO = frozenset({Runtime.GO})
_RUBY = frozenset({Runtime.RUBY})
_DOTNET = frozenset({Runtime.DOTNET})
_PHP = frozenset({Runtime.PHP})
_COMPILED = _NATIVE | _GO

TOOLS: tuple[DeepTool, ...] = (
    DeepTool(("py-spy", "dump", "--pid", PID), "what every thread is doing now", _PYTHON, "pip install py-spy"),
    DeepTool(("py-spy", "top", "--pid", PID), "where the time goes, live", _PYTHON, "pip install py-spy"),
    DeepTool(("memray", "attach", PID), "live allocations by function", _PYTHON, "pip install memray", stops=True),
    DeepTool(("jcmd", PID, "GC.class_histogram"), "objects by class (walks the heap)", _JAVA, "the JDK", stops=True),
    DeepTool(("jcmd", PID, "GC.heap_info"), "heap regions: used and committed", _JAVA, "the JDK"),
    DeepTool(("jcmd", PID, "VM.native_memory", "summary"), "memory beside the heap (needs NMT on)", _JAVA, "the JDK"),
    DeepTool(("node", "inspect", "-p", PID), "open its inspector (port 9229): heap snapshots", _NODE,
             "apt install nodejs"),
    DeepTool(("dlv", "attach", PID), "goroutines and variables", _GO,
             "go install github.com/go-delve/delve/cmd/dlv@latest", stops=True),
    DeepTool(("rbspy", "snapshot", "--pid", PID), "what it is doing now", _RUBY, "cargo install rbspy"),
    DeepTool(("rbspy", "record", "--pid", PID), "where the time goes", _RUBY, "cargo install rbspy"),
    DeepTool(("dotnet-gcdump", "report", "-p", PID), "objects by type", _DOTNET,
             "dotnet tool install -g dotnet-gcdump", stops=True),
    DeepTool(("dotnet-counters", "monitor", "-p", PID), "heap by generation, live", _DOTNET,
             "dotnet tool install -g dotnet-counters"),
    DeepTool(("phpspy", "-p", PID), "what the request is doing now", _PHP, "github.com/adsr/phpspy"),
    DeepTool(("heaptrack", "--pid", PID), "what allocates, until Ctrl-C", _NATIVE, "apt install heaptrack", stops=True),
    DeepTool(("memleak-bpfcc", "-p", PID), "allocations not freed, by stack", _COMPILED, "apt install bpfcc-tools"),
    DeepTool(("strace", "-f", "-p", PID, "-e", "trace=memory"), "every memory request to the kernel",
             None, "apt install strace"),
    DeepTool(("perf", "top", "-e", "page-faults", "-g", "-p", PID), "which functions touch new pages, live",
             _COMPILED, "apt install linux-perf"),
    DeepTool(("gdb", "-p", PID), "interactive debugger", None, "apt install gdb", stops=True),
    DeepTool(("pmap", "-X", PID), "every mapping", None, "apt install procps"),
)  # fmt: skip

STRACE = DeepTool(("strace", "-f", "-tt", "-s", "200", "-p", PID), "every system call", None, "apt install strace")
"""The tool of key `s`, as in htop."""

ADVICE: dict[Runtime, str] = {
    Runtime.NATIVE: "start it under `heaptrack` or `valgrind --leak-check=full` to find leaks",
    Runtime.GO: "with net/http/pprof: go tool pprof http://HOST:PORT/debug/pprof/heap; GOMEMLIMIT limits the heap",
    Runtime.PYTHON: "start it with `python -X tracemalloc` or under `memray run`; big arenas may be fragmentation",
    Runtime.JAVA: "-Xmx limits the heap only; for the rest: -XX:NativeMemoryTracking=summary, then VM.native_memory",
    Runtime.NODE: "--max-old-space-size limits the heap; --heapsnapshot-signal=SIGUSR2 writes a snapshot on a signal",
    Runtime.RUBY: "MALLOC_ARENA_MAX=2 or jemalloc against fragmentation; ObjectSpace.dump_all for the objects",
    Runtime.DOTNET: "DOTNET_GCHeapHardLimit limits the heap; dotnet-gcdump shows what is in it",
    Runtime.PHP: "memory_limit limits a request; pm.max_requests restarts growing workers",
    Runtime.PERL: "Devel::Size and Devel::Gladiator show its objects",
    Runtime.BEAM: "`observer_cli` or `recon:bin_leak(10)` in a remote shell shows the largest processes",
}


def tools_for(runtime: Runtime) -> tuple[DeepTool, ...]:
    """Return the tools for a runtime, the most useful first; none for a kernel thread."""
    if runtime is Runtime.KERNEL:
        return ()
    return tuple(tool for tool in TOOLS if tool.runtimes is None or runtime in tool.runtimes)

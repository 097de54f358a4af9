"""Each file that is read with root's trust, or written, goes through `trusted_file` and `atomic_file`: by the source."""

import ast
from collections.abc import Iterator
from pathlib import Path

import oomtop

PACKAGE = Path(oomtop.__file__).parent
OPENERS = {
    "open", "read_text", "read_bytes", "write_text", "write_bytes", "read_optional", "read_int", "touch", "mkstemp",
    "NamedTemporaryFile", "copy", "copyfile", "move",
}  # fmt: skip
MODULES = {
    # The two that everything else goes through.
    "host/trusted_file.py", "actions/base/atomic_file.py",
    # /proc, /sys and /dev, where nobody puts a file.
    *("host/" + name for name in (
        "root.py", "cmdline.py", "process_folder.py", "open_files.py", "process_scan.py", "process_details.py",
        "abilities.py", "group_use.py", "lineage.py",
    )),
    *("actions/" + name for name in (
        "base/kernel_file.py", "cgroup/kill.py", "drill/group.py",
        "drill/load.py", "drill/plan.py", "process/handle.py",
        "swap/zram.py", "swap/zram_device.py",
    )),
    "oomlog/journal.py", "tui/style/palette.py", "recording/psi_watch.py", "selfguard.py",
    # Swap, opened with O_EXCL or O_NOFOLLOW and looked at, each under its own rules.
    "actions/swap/file.py", "actions/swap/syscalls.py",
    # Logs: read by anybody's leave, never obeyed, and marked.
    "oomlog/log_files.py", "oomlog/scan.py", "oomlog/kernel_log.py", "oomlog/trees.py",
    # Descriptors, sockets and memory, no files.
    "cli.py", "crash.py", "exporter/access.py", "recording/audit_tail.py", "recording/damage.py",
    # The program's own themes; a user's go through `trusted_file`.
    "tui/style/theme_file.py",
}  # fmt: skip


def _opens(path: Path) -> Iterator[ast.Call]:
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call):
            continue
        function = node.func
        if isinstance(function, ast.Name) and function.id == "open":
            yield node
        if isinstance(function, ast.Attribute) and function.attr in OPENERS - {"read_optional", "read_int"}:
            owner = function.value
            is_module = isinstance(owner, ast.Name) and owner.id in (
                "os",
                "gzip",
                "lzma",
                "bz2",
                "io",
                "tempfile",
                "shutil",
            )
            if is_module or function.attr not in ("open", "copy", "touch", "move"):
                yield node


def test_only_known_modules_open_files() -> None:
    found = {str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py") if next(_opens(path), None)}
    assert found - MODULES == set(), "read through host/trusted_file.py, write through actions/base/atomic_file.py"


def test_the_list_has_no_module_that_opens_none() -> None:
    assert {name for name in MODULES if not next(_opens(PACKAGE / name), None)} == set()


def _of_disk(node: ast.expr) -> bool:
    words = [part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str)]
    return any(word.startswith(("/etc", "/var", "/home", "/run", "/usr", "~")) for word in words)


def test_no_file_of_a_disk_is_read_as_one_of_the_kernel() -> None:
    """`read_optional` and `read_int` are for /proc and /sys: they follow links and wait for a FIFO."""
    wrong = []
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", None) in ("read_optional", "read_int"):
                wrong += [f"{path.relative_to(PACKAGE)}:{node.lineno}"] if any(map(_of_disk, node.args)) else []
    assert wrong == []

"""The command line, as a user runs it."""

import json
import subprocess
import sys

PYTHON = [sys.executable, "-m", "oomtop"]


def run(*arguments, **named):
    return subprocess.run([*PYTHON, *arguments], capture_output=True, text=True, timeout=60, check=False, **named)


def test_the_command_line_loads_no_screen_library():
    code = "import sys, oomtop.cli; print([m for m in ('textual', 'rich', 'plotext') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_top_as_json_adds_up():
    data = json.loads(run("top", "--json").stdout)
    memory = data["memory"]
    names = ("anon", "shmem", "page_cache", "slab_reclaimable", "kernel", "hugetlb", "arc", "other", "free")
    assert data["schema"] == 1
    assert sum(memory[name] for name in names) == memory["total"]
    total = int(open("/proc/meminfo").readline().split()[1]) * 1024
    assert memory["total"] == total


def test_top_as_text():
    done = run("top", "-n", "3")
    assert done.returncode == 0
    assert done.stdout.startswith("Memory ")
    assert len(done.stdout.split("COMMAND\n")[1].splitlines()) == 3


def test_a_closed_pipe_is_no_traceback():
    done = subprocess.run(
        f"{sys.executable} -m oomtop top | head -1", shell=True, capture_output=True, text=True, check=False
    )
    assert done.stdout.startswith("Memory")
    assert "Traceback" not in done.stderr


def test_the_monitor_without_a_terminal_says_what_to_do():
    done = run(stdin=subprocess.DEVNULL)
    assert done.returncode == 2
    assert "oomtop top" in done.stderr


def test_a_wrong_option_names_it():
    done = run("--interval", "soon")
    assert done.returncode == 2
    assert "soon" in done.stderr

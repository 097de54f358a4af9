"""The completion scripts in the shells they are for: what they offer after a TAB."""

import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from oomtop.cli import COMMANDS, build_parser
from oomtop.completion.tree import THEMES, ValueKind, read_tree
from oomtop.tui.style.theme_file import theme_folders

SHELLS = ("bash", "zsh", "fish")


@pytest.fixture(scope="module")
def scripts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("completion")
    for shell in SHELLS:
        words = [sys.executable, "-m", "oomtop", "completion", shell]
        (folder / f"c.{shell}").write_text(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
    return folder


def need(shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not on this machine")


def bash_offers(scripts: Path, *words: str) -> list[str]:
    need("bash")
    code = f'source {scripts}/c.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _oomtop; printf "%s\\n" "${{COMPREPLY[@]}}"'
    done = subprocess.run(["bash", "--norc", "-c", code, "bash", *words], capture_output=True, text=True, check=True)
    assert not done.stderr
    return done.stdout.split()


def fish_offers(scripts: Path, line: str, home: Path) -> list[str]:
    need("fish")
    code = f"source {scripts}/c.fish; complete -C '{line}'"
    environment = {"PATH": os.environ["PATH"], "HOME": str(home)}
    done = subprocess.run(
        ["fish", "--no-config", "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert not done.stderr
    return [offer.split("\t")[0] for offer in done.stdout.splitlines()]


def typed(shell: str, arguments: list[str], lines: list[str], expected: list[str], home: Path) -> str:
    """Return what an interactive shell shows for `lines`, the last of which is not ended, once `expected` is in it."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ.update(TERM="dumb", PS1="$ ", HOME=str(home))
        os.execvp(shell, [shell, *arguments])
    for line in lines:
        os.write(terminal, line.encode())
    shown, end = b"", time.monotonic() + 15
    while time.monotonic() < end and not all(word.encode() in shown for word in expected):
        if select.select([terminal], [], [], 0.2)[0]:
            shown += os.read(terminal, 65536)
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    os.close(terminal)
    return shown.decode(errors="replace")


@pytest.mark.parametrize("shell", SHELLS)
def test_the_scripts_have_no_syntax_error(scripts: Path, shell: str) -> None:
    need(shell)
    subprocess.run([shell, "-n", f"{scripts}/c.{shell}"], check=True)


def test_every_command_and_option_of_the_parsers_is_in_every_script(scripts: Path) -> None:
    program = read_tree(build_parser())
    assert tuple(command.path[0] for command in program.commands) == COMMANDS
    for shell in SHELLS:
        text = (scripts / f"c.{shell}").read_text()
        for command in program.walk():
            for option in command.options:
                for name in option.names:
                    assert (
                        f"-l {name[2:]}" if shell == "fish" and name[:2] == "--" else name
                    ) in text or shell == "fish"
            assert not command.path or command.path[-1] in text


def test_the_themes_offered_are_those_there_are() -> None:
    own = [folder for folder in theme_folders()[1:] if folder.is_dir()]
    assert set(THEMES) == {file.name[:-5] for folder in own for file in folder.iterdir()}


def test_bash_offers_commands_options_and_values(scripts: Path) -> None:
    assert set(bash_offers(scripts, "oomtop", "")) == set(COMMANDS)
    assert bash_offers(scripts, "oomtop", "swap", "z") == ["zram"]
    assert "--persist" in bash_offers(scripts, "oomtop", "swap", "add", "--")
    assert "--persist" not in bash_offers(scripts, "oomtop", "swap", "zram", "--")
    assert bash_offers(scripts, "oomtop", "top", "--sort", "fa") == ["faults"]
    assert bash_offers(scripts, "oomtop", "top", "--sort", "=", "fa") == ["faults"]
    assert bash_offers(scripts, "oomtop", "kill", "-s", "KI") == ["KILL"]
    assert bash_offers(scripts, "oomtop", "--theme", "m") == ["mono"]
    assert str(os.getpid()) in bash_offers(scripts, "oomtop", "kill", "")
    assert all(word.isdigit() for word in bash_offers(scripts, "oomtop", "protect", ""))


def test_bash_offers_what_comes_next(scripts: Path) -> None:
    own = str(os.getpid())
    assert set(bash_offers(scripts, "oomtop", "help", "")) == set(COMMANDS)
    assert bash_offers(scripts, "oomtop", "arm", "") == ["freeze", "term", "limit"]
    for words in (("arm", "freeze"), ("arm", "--before", "5", "freeze"), ("arm", "term", "4711"), ("kill", "4711")):
        assert own in bash_offers(scripts, "oomtop", *words, ""), words
    assert bash_offers(scripts, "oomtop", "arm", "--before", "=", "5", "") == ["freeze", "term", "limit"]
    assert bash_offers(scripts, "oomtop", "completion", "bash", "") == []
    assert bash_offers(scripts, "oomtop", "sysctl", "swapp") == ["swappiness"]
    assert bash_offers(scripts, "oomtop", "sysctl", "swappiness", "") == []


def test_bash_runs_nothing_that_is_in_a_file_name(
    scripts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "$(touch ran).log").touch()
    monkeypatch.chdir(tmp_path)
    bash_offers(scripts, "oomtop", "events", "")
    assert os.listdir(tmp_path) == ["$(touch ran).log"]


def test_bash_completes_at_a_tab(scripts: Path, tmp_path: Path) -> None:
    need("bash")
    lines = [f"source {scripts}/c.bash\n", "oomtop top --sort fau\t"]
    assert "--sort faults" in typed("bash", ["--norc", "-i"], lines, ["--sort faults"], tmp_path)


def test_zsh_completes_at_a_tab(scripts: Path, tmp_path: Path) -> None:
    need("zsh")
    lines = [f"autoload -U compinit; compinit -u -D; source {scripts}/c.zsh\n", "oomtop swap add --pers\t"]
    assert "--persist" in typed("zsh", ["-f", "-i"], lines, ["--persist"], tmp_path)


def test_fish_offers_commands_options_and_values(scripts: Path, tmp_path: Path) -> None:
    assert set(fish_offers(scripts, "oomtop ", tmp_path)) >= set(COMMANDS)
    assert set(fish_offers(scripts, "oomtop swap ", tmp_path)) == {"add", "zram", "off"}
    assert fish_offers(scripts, "oomtop top --sort fa", tmp_path) == ["faults"]
    assert fish_offers(scripts, "oomtop top --sort swap --js", tmp_path) == ["--json"]
    assert fish_offers(scripts, "oomtop events --form", tmp_path) == ["--format"]


def test_fish_offers_what_comes_next(scripts: Path, tmp_path: Path) -> None:
    own = str(os.getpid())
    assert set(fish_offers(scripts, "oomtop help ", tmp_path)) == set(COMMANDS)
    assert set(fish_offers(scripts, "oomtop arm ", tmp_path)) == {"freeze", "term", "limit"}
    for line in ("arm freeze ", "arm --before 5 freeze ", "arm term 4711 ", "kill 4711 "):
        assert own in fish_offers(scripts, f"oomtop {line}", tmp_path), line
    assert fish_offers(scripts, "oomtop completion bash ", tmp_path) == []
    assert fish_offers(scripts, "oomtop sysctl swapp", tmp_path) == ["swappiness"]


def test_zsh_offers_what_comes_next(scripts: Path, tmp_path: Path) -> None:
    need("zsh")
    lines = [f"autoload -U compinit; compinit -u -D; source {scripts}/c.zsh\n", "oomtop help headr\t"]
    assert "help headroom" in typed("zsh", ["-f", "-i"], lines, ["help headroom"], tmp_path)


def test_no_word_of_the_manual_page_is_too_long_for_a_line() -> None:
    page = subprocess.run([sys.executable, "-m", "oomtop", "man"], capture_output=True, text=True, check=True).stdout
    text = re.sub(r"\\f[BIR]|\\&", "", page).replace("\\-", "-")
    assert [word for word in re.split(r"\s|\\:", text) if len(word) > 60] == []


def test_a_value_is_of_the_kind_its_placeholder_says() -> None:
    kinds = {
        (command.path, name): option.kind
        for command in read_tree(build_parser()).walk()
        for option in command.options
        for name in option.names
    }
    assert kinds[("record",), "--file"] is ValueKind.FILE
    assert kinds[("limit",), "--move"] is ValueKind.PID
    assert kinds[("kill",), "--cgroup"] is ValueKind.GROUP
    assert kinds[("protect",), "--unit"] is ValueKind.UNIT
    assert kinds[("top",), "--json"] is ValueKind.NONE

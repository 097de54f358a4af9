"""Write docs/first-minute.md: what stands on an 80x24 terminal over a real SSH session during each drill.

sshd on the loopback and tmux at this end; the program is the single file of `make zipapp`.  As root everything happens
in PID, mount and host-name namespaces of its own.
"""

from __future__ import annotations

import getpass
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "docs" / "first-minute.md"
WHERE = Path("/opt")
"""Where the program lies on the machine that is visited: an empty file system of this namespace."""
PATH = f"{WHERE}:/usr/bin:/bin"
HEAD = """# The first minute, over SSH

What stands on an 80x24 terminal when `ssh -t web-3 oomtop` is typed and something goes wrong: real sessions, a real
kernel, real drills (`oomtop drill`), taken by `make transcript`. No key was pressed but those that are named. The five
questions: how bad is it (Mem, Swap, PSI), how long (Left), who (Next, and the top of the table), what now (the line of
the finding with its key), who was killed and why (the last pictures).
"""


@dataclass(frozen=True)
class Scene:
    """A drill, how long it runs before the picture, and what is pressed then."""

    drill: str
    words: tuple[str, ...]
    seconds: float
    says: str
    keys: tuple[str, ...] = ()


SCENES = (
    Scene("leak", ("--size", "300M", "--rate", "8M"), 14.0, "A leak: 8 MB a second under a limit of 300 MB"),
    Scene("surge", ("--size", "400M", "--rate", "40M"), 7.0, "A surge: 40 MB a second under a limit of 400 MB"),
    Scene(
        "swarm",
        (
            "--size",
            "300M",
        ),
        6.0,
        "Processes without end",
    ),
    Scene("cache", ("--size", "300M", "--seconds", "12"), 8.0, "A reader of files: nothing is wrong"),
    Scene("fragment", ("--size", "300M", "--seconds", "12"), 8.0, "Memory in small pieces"),
)


def main() -> None:
    """Play all scenes and write the document."""
    if os.environ.get("OOMTOP_SCENE") != "1":
        os.environ["OOMTOP_SCENE"] = "1"
        python = os.path.relpath(sys.executable)
        words = ["unshare", "--pid", "--fork", "--mount-proc", "--mount", "--uts", python, *sys.argv]
        os.execvp("unshare", words)
    socket.sethostname("web-3")
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", WHERE], check=True)
    archive = WHERE / "oomtop"
    subprocess.run([sys.executable, ROOT / "packaging" / "zipapp" / "build.py", archive], check=True)
    parts = [HEAD]
    with tempfile.TemporaryDirectory() as folder, sshd(Path(folder)) as port:
        for scene in SCENES:
            print(scene.drill, flush=True)
            parts.append(play(scene, Path(folder), port))
        parts.append(killed(Path(folder), port))
    TARGET.write_text("\n".join(parts))


@contextmanager
def sshd(folder: Path) -> Iterator[int]:
    """Run an SSH server on the loopback that takes one key, made for it."""
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    os.makedirs("/run/sshd", exist_ok=True)
    options = (
        f"Port={port}", "ListenAddress=127.0.0.1", f"HostKey={folder}/host", f"AuthorizedKeysFile={folder}/user.pub",
        "PidFile=none", "StrictModes=no", "UsePAM=no", "PermitRootLogin=yes",
        "PrintMotd=no", "PrintLastLog=no",
    )  # fmt: skip
    words = [word for option in options for word in ("-o", option)]
    server = subprocess.Popen(["/usr/sbin/sshd", "-D", "-f", "/dev/null", *words])
    try:
        time.sleep(1.0)
        yield port
    finally:
        server.terminate()
        server.wait()


@contextmanager
def visit(folder: Path, port: int) -> Iterator[Sequence[str]]:
    """Type `ssh -t web-3 oomtop` into a terminal of 80x24, and yield what talks to that terminal."""
    terminal = ("tmux", "-f", "/dev/null", "-S", f"{folder}/tmux")
    ssh = (
        f"ssh -t -q -i {folder}/user -p {port} -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null "
        f"{getpass.getuser()}@127.0.0.1 PATH={PATH} exec oomtop"
    )
    subprocess.run([*terminal, "new-session", "-d", "-s", "s", "-x", "80", "-y", "24", ssh], check=True)
    try:
        time.sleep(6.0)
        yield terminal
    finally:
        subprocess.run([*terminal, "send-keys", "-t", "s", "q"], check=False)
        time.sleep(1.0)
        subprocess.run([*terminal, "kill-server"], check=False, stderr=subprocess.DEVNULL)


def drill(scene: Scene) -> subprocess.Popen[bytes]:
    """Start a drill as somebody else on that machine."""
    words = [WHERE / "oomtop", "drill", scene.drill, *scene.words, "--yes"]
    environ = {**os.environ, "PATH": PATH}
    return subprocess.Popen(words, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def play(scene: Scene, folder: Path, port: int) -> str:
    """Return a scene's section: the screen amid the drill."""
    with visit(folder, port) as terminal:
        running = drill(scene)
        time.sleep(scene.seconds)
        screen = screen_of(terminal)
        running.send_signal(signal.SIGTERM)
        running.wait()
    return f"## {scene.says}\n\n```text\n{screen}\n```\n"


def killed(folder: Path, port: int) -> str:
    """Return the section of a kill: the screen after it, and what Tab Tab Enter shows."""
    with visit(folder, port) as terminal:
        drill(SCENES[1]).wait()
        time.sleep(4.0)
        after = screen_of(terminal)
        for key in ("Tab", "Tab", "Enter"):
            subprocess.run([*terminal, "send-keys", "-t", "s", key], check=True)
            time.sleep(2.0)
        explained = screen_of(terminal)
    return (
        f"## It was killed\n\n```text\n{after}\n```\n\n"
        f"## Who, and why that one: Tab Tab Enter\n\n```text\n{explained}\n```\n"
    )


def screen_of(terminal: Sequence[str]) -> str:
    """Return what stands on the terminal."""
    done = subprocess.run([*terminal, "capture-pane", "-p", "-t", "s"], capture_output=True, text=True, check=True)
    return re.sub(r"[ \t]+$", "", done.stdout.rstrip(), flags=re.MULTILINE)


if __name__ == "__main__":
    main()

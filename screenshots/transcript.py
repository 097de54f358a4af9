"""Write docs/first-minute.md: what an 80x24 terminal shows over a real SSH session during each drill.

sshd on the loopback, in PID, mount and host-name namespaces of its own; tmux and ssh at this end.  The program is the
single file of `make zipapp`.  A screen is taken when it shows what the scene has to show, never after a time; a scene
whose screen does not come ends the run.
"""

from __future__ import annotations

import re
import shlex
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "docs" / "first-minute.md"
PATIENCE = 60.0
"""Seconds that a screen may take to show what it has to."""
USER = "ada"
# What the visited machine has of its own: a name, the program, a user without privileges, empty homes and logs.
MACHINE = """
set -e
echo web-3 > /proc/sys/kernel/hostname
for folder in /opt /home /var/log; do mount -t tmpfs tmpfs "$folder"; done
cp "$1/oomtop" /opt/oomtop
mkdir -p /run/sshd /home/ada
chown 1500:1500 /home/ada
{ cat /etc/passwd; echo 'ada:*:1500:1500::/home/ada:/bin/sh'; } > "$1/passwd"
mount --bind "$1/passwd" /etc/passwd
exec /usr/sbin/sshd -D -f "$1/sshd_config"
"""
SETTINGS = """ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host
AuthorizedKeysFile {folder}/user.pub
PidFile none
StrictModes no
UsePAM no
PermitRootLogin yes
PrintMotd no
PrintLastLog no
SetEnv PATH=/opt:/usr/sbin:/usr/bin:/sbin:/bin
"""
HEAD = """# The first minute, over SSH

What an 80x24 terminal shows after `ssh -t web-3 oomtop` when something goes wrong. `make transcript` records real
sessions on a real kernel with real drills (`oomtop drill`). Only the keys that are named were pressed.

Where to find the answer to each of the five questions:

1. How bad is it? The line below the tabs and its bar; `RAM`, `swap` and `PSI`.
2. How long? `FULL IN`.
3. Who? `dies`, and the marked row of the table with its growth.
4. What now? `do`, with its keys; the plan of an action before it runs.
5. Who was killed, and why that one? The lines at the bottom, the Events tab, the post-mortem.

The log is that of the whole machine, so the kills of earlier drills are at the bottom of every screen.
"""


@dataclass(frozen=True)
class Scene:
    """A drill that somebody else starts on that machine, and what the screen shows when it is time to look."""

    says: str
    drill: str
    shows: tuple[str, ...]


@dataclass(frozen=True)
class Machine:
    """The machine that is visited."""

    folder: Path
    port: int

    def ssh(self, user: str, command: str) -> list[str]:
        """Return the words that run a command there in a terminal."""
        options = (f"-p {self.port} -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null").split()
        return ["ssh", "-tt", "-q", "-i", str(self.folder / "user"), *options, f"{user}@127.0.0.1", command]


NEAR = (r"FULL IN \d+s .*/oomtop-drill-\d+",)
LEAK = Scene(
    "A leak: 8 MB a second under a limit of 300 MB",
    "leak --size 300M --rate 8M",
    (*NEAR, "dies  oomtop-leak", r"»  .* oomtop-leak"),
)
SURGE = Scene(
    "A surge: 40 MB a second under a limit of 400 MB", "surge --size 400M --rate 40M", (*NEAR, "dies  oomtop-surge")
)
SCENES = (
    LEAK,
    SURGE,
    Scene(
        "A swarm: ever more processes under a limit of 300 MB",
        "swarm --size 300M --rate 12M",
        (*NEAR, "dies  oomtop-swarm"),
    ),
    Scene(
        "A reader of files: nothing is wrong",
        "cache --size 300M --rate 16M --seconds 30",
        ("no danger in", "oomtop-cache"),
    ),
    Scene("Fragmented memory: nothing is wrong", "fragment --size 300M --seconds 30", ("oomtop-fragment",)),
)
KILLED = r"killed oomtop-surge \d+"


def main() -> None:
    """Play all scenes and write the document."""
    parts = [HEAD]
    with tempfile.TemporaryDirectory() as name, web_3(Path(name)) as machine:
        for scene in SCENES:
            print(scene.says, flush=True)
            with visit(machine, "root") as terminal, drill(machine, scene):
                parts.append(section(scene.says, terminal.wait_for(*scene.shows)))
        parts += [*killed(machine), *unprivileged(machine)]
    TARGET.write_text("\n".join(parts))


@contextmanager
def web_3(folder: Path) -> Iterator[Machine]:
    """Run the machine that is visited: an SSH server on the loopback that takes one key, made for it."""
    subprocess.run([sys.executable, ROOT / "packaging" / "zipapp" / "build.py", folder / "oomtop"], check=True)
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    (folder / "sshd_config").write_text(SETTINGS.format(port=port, folder=folder))
    # sshd reads the user's key as that user.
    folder.chmod(0o755)
    spaces = ("--pid", "--fork", "--kill-child", "--mount-proc", "--mount", "--uts")
    server = subprocess.Popen(["unshare", *spaces, "sh", "-c", MACHINE, "sh", folder])
    machine = Machine(folder, port)
    try:
        await_answer(machine)
        yield machine
    finally:
        # unshare ignores SIGTERM; its end is that of all who are in its namespace.
        server.kill()
        server.wait()


def await_answer(machine: Machine) -> None:
    """Wait until both users can log in and the program has run once."""
    end = time.monotonic() + PATIENCE
    for user in ("root", USER):
        while subprocess.run(machine.ssh(user, "oomtop --version"), check=False, stdin=subprocess.DEVNULL).returncode:
            if time.monotonic() > end:
                sys.exit(f"{user} cannot log in")
            time.sleep(0.5)


class Terminal:
    """An 80x24 terminal of tmux."""

    def __init__(self, socket_file: Path) -> None:
        self._tmux = ("tmux", "-f", "/dev/null", "-S", str(socket_file))

    def start(self, words: list[str]) -> None:
        """Type a command."""
        self.run("new-session", "-d", "-s", "s", "-x", "80", "-y", "24", shlex.join(words))

    def run(self, *words: str) -> str:
        """Return what a command of tmux prints."""
        return subprocess.run([*self._tmux, *words], capture_output=True, text=True, check=True).stdout

    def press(self, *keys: str) -> None:
        """Press keys, each after the answer to the one before."""
        for key in keys:
            before = self.screen()
            self.run("send-keys", "-t", "s", key)
            end = time.monotonic() + PATIENCE
            while self.screen() == before and time.monotonic() < end:
                time.sleep(0.1)

    def screen(self) -> str:
        """Return what stands on it."""
        return re.sub(r"[ \t]+$", "", self.run("capture-pane", "-p", "-t", "s").rstrip(), flags=re.MULTILINE)

    def wait_for(self, *patterns: str) -> str:
        """Return its screen once that shows all `patterns`."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            screen = self.screen()
            if all(re.search(pattern, screen) for pattern in patterns):
                return screen
            time.sleep(0.2)
        missing = [pattern for pattern in patterns if not re.search(pattern, screen)]
        sys.exit(f"{screen}\nnever showed {missing}")


@contextmanager
def visit(machine: Machine, user: str) -> Iterator[Terminal]:
    """Type `ssh -t web-3 oomtop` into a terminal, and yield it once the figures stand there."""
    # A new one each time: the server before may still be on its way out.
    terminal = Terminal(machine.folder / f"tmux-{time.monotonic_ns()}")
    terminal.start(machine.ssh(user, "exec oomtop"))
    try:
        terminal.wait_for("PSI +some", "COMMAND")
        yield terminal
    finally:
        terminal.run("kill-server")


@contextmanager
def drill(machine: Machine, scene: Scene) -> Iterator[subprocess.Popen[bytes]]:
    """Run a scene's drill; a session that is hung up ends it."""
    words = machine.ssh("root", f"exec oomtop drill {scene.drill} --yes")
    running = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield running
    finally:
        running.terminate()
        running.wait()


def killed(machine: Machine) -> Iterator[str]:
    """Yield the sections of a kill: the screen after it, and the post-mortem of the event."""
    with visit(machine, "root") as terminal:
        with drill(machine, SURGE) as running:
            running.wait()
        yield section("It was killed", terminal.wait_for(KILLED, r"KILLED \d+s ago"))
        terminal.press("Tab", "Tab", "Enter")
        yield section(
            "Who, and why that one: Tab Tab Enter",
            terminal.wait_for("post-mortem", "WHY THIS VICTIM", "WHAT TO CHANGE"),
        )


def unprivileged(machine: Machine) -> Iterator[str]:
    """Yield the sections of a user without privileges."""
    with visit(machine, USER) as terminal:
        with drill(machine, LEAK) as running:
            yield section("Without privileges: the same leak", terminal.wait_for("unprivileged", *LEAK.shows))
            terminal.press("J", "k", "Enter")
            yield section("Without privileges: a kill is refused, J k Enter", terminal.wait_for("not permitted"))
            terminal.press("Escape")
            running.wait()
        after = terminal.wait_for(r"\d killed", r"x +\d+ .* oomtop-leak", r"kills? (?:is|are) not in any readable log")
        yield section("Without privileges: a kill, and the kernel log cannot be read", after)
        terminal.press("?")
        yield section("What the words on the screen mean: ?", terminal.wait_for("Figures of this screen"))


def section(says: str, screen: str) -> str:
    """Return a section of the document."""
    return f"## {says}\n\n```text\n{screen}\n```\n"


if __name__ == "__main__":
    main()

"""The manual page oomtop(1), from the parsers of the commands; man(7), mandoc."""

from __future__ import annotations

import re

from oomtop import __version__
from oomtop.completion.tree import Argument, Command

_ABOUT = """\
The monitor for a Linux machine that is running out of memory, or where something was killed. It shows an account of
memory that adds up to MemTotal, pressure, the time until memory is exhausted, growing processes, and the kernel's
next victim; it explains OOM events afterwards, and performs remedies: signals, `oom_score_adj`, limits,
reclaim, swap.

Without a command it is a full-screen monitor; `?` shows its keys. Data goes to standard output, messages
to standard error. Unreadable figures are shown as a dash. Root is not needed.

Every action shows its plan and asks. `--dry-run` only shows the plan, `--yes` does not ask and is required
without a terminal. pid 1, kernel threads, oomtop and its ancestors, and what the configuration protects
are refused without `--override`."""
_FILES = (
    ("/etc/oomtop/config.toml", "the system's configuration"),
    (
        "$XDG_CONFIG_HOME/oomtop/config.toml",
        "the user's configuration, which overrides it (~/.config/oomtop/config.toml)",
    ),
    ("~/.config/oomtop/themes/*.toml", "the user's own themes"),
    ("/var/lib/oomtop/recording.db", "the recording, without root ~/.local/state/oomtop/recording.db"),
    (
        "/var/log/oomtop/audit.jsonl",
        "the audit log of actions, one JSON object per line; without root ~/.local/state/oomtop/audit.jsonl",
    ),
    ("~/.local/state/oomtop/crash-*.txt", "crash reports"),
)
_ENVIRONMENT = (
    ("NO_COLOR", "no colour, as --no-color"),
    ("OOMTOP_AUDIT_LOG", "path of the audit log"),
    ("XDG_CONFIG_HOME, XDG_STATE_HOME", "folders of the user's files"),
    ("TMPDIR", "folder for files of drills (default: /var/tmp)"),
)
_EXAMPLES = (
    ("oomtop top -n 5 --json", "the five largest processes and every figure of the machine"),
    ("oomtop events --since 2h --format md", "what was killed in the last two hours, for an incident report"),
    ("oomtop events kern.log.2.gz --event 1", "one event of a log from another machine, explained"),
    ("oomtop kill 4711 --grace 10 --dry-run", "preview: SIGTERM, and SIGKILL ten seconds later"),
    ("oomtop limit nginx.service --high 1G --dry-run", "a limit that throttles instead of killing"),
)
_SEE_ALSO = "`proc`(5), `cgroups`(7), `systemd.resource-control`(5), `systemd-oomd`(8)"


def roff(text: str) -> str:
    """Return text as roff: nothing in it is a request or an escape; what stood in backquotes is bold."""
    escaped = (
        text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("^", "\\(ha").replace("~", "\\(ti")
    )
    # A line may break after one of many choices.
    bold = re.sub(r"`([^`]*)`", r"\\fB\1\\fR", escaped).replace("|", "|\\:")
    return "\n".join(f"\\&{line}" if line.startswith(".") else line for line in bold.split("\n"))


def paragraphs(text: str) -> list[str]:
    """Return the lines of a text whose paragraphs are divided by empty lines."""
    return [line for part in text.strip().split("\n\n") for line in (".PP", roff(part))]


def _entries(items: tuple[tuple[str, str], ...], style: str) -> list[str]:
    return [line for name, text in items for line in (".TP", f"\\f{style}{roff(name)}\\fR", roff(text))]


def _argument(argument: Argument) -> list[str]:
    value = f" \\fI{roff(argument.metavar)}\\fR" if argument.metavar else ""
    names = ", ".join(f"\\fB{roff(name)}\\fR" for name in argument.names) or value.strip()
    return [".TP", f"{names}{value if argument.names else ''}", roff(argument.help or "see above")]


def _usage(command: Command) -> str:
    words = [f"\\fB{roff(' '.join(('oomtop', *command.path)))}\\fR"]
    words += ["[\\fIoptions\\fR]"] if command.options else []
    words += ["\\fIcommand\\fR ..."] if command.commands else []
    for positional in command.positionals:
        words.append(f"\\fI{roff(positional.metavar)}\\fR{' ...' if positional.is_repeated else ''}")
    return " ".join(words)


def _own(arguments: tuple[Argument, ...]) -> list[str]:
    return [line for argument in arguments if "--help" not in argument.names for line in _argument(argument)]


def _command(command: Command) -> list[str]:
    about = re.sub(r"^`[^`]*`:\s*", "", command.description or command.help)
    about = about[:1].upper() + about[1:]
    lines = [f".SS {roff(' '.join(command.path))}", _usage(command), *paragraphs(about)]
    lines += _own(tuple(argument for argument in command.positionals if argument.help))
    return lines + _own(command.options)


def man_page(program: Command, exit_codes: str, date: str) -> str:
    """Return the page, as of `date`; `exit_codes` is what `--help` ends with."""
    # 2 spaces, the code, and what it means: as `--help` shows them.
    codes = tuple((code, text) for code, text in re.findall(r"^\s+(\d+)\s+(.*)$", exit_codes, re.MULTILINE))
    lines = [
        f'.TH OOMTOP 1 "{date}" "oomtop {__version__}" "User Commands"',
        ".SH NAME", "oomtop \\- watch memory, forecast and explain OOM kills, act on them",
        ".SH SYNOPSIS", "\\fBoomtop\\fR [\\fIoptions\\fR]", ".br", "\\fBoomtop\\fR \\fIcommand\\fR [\\fIoptions\\fR]",
        ".SH DESCRIPTION", *paragraphs(_ABOUT)[1:],
        ".SH OPTIONS", "Options of the monitor come before any command.", *_own(program.options),
        ".SH COMMANDS", *(line for command in program.walk()[1:] for line in _command(command)),
        ".SH EXIT STATUS", *_entries(codes, "B"), ".PP", roff("`oomtop check` uses the codes of monitoring plugins."),
        ".SH ENVIRONMENT", *_entries(_ENVIRONMENT, "B"),
        ".SH FILES", *_entries(_FILES, "I"),
        ".SH EXAMPLES", *_entries(_EXAMPLES, "B"),
        ".SH SEE ALSO", roff(_SEE_ALSO),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"

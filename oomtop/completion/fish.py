"""Completion for fish."""

from __future__ import annotations

from oomtop.completion.tree import Argument, Command, ValueKind

_HEAD = """\
# Completion of oomtop for fish: `oomtop completion fish > ~/.config/fish/completions/oomtop.fish`
function __oomtop_at
    set -l path
    for word in (commandline -opc)[2..-1]
        if contains -- "$path$word" {paths}
            set path "$path$word/"
        end
    end
    test "$path" = "$argv[1]"
end
function __oomtop_groups
    set -l base /sys/fs/cgroup
    test -d $base/memory; and set base $base/memory
    for folder in $base(string replace -r '^([^/])' '/$1' -- (commandline -ct))*/
        string replace -- $base '' $folder
    end
end
complete -c oomtop -f
"""
_VALUES = {
    ValueKind.FILE: "-r -F",
    ValueKind.PID: "-x -a '(__fish_complete_pids)'",
    ValueKind.GROUP: "-x -a '(__oomtop_groups)'",
    ValueKind.UNIT: "-x -a '(__fish_systemctl_services)'",
    ValueKind.TEXT: "-x",
    ValueKind.NONE: "",
}


def fish_completion(program: Command) -> str:
    """Return the script."""
    commands = program.walk()
    lines = []
    for command in commands:
        lines += [_below(command, below) for below in command.commands]
        lines += [_line(command, _names(option), option) for option in command.options]
        lines += [_line(command, "", positional) for positional in command.positionals if _is_offered(positional)]
    paths = " ".join("/".join(command.path) for command in commands if command.path)
    return _HEAD.replace("{paths}", paths) + "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _when(command: Command) -> str:
    return _quoted(f'__oomtop_at "{"".join(f"{word}/" for word in command.path)}"')


def _is_offered(positional: Argument) -> bool:
    return positional.kind is not ValueKind.TEXT


def _below(command: Command, below: Command) -> str:
    return f"complete -c oomtop -n {_when(command)} -a {_quoted(below.path[-1])} -d {_quoted(below.help)}"


def _names(option: Argument) -> str:
    return " ".join(f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in option.names)


def _line(command: Command, names: str, argument: Argument) -> str:
    value = f"-x -a {_quoted(' '.join(argument.words))}" if argument.words else _VALUES[argument.kind]
    if not names:
        # For a positional, -r and -x say that it needs another word after it.
        value = value.replace("-x ", "").replace("-r ", "")
    parts = ("complete -c oomtop -n", _when(command), names, value, f"-d {_quoted(argument.help or argument.metavar)}")
    return " ".join(part for part in parts if part)

"""Completion for fish."""

from __future__ import annotations

from oomtop.completion.tree import Argument, Command, ValueKind

_HEAD = """\
# Completion of oomtop for fish: `oomtop completion fish > ~/.config/fish/completions/oomtop.fish`
function __oomtop_at
    set -l path
    set -l place 0
    set -l is_value no
    for word in (commandline -opc)[2..-1]
        if test $is_value = yes
            set is_value no
        else if contains -- "$path$word" {paths}
            set path "$path$word/"
            set place 0
        else if contains -- "$path$word" {valued}
            set is_value yes
        else if not string match -q -- '-*' $word
            set place (math $place + 1)
        end
    end
    # Without a place it is an option, which may stand anywhere; a repeated argument stands at its place and after it.
    test "$path" = "$argv[1]"; or return 1
    set -q argv[2]; or return 0
    test $place = $argv[2]; or test "$argv[3]" = on -a $place -gt $argv[2]
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
        lines += [
            _line(command, "", positional, _at(place, positional))
            for place, positional in enumerate(command.positionals)
            if _is_offered(positional)
        ]
    paths = " ".join("/".join(command.path) for command in commands if command.path)
    valued = " ".join(
        "/".join((*command.path, name))
        for command in commands
        for option in command.options
        if option.kind is not ValueKind.NONE
        for name in option.names
    )
    return _HEAD.replace("{paths}", paths).replace("{valued}", valued) + "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _when(command: Command, at: str = "") -> str:
    return _quoted(f'__oomtop_at "{"".join(f"{word}/" for word in command.path)}"{at}')


def _at(place: int, positional: Argument) -> str:
    return f" {place} on" if positional.is_repeated else f" {place}"


def _is_offered(positional: Argument) -> bool:
    return positional.kind is not ValueKind.TEXT


def _below(command: Command, below: Command) -> str:
    return f"complete -c oomtop -n {_when(command)} -a {_quoted(below.path[-1])} -d {_quoted(below.help)}"


def _names(option: Argument) -> str:
    return " ".join(f"-l {name[2:]}" if name.startswith("--") else f"-s {name[1:]}" for name in option.names)


def _line(command: Command, names: str, argument: Argument, at: str = "") -> str:
    value = f"-x -a {_quoted(' '.join(argument.words))}" if argument.words else _VALUES[argument.kind]
    if not names:
        # For a positional, -r and -x say that it needs another word after it.
        value = value.replace("-x ", "").replace("-r ", "")
    about = f"-d {_quoted(argument.help or argument.metavar)}"
    parts = ("complete -c oomtop -n", _when(command, at), names, value, about)
    return " ".join(part for part in parts if part)

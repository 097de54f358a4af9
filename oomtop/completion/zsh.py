"""Completion for zsh: a function for each command, with `_arguments` of zshcompsys(1)."""

from __future__ import annotations

from oomtop.completion.tree import Argument, Command, ValueKind

_HEAD = """\
#compdef oomtop
# Completion of oomtop for zsh: `oomtop completion zsh > "${fpath[1]}/_oomtop"`
_oomtop_groups() {
  local base=/sys/fs/cgroup
  [[ -d $base/memory ]] && base+=/memory
  _path_files -/ -W "$base" -P /
}
_oomtop_units() {
  local -a units
  units=(${(f)"$(systemctl list-units --type=service --all --plain --no-legend 2>/dev/null | awk '{print $1}')"})
  compadd -a units
}
"""
_TAIL = """\
if [[ $funcstack[1] == _oomtop ]]; then
  _oomtop "$@"
else
  compdef _oomtop oomtop
fi
"""
_VALUES = {
    ValueKind.FILE: "_files",
    ValueKind.PID: "_pids",
    ValueKind.GROUP: "_oomtop_groups",
    ValueKind.UNIT: "_oomtop_units",
    ValueKind.TEXT: " ",
}


def zsh_completion(program: Command) -> str:
    """Return the script, which works from `fpath` and from `source`."""
    return _HEAD + "".join(_function(command) for command in program.walk()) + _TAIL


def _name(command: Command) -> str:
    return "_".join(("_oomtop", *command.path))


def _function(command: Command) -> str:
    specs = [spec for option in command.options for spec in _option(option)]
    if command.commands:
        return _branch(command, specs)
    specs += [_positional(positional) for positional in command.positionals]
    return f"{_name(command)}() {{\n  _arguments -s {_joined(specs)}\n}}\n"


def _branch(command: Command, specs: list[str]) -> str:
    described = "\n".join(f"    {_quoted(below.path[-1] + ':' + below.help)}" for below in command.commands)
    cases = "\n".join(f"    ({below.path[-1]}) {_name(below)} ;;" for below in command.commands)
    return f"""\
{_name(command)}() {{
  local curcontext=$curcontext state line
  local -a commands
  commands=(
{described}
  )
  _arguments -s -C {_joined([*specs, _quoted("1:command:->command"), _quoted("*::argument:->rest")])}
  case $state in
  (command) _describe command commands ;;
  (rest)
    case $line[1] in
{cases}
    esac ;;
  esac
}}
"""


def _joined(specs: list[str]) -> str:
    return "".join(f" \\\n    {spec}" for spec in specs)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _escaped(text: str) -> str:
    for character in "\\[]:":
        text = text.replace(character, "\\" + character)
    return text


def _value(argument: Argument) -> str:
    return f"({' '.join(argument.words)})" if argument.kind is ValueKind.WORDS else _VALUES[argument.kind]


def _option(option: Argument) -> list[str]:
    value = "" if option.kind is ValueKind.NONE else f":{_escaped(option.metavar)}:{_value(option)}"
    return [_quoted(f"{name}[{_escaped(option.help)}]{value}") for name in option.names]


def _positional(positional: Argument) -> str:
    repeated = "*" if positional.is_repeated else ""
    return _quoted(f"{repeated}:{_escaped(positional.metavar)}:{_value(positional)}")

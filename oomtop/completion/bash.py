"""Completion for bash, which needs no bash-completion package: source it, or put it among the completions."""

from __future__ import annotations

from oomtop.completion.tree import Argument, Command, ValueKind

_HEAD = """\
# Completion of oomtop for bash: `source <(oomtop completion bash)`
_oomtop() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} command=oomtop place=0 base i
    COMPREPLY=()
    # `--sort=rss` arrives as three words.
    [[ $cur == "=" ]] && cur=
    [[ $prev == "=" ]] && prev=${COMP_WORDS[COMP_CWORD-2]}
    [[ ${COMP_WORDS[COMP_CWORD]} == "=" ]] && prev=${COMP_WORDS[COMP_CWORD-1]}
    for ((i = 1; i < COMP_CWORD; i++)); do
        case "$command ${COMP_WORDS[i]}" in
"""
_TAIL = """\
}
complete -F _oomtop oomtop
"""
_VALUES = {
    ValueKind.FILE: 'compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "$cur")',
    ValueKind.PID: 'mapfile -t COMPREPLY < <(cd /proc && compgen -d -X "*[!0-9]*" -- "$cur")',
    ValueKind.GROUP: (
        "base=/sys/fs/cgroup; [[ -d $base/memory ]] && base+=/memory; compopt -o filenames -o nospace 2>/dev/null; "
        'mapfile -t COMPREPLY < <(compgen -d -- "$base/${cur#/}"); COMPREPLY=("${COMPREPLY[@]#"$base"}")'
    ),
    ValueKind.UNIT: (
        "mapfile -t COMPREPLY < <(systemctl list-units --type=service --all --plain --no-legend "
        "-- \"$cur*\" 2>/dev/null | awk '{print $1}')"
    ),
    ValueKind.TEXT: ":",
}


def bash_completion(program: Command) -> str:
    """Return the script."""
    commands = program.walk()
    lines = [
        f"            {_quoted(command)}) command={_quoted(command)} place=0 ;;" for command in commands if command.path
    ]
    # An option with its value, a flag, and what has a place among the arguments.
    patterns = (_valued(command, option) for command in commands for option in command.options)
    valued = "|".join(filter(None, patterns))
    lines += [f"            {valued})", '                [[ ${COMP_WORDS[i+1]} == "=" ]] && ((i++)); ((i++)) ;;']
    lines += ['            *" -"*) ;;', "            *) ((place++)) ;;"]
    lines += ["        esac", "    done", '    case "$command $prev" in']
    for command in commands:
        lines += [_option_line(command, option) for option in command.options if option.kind is not ValueKind.NONE]
    lines += ["    esac", '    case "$command" in']
    lines += [_word_line(command) for command in commands]
    lines += ["    esac"]
    return _HEAD + "\n".join(lines) + "\n" + _TAIL


def _quoted(command: Command) -> str:
    return f'"{" ".join(("oomtop", *command.path))}"'


def _value(argument: Argument) -> str:
    return _of_words(argument.words) if argument.kind is ValueKind.WORDS else _VALUES[argument.kind]


def _of_words(words: tuple[str, ...]) -> str:
    return f"""mapfile -t COMPREPLY < <(compgen -W "{" ".join(words)}" -- "$cur")"""


def _valued(command: Command, option: Argument) -> str:
    """Return the pattern of an option that takes a value, empty for a flag."""
    if option.kind is ValueKind.NONE:
        return ""
    return "|".join(f'"{" ".join(("oomtop", *command.path, name))}"' for name in option.names)


def _option_line(command: Command, option: Argument) -> str:
    return f"        {_valued(command, option)}) {_value(option)}; return ;;"


def _word_line(command: Command) -> str:
    options = _of_words(tuple(name for option in command.options for name in option.names))
    if command.commands:
        rest = _of_words(tuple(below.path[-1] for below in command.commands))
    else:
        rest = _at_its_place(command.positionals)
    return f"        {_quoted(command)}) if [[ $cur == -* ]]; then {options}; else {rest}; fi ;;"


def _at_its_place(positionals: tuple[Argument, ...]) -> str:
    cases = [
        f"{'*' if positional.is_repeated else place}) {_value(positional)} ;;"
        for place, positional in enumerate(positionals)
    ]
    return f"case $place in {' '.join(cases)} esac" if cases else ":"

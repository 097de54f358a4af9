"""`oomtop completion`: the completion script for bash, zsh or fish."""

from __future__ import annotations

import argparse

HELP = "shell completion for bash, zsh or fish: source <(oomtop completion bash)"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command line."""
    parser.add_argument("shell", choices=("bash", "zsh", "fish"), help="the shell")


def run(options: argparse.Namespace) -> int:
    """Print the script of the shell."""
    from oomtop.completion.bash import bash_completion
    from oomtop.completion.fish import fish_completion
    from oomtop.completion.tree import read_tree
    from oomtop.completion.zsh import zsh_completion

    write = {"bash": bash_completion, "zsh": zsh_completion, "fish": fish_completion}[options.shell]
    print(write(read_tree(options.whole_parser())), end="")
    return 0

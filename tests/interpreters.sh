#!/usr/bin/env bash
# The tests that need no other tool than pytest, on every other supported Python of this machine.
# An interpreter counts when it starts: pyenv's shims exist for versions that are switched off.
set -euo pipefail
cd "$(dirname "$0")/.."

find_python() {
    local version=$1 full
    if "python$version" -c '' 2>/dev/null; then
        command -v "python$version"
    elif command -v pyenv >/dev/null; then
        full=$(pyenv versions --bare 2>/dev/null | grep -E "^${version//./\\.}\.[0-9]+$" | tail -n 1) || return 1
        echo "$(pyenv root)/versions/$full/bin/python"
    else
        return 1
    fi
}

main_version=$(.venv/bin/python -c 'import sys; print("%d.%d" % sys.version_info[:2])')
for version in 3.10 3.11 3.12 3.13 3.14; do
    [ "$version" != "$main_version" ] || continue
    if ! python=$(find_python "$version"); then
        echo "== Python $version is not on this machine"
        continue
    fi
    echo "== Python $version ($python)"
    venv=.venv-$version
    if [ ! -e "$venv/.installed" ] || [ pyproject.toml -nt "$venv/.installed" ]; then
        "$python" -m venv "$venv"
        "$venv/bin/python" -m pip install --quiet --upgrade 'pip>=25.1'
        "$venv/bin/python" -m pip install --quiet --editable . --group test
        touch "$venv/.installed"
    fi
    "$venv/bin/python" -m pytest -n auto --dist loadfile --ignore=tests/e2e
done

# make run   creates the environment, installs, starts the monitor
# make test  creates the environment, runs the tests and the checks
# make fuzz  the fuzzers of tests/fuzz with many cases each
# make vm    the tests that boot kernels of their own in QEMU

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: run test lint unit others fuzz vm bench docs screenshots transcript dist zipapp deb man completion clean

run: $(STAMP)
	@$(BIN)/oomtop

test: lint unit others

$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo "oomtop needs Python 3.10 or newer; try make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "$(PYTHON) has no venv module; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable . --group dev
	@touch $@

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy --config-file tests/mypy.ini tests
	$(BIN)/vulture
	$(BIN)/lint-imports --no-cache >/dev/null || $(BIN)/lint-imports --no-cache

# Those in tests/e2e watch the whole machine, hence one after the other.
unit: $(STAMP)
	$(BIN)/pytest -n auto --dist loadfile --ignore=tests/e2e
	$(BIN)/pytest tests/e2e

# The unit tests on every other supported interpreter that this machine has.
others: $(STAMP)
	tests/interpreters.sh

# A new seed each time; DOORS="keys filter", SEED and COUNT narrow it down.
fuzz: $(STAMP)
	$(BIN)/python -m tests.fuzz $(DOORS) $(addprefix --seed ,$(SEED)) $(addprefix --count ,$(COUNT))

# Whole-machine OOM kills, swap, zram, cgroup v2, in machines that are booted for them; under half an hour.  What a busy
# host starved is tried once more.
vm: $(STAMP)
	$(BIN)/pytest tests/vm -m vm || $(BIN)/pytest tests/vm -m vm --last-failed

bench: $(STAMP)
	$(BIN)/python tests/bench/bench.py

# docs/json.md and docs/metrics.md, from the schemas and from what the exporter serves.
docs: $(STAMP)
	$(BIN)/python -m tests.docs.reference

screenshots: $(STAMP)
	$(BIN)/python screenshots/make.py

# docs/first-minute.md, from real SSH sessions; needs root, sshd and tmux.
transcript: $(STAMP)
	$(BIN)/python screenshots/transcript.py

# The wheel and the source archive; a file for machines without a network; a Debian package.
dist: $(STAMP)
	$(BIN)/python -m hatchling build -d dist

zipapp: $(STAMP)
	$(BIN)/python packaging/zipapp/build.py dist/oomtop.pyz

deb: $(STAMP)
	$(BIN)/python packaging/debian/build.py dist

man: $(STAMP)
	@mkdir -p dist
	$(BIN)/oomtop man > dist/oomtop.1

completion: $(STAMP)
	@mkdir -p dist
	for shell in bash zsh fish; do $(BIN)/oomtop completion $$shell > dist/oomtop.$$shell || exit 1; done

clean:
	rm -rf $(VENV) .venv-3.* build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache

# make run       creates the environment, installs, starts the monitor
# make test      creates the environment with the development tools, runs the tests and the checks
# make others    the unit tests on every other supported Python of this machine
# make packages  builds every package and tries it; needs a network
# make fuzz      the fuzzers of tests/fuzz with many cases each
# make vm        the tests that boot kernels of their own in QEMU

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PROGRAM := $(VENV)/.program

.PHONY: run test lint unit others packages site fuzz vm bench docs screenshots transcript dist zipapp deb rpm man completion clean

run: $(PROGRAM)
	@$(BIN)/oomtop

test: lint unit

# What the program needs, and nothing that only its developers do.
$(PROGRAM): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || { echo "oomtop needs Python 3.10 or newer; try make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "$(PYTHON) has no venv module; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable .
	@touch $@

$(STAMP): pyproject.toml $(PROGRAM)
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

# Downloads and slow builds.  What is not on this machine (lintian, rpm, kubectl, mandoc) is skipped and says so.
packages: $(STAMP)
	$(BIN)/python -m pip install --quiet --group packages
	$(BIN)/pytest tests -m packages

# The documents as a site, in dist/site.
site: $(STAMP)
	$(BIN)/python -m pip install --quiet --group site
	$(BIN)/python packaging/site/prepare.py dist/pages
	$(BIN)/mkdocs build --quiet --strict --config-file dist/pages/mkdocs.yml --site-dir ../site

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

rpm: $(STAMP)
	$(BIN)/python packaging/rpm/build.py dist

man: $(STAMP)
	@mkdir -p dist
	$(BIN)/oomtop man > dist/oomtop.1

completion: $(STAMP)
	@mkdir -p dist
	for shell in bash zsh fish; do $(BIN)/oomtop completion $$shell > dist/oomtop.$$shell || exit 1; done

clean:
	rm -rf $(VENV) .venv-3.* build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache

PYTHON ?= python3
UV ?= uv
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

.PHONY: run test lint bench drill locales lock clean

# The stamp is newer than the lock file once the locked dependencies are in place.
.venv/stamp: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Kinroom needs Python 3.11 or newer: make PYTHON=python3.11 …")'
	@echo "Installing what Kinroom needs into .venv/ (once, about a minute) …"
	@$(PYTHON) -m venv .venv
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch .venv/stamp

run: .venv/stamp
	@exec $(BIN)/kinroom run

test: .venv/stamp
	$(BIN)/python -m pytest -n auto

lint: .venv/stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m locales check

bench: .venv/stamp
	$(BIN)/python -m tests.bench

# About three quarters of an hour; ARGS="kills --database sqlite" runs one scenario.
drill: .venv/stamp
	$(BIN)/python -m tests.drill $(ARGS)

# The catalogs follow the source; what waits for a translation is counted.
locales: .venv/stamp
	$(BIN)/python -m locales update

# Hashes and no addresses: the lock says what, not from where.
LOCK := $(UV) pip compile --quiet --universal --generate-hashes --no-header --no-annotate --python-version 3.11
lock:
	$(LOCK) --all-extras pyproject.toml build-requirements.in -o requirements.lock
	$(LOCK) --constraint requirements.lock pyproject.toml build-requirements.in -o run-requirements.lock

clean:
	rm -rf .venv build *.egg-info

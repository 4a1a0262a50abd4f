PYTHON ?= python3
BIN := .venv/bin

.PHONY: run test lint bench locales lock clean

# The stamp is newer than the lock file once the locked dependencies are in place.
.venv/stamp: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch .venv/stamp

run: .venv/stamp
	@exec $(BIN)/kinroom run

test: .venv/stamp
	$(BIN)/python -m pytest

lint: .venv/stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m locales check

bench: .venv/stamp
	$(BIN)/python -m tests.bench

locales: .venv/stamp
	$(BIN)/python -m locales update

lock:
	uv pip compile --universal --generate-hashes --no-header --no-annotate --all-extras --python-version 3.11 pyproject.toml build-requirements.in -o requirements.lock

clean:
	rm -rf .venv var build *.egg-info

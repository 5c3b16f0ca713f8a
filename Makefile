# Set-up, tests and everyday commands. Windows has the same steps as commands in README.md.
.DEFAULT_GOAL := help
.PHONY: help run setup setup-test test lint format demo screenshots clean

# The first of these that is Python 3.11 or newer; `make setup PYTHON=/path/to/python3` overrules.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3.14 python3 python; do \
	if $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; \
	then echo $$p; break; fi; done)
VENV ?= .venv
PIP_ARGS ?=

PY := $(VENV)/bin/python
INSTALLED := $(VENV)/.installed
TEST_INSTALLED := $(VENV)/.installed-test

help:
	@echo "make run          set up on the first call, then open the application"
	@echo "make test         formatting, types, architecture and tests"
	@echo "make demo         the whole loop without a display, on scans that pydicom ships"
	@echo "make setup        the environment alone, in $(VENV)"
	@echo "make lint         formatting and types only"
	@echo "make format       put the code into the project's format"
	@echo "make screenshots  draw the pictures of README.md anew"
	@echo "make clean        remove caches; the environment stays"

run: $(INSTALLED)
	@$(PY) main.py

setup: $(INSTALLED)

setup-test: $(TEST_INSTALLED)

demo: $(INSTALLED)
	@$(PY) -m nearl_core demo

lint: $(TEST_INSTALLED)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy --strict

format: $(TEST_INSTALLED)
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

test: lint
	$(PY) -m pytest -q tests/test_architecture.py
	$(PY) -m pytest -n 2 --dist loadfile --no-loadscope-reorder

screenshots: $(INSTALLED)
	$(PY) docs/screenshots.py

clean:
	rm -rf build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis *.egg-info
	find app nearl_core tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(PY):
	@if [ -z "$(PYTHON)" ] || ! "$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then \
		echo "Python 3.11 or newer was not found. Install it, or name it: make setup PYTHON=/path/to/python3" >&2; \
		exit 1; \
	fi
	@"$(PYTHON)" -m venv "$(VENV)" || { \
		echo "The environment could not be made. On Debian and Ubuntu install python3-venv." >&2; \
		rm -rf "$(VENV)"; exit 1; }

# The stamps make a second call instant; a change of pyproject.toml installs again.
$(INSTALLED): pyproject.toml | $(PY)
	$(PY) -m pip install $(PIP_ARGS) --editable .
	@touch $@

$(TEST_INSTALLED): pyproject.toml | $(PY)
	$(PY) -m pip install $(PIP_ARGS) --editable '.[test]'
	@touch $(INSTALLED) $@

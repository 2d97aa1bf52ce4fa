# make bench   set up, run the quick suite, show its table
# make test    set up, then lint, types and all tests
# make help    all of it
#
# The environment lies in .venv and is made once; it is made again when pyproject.toml or constraints.txt change.

NEW_ENOUGH = -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
# The first Python on the PATH that is new enough; another one: make bench PYTHON=python3.12
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11 python; do \
	$$python $(NEW_ENOUGH) && echo $$python && break; done)
# TORCH=cpu takes torch's CPU build
TORCH ?=

READY = .venv/.ready
BIN = .venv/bin

.DEFAULT_GOAL = help
.PHONY: help setup bench test lint types tests clean

# Asked for another build of torch than the environment holds: make the environment again.
ifneq ($(TORCH),)
ifneq ($(TORCH),$(shell cat $(READY) 2>/dev/null))
.PHONY: $(READY)
endif
endif

help:
	@echo 'make bench            set up (once), run the quick suite, show its table'
	@echo 'make bench TORCH=cpu  the same without CUDA: about half of the 8 GB'
	@echo 'make test             set up (once), then lint, types and all tests'
	@echo 'make setup            set up only: everything goes into .venv'
	@echo 'make clean            delete .venv and what tools left; results stay'
	@echo 'PYTHON=python3.12     with any of these: the Python to use (3.11 or newer)'

setup: $(READY)

$(READY): pyproject.toml constraints.txt .make/environment.py
	@if ! $(PYTHON) $(NEW_ENOUGH); then \
		echo 'Python 3.11 or newer is needed: $(or $(PYTHON),what is on the PATH) is not.' >&2; \
		echo '    Install one, or name it: make bench PYTHON=python3.12' >&2; exit 2; fi
	@$(PYTHON) .make/environment.py --torch '$(TORCH)'

bench: $(READY)
	$(BIN)/bench run --suite quick

test: lint types tests

lint: $(READY)
	$(BIN)/ruff check .

types: $(READY)
	$(BIN)/mypy

tests: $(READY)
	$(BIN)/python -m pytest

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .benchmarks build dist

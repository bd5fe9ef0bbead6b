# make demo   raw text to two registered models          make dev   the Dagster UI, with daemon
#             PIPELINES=all runs every pipeline, PIPELINES="reply_writer pii_masker" these
# make test   lint, types and tests                      make clean forgets everything that was made

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

export DAGSTER_HOME := $(CURDIR)
export OMP_WAIT_POLICY := passive
export GOMP_SPINCOUNT := 500
export TOKENIZERS_PARALLELISM := false

.PHONY: demo test lint dev clean

demo: $(READY)
	@mkdir -p .tuneline
	@$(BIN)/python -m pipelines.demo $(PIPELINES)

test: export GOMP_SPINCOUNT := 0
test: lint
	$(BIN)/python -m pytest

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache
	$(BIN)/pyright
	$(BIN)/dg check defs --no-check-yaml

dev: $(READY)
	@mkdir -p .tuneline
	@$(BIN)/python -m pipelines.dev

clean:
	rm -rf .tuneline

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Tuneline needs Python 3.11 or later: make PYTHON=python3.11 …")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $(READY)

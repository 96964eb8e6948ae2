# `make` shows what there is. All that is fetched or made lies in .venv/, .hueandcry/ and ~/.cache/hueandcry.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# Another Python: make PYTHON=/usr/bin/python3.12 setup
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
# Tools of our own, apart from .venv, where `uv sync` would take them away.
TOOLS := .hueandcry/tools
UV_VERSION := 0.13.9
UV := $(TOOLS)/uv/bin/uv
READY := .venv/.ready
# For targets that run something: the environment's commands, then our tools.
WITH_TOOLS := PATH="$(CURDIR)/$(BIN):$(CURDIR)/$(TOOLS)/bin:$$PATH"

.PHONY: help
help: ## Show this
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: $(READY) ## Set up the Python environment in .venv, as uv.lock says

$(UV):
	@if [ -z "$(PYTHON)" ]; then \
		echo "Python 3.11, 3.12 or 3.13 is missing: install one, or name it: make PYTHON=/path/to/python3.12" >&2; exit 1; fi
	@$(PYTHON) -m venv $(TOOLS)/uv || { \
		echo "$(PYTHON) can't make a virtual environment: install its venv (Debian: apt-get install python3-venv)" >&2; exit 1; }
	@$(TOOLS)/uv/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

$(READY): uv.lock pyproject.toml | $(UV)
	$(UV) sync --quiet --frozen $(if $(PYTHON),--python "$(PYTHON)")
	@touch $@

.PHONY: up
up: setup ## Start Kafka, registry and processors on this machine
	@$(BIN)/hueandcry local up

.PHONY: down
down: setup ## Stop just what `make up` started; data stay
	@$(BIN)/hueandcry local down

.PHONY: status
status: setup ## Show what runs
	@$(BIN)/hueandcry local status

.PHONY: demo
demo: setup ## Start all, publish synthetic alerts, check who received what, stop
	@$(WITH_TOOLS) hueandcry demo

.PHONY: kcat
kcat: setup ## Get a kcat that can log in to Kafka 4 (for the tests and for trying)
	@.ci/kcat $(TOOLS) || [ "$${CI:-}" != true ]

.PHONY: prometheus
prometheus: setup ## Get prometheus and promtool (for the tests and for trying)
	@.ci/prometheus $(TOOLS) || [ "$${CI:-}" != true ]

.PHONY: helm
helm: setup ## Get helm (for the tests of the chart)
	@.ci/helm $(TOOLS) || [ "$${CI:-}" != true ]

.PHONY: test
test: setup kcat prometheus helm ## Run all tests, with a real Kafka: make test ARGS='tests/unit -k vin'
	@$(WITH_TOOLS) pytest $(ARGS)

.PHONY: check
check: setup ## Lint, format, types, imports, and the form of avro/ and topics/
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports
	$(BIN)/python -m hueandcry.wire.format --check avro
	$(BIN)/python -m hueandcry.control.network.format --check topics
	$(BIN)/python -m hueandcry.dashboards --check

.PHONY: format
format: setup ## Put code, avro/ and topics/ into the house form, and write what is made of code
	$(BIN)/ruff check --fix
	$(BIN)/ruff format
	$(BIN)/python -m hueandcry.wire.format avro
	$(BIN)/python -m hueandcry.control.network.format topics
	$(BIN)/python -m hueandcry.dashboards

.PHONY: bench
bench: setup ## Measure: alerts a second, latency and memory, stage by stage
	@$(WITH_TOOLS) PYTHONPATH=tests python -m bench $(ARGS)

.PHONY: clean
clean: ## Stop what runs, and remove all that was made here (not ~/.cache/hueandcry)
	@if [ -x $(BIN)/hueandcry ]; then $(BIN)/hueandcry local down; fi
	rm -rf .venv .hueandcry dist .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

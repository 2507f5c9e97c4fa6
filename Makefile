# The commands of this repository. `make help` lists them.
SHELL := /bin/sh
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3 python; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { echo $$p; break; }; done)
VENV := .venv
BIN := $(VENV)/bin
COMPOSE ?= docker compose
CODE := socle services gateway loadtests tests

.DEFAULT_GOAL := help
.PHONY: help run demo test check lint types format install dev kafka kafka-stop up down bench bench-psc bench-ins bench-dmp bench-annuaire bench-usage bench-lag bench-mss lock clean

help: ## lists the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

run: install ## installs, then starts everything on this machine (Ctrl-C stops it)
	@$(BIN)/socle up

demo: install ## walks one document from login to indicator, against the running stack
	@$(BIN)/socle demo

test: dev ## runs every test that this machine can run, and names what it could not and why
	@scripts/test

check: lint types test ## format, lint, types, import contracts, then every test

lint: dev ## ruff and the import contracts
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/lint-imports

types: dev ## mypy, strict
	$(BIN)/mypy $(CODE)

format: dev ## formats the code
	$(BIN)/ruff format $(CODE)
	$(BIN)/ruff check --fix $(CODE)

kafka: install ## starts a Kafka broker without Docker (needs Java 17 and Maven)
	@scripts/kafka start

kafka-stop: ## stops that broker
	@scripts/kafka stop

up: ## starts the stack in containers: Kafka, PostgreSQL, every service
	$(COMPOSE) up --build --detach --wait

down: ## stops the containers and keeps their data
	$(COMPOSE) down

bench: dev ## documents per second and percentiles through the gateway, as a table
	@$(BIN)/python -m loadtests.bench

bench-psc: dev ## logins and refreshes per second of Pro Santé Connect, as a table
	@$(BIN)/python -m loadtests.psc

bench-ins: dev ## searches per second of INSi with a thousand and a million people, as a table
	@$(BIN)/python -m loadtests.ins

bench-mss: dev ## mails per second that one and two mail processes take, from 5 kB to 2 MB, as a table
	@$(BIN)/python -m loadtests.mss

bench-dmp: dev ## stored queries of the DMP in registries of ten thousand to ten million entries
	@$(BIN)/python -m loadtests.registry

bench-annuaire: dev ## searches of a directory of a hundred thousand people, as a table
	@$(BIN)/python -m loadtests.annuaire

bench-usage: dev ## events per second that are counted into empty tables, as a table
	@$(BIN)/python -m loadtests.usage

bench-lag: dev ## time from a document's commit to its counting, at 200 a second
	@$(BIN)/python -m loadtests.lag

install: $(VENV)/.installed
dev: $(VENV)/.installed-dev

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Socle needs Python 3.11 or newer; name one with make PYTHON=…" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { echo "This Python has no venv module (Debian: apt install python3-venv)." >&2; rm -rf $(VENV); exit 1; }

# Everything comes from a lock with hashes; Socle itself is installed in place, without a fetch.
$(VENV)/.installed: $(VENV)/bin/python requirements/runtime.lock pyproject.toml
	@echo "Installing (once, about half a minute) ..."
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/runtime.lock
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@$(BIN)/python -m compileall -q socle services gateway # now, not at the first start
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements/dev.lock
	@echo "Installing the tools for tests (once) ..."
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements/dev.lock
	@touch $@

lock: ## resolves the locks anew (needs uv)
	for target in "runtime build" "dev dev"; do set -- $$target; \
	uv pip compile pyproject.toml --group $$2 --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header -q --upgrade -o requirements/$$1.lock || exit 1; done

clean: ## removes what was installed and measured; data in .socle stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage htmlcov

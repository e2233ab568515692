# The verbs that people and CI share; each is a script of a few lines in bin/.
.DEFAULT_GOAL := help
SHELL := /bin/bash
VENV := .venv/bin
SHORT := not chaos and not scale and not fuzz
# Tests of one file share a process and its fixtures. PARALLEL= runs one after another.
PARALLEL ?= --numprocesses=auto --maxprocesses=4 --dist=loadfile

help: ## show the targets
	@grep -E '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

setup: ## system packages, virtual environment, the stack's OS image
	@bin/setup

run: ## start Velociraptor here, deploy the example app, print where it is
	@bin/setup
	@$(VENV)/vr demo

test: ## everything: unit, integration with the real parts, end to end
	@bin/setup --tests
	@$(VENV)/pytest -m "$(SHORT)" $(PARALLEL)

test-unit: ## the pure parts, in seconds
	@bin/setup --python
	@$(VENV)/pytest tests/unit -m "$(SHORT)"

test-chaos: ## long runs that kill parts
	@bin/setup --tests
	@$(VENV)/pytest -m chaos

test-cgroup2: ## containers and their limits on a machine with cgroup v2 alone (emulated: 10 minutes)
	@bin/setup --tests
	@bin/cgroup2-machine $(VENV)/pytest -p no:cacheprovider $(addprefix tests/integration/runner/test_,run.py oom.py disk_limit.py network.py abuse_escape.py abuse_exhaustion.py)

fleet: ## four hosts and a server in networks of their own, to play with: PostgreSQL, Redis, RabbitMQ
	@bin/setup --tests
	@PYTHONPATH=tests $(VENV)/python -m playground up

fleet-down: ## end it
	@PYTHONPATH=tests $(VENV)/python -m playground down

test-scale: ## long runs with many parts
	@bin/setup --tests
	@$(VENV)/pytest -m scale

fuzz-api: ## long runs of requests that Schemathesis makes from the API's description
	@bin/setup --tests
	@$(VENV)/pytest -m fuzz

fuzz: ## ten minutes of made-up text for every door that takes others' text
	@bin/setup --python
	@FUZZ_EXAMPLES=8000 $(VENV)/pytest tests/fuzz

mutants: ## small changes of the pure rooms, and whether tests notice them (ROOMS="planner lxc")
	@bin/setup --python
	@PYTHONPATH=tests $(VENV)/python -m mutation

attack: ## try to break a private stack in every way that is known; held or not
	@bin/setup --tests
	@PYTHONPATH=tests $(VENV)/python -m attack

demo-stager: ## a Sinatra app staged and run through a message bus
	@bin/setup --stager
	@bin/demo-stager

lint: ## ruff, mypy, import contracts
	@bin/setup --python
	@bin/lint

bench: ## speed, measured and printed beside a yardstick
	@bin/setup --tests
	@for program in benchmarks/bench_*.py; do $(VENV)/python $$program || exit 1; done

pilot: ## the pilot as one file: dist/containerpilot.pyz
	@bin/make-pilot

docs: ## the documentation as a web site in site/
	@bin/setup --python
	@$(VENV)/mkdocs build --quiet

lock: ## write requirements.lock anew from pyproject.toml
	@bin/lock

.PHONY: help setup run demo-stager test test-unit test-chaos test-cgroup2 test-scale fleet fleet-down fuzz-api fuzz mutants attack lint bench pilot docs lock

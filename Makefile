# Every command makes what it needs first: the environment (.venv), packages, the dashboard.
PYTHON ?= python3
PORT   ?= $(AGENTOPS_PORT)
IN     := .venv/bin/python

.DEFAULT_GOAL := help
.PHONY: help run test test-integrations torture fuzz load wheel dashboard format lock clean env-run env-dev
.NOTPARALLEL:

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z%-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: env-run ## Start server and dashboard at http://127.0.0.1:8420 and record the example (PORT=... for another port)
	@exec env AGENTOPS_PORT=$(PORT) $(IN) scripts/run.py

test: env-dev ## Run every check: ruff, pyright, import-linter, pytest, TypeScript, vitest, browser
	@$(IN) scripts/check.py

test-integrations: env-dev ## Run a program of every library that is recorded; write docs/integrations.md
	@$(IN) scripts/integrations.py

wheel: env-run ## Build the wheel, with the dashboard inside, into dist/
	@$(IN) scripts/wheel.py

dashboard: env-run ## Build the dashboard into the package
	@$(IN) scripts/frontend.py --force

bench-%: env-dev ## Measure one room, for example make bench-sdk
	@$(IN) -m benchmarks.bench_$(subst -,_,$*)

torture: env-dev ## Kill programs and servers, break networks and disks, count what is stored (15 minutes)
	@$(IN) scripts/torture.py $(if $(SCENARIO),--scenario $(SCENARIO)) $(if $(SIZE),--size $(SIZE)) $(if $(SEED),--seed $(SEED))

load: env-dev ## Record hundreds of sessions at once for a minute and check that none got an event of another (SECONDS=...)
	@$(IN) scripts/load.py $(SECONDS)

fuzz: env-dev ## Post a million hostile OTLP requests (INPUTS=1000000, SEED=...; half an hour)
	@$(IN) scripts/fuzz.py $(if $(INPUTS),--inputs $(INPUTS)) $(if $(SEED),--seed $(SEED))

format: env-dev ## Format the Python code and mend what ruff can mend
	@.venv/bin/ruff format . && .venv/bin/ruff check --fix .

lock: env-dev ## Lock the dependencies anew, keeping versions that fit (UPGRADE=1 takes the newest)
	@$(IN) scripts/lock.py $(if $(UPGRADE),--upgrade)

clean: ## Remove everything that was built or installed here (not what was recorded)
	@rm -rf .venv build dist dashboard/node_modules src/agentops/server/static

env-run:
	@$(PYTHON) scripts/bootstrap.py run

env-dev:
	@$(PYTHON) scripts/bootstrap.py dev

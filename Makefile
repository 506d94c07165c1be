# `make` alone lists the commands.
# Tests and tasks find uv by this variable, too.
export UV := $(CURDIR)/tools/uv
DOCTOR := $(UV) run --quiet --no-project python -m levee.doctor

.PHONY: help up test check fix unit data slow proofs sync pulumi checkov sdks doctor chromium docs bench clean
help:  ## list the commands
	@sed -n 's/^\([a-z]*\):.*## /make \1\t/p' Makefile | expand -t 16

up: doctor sync checkov  ## preview, check, provision and run the whole platform on this machine
	.venv/bin/levee up local && .venv/bin/levee run sales --env local
	.venv/bin/levee report local

test: doctor chromium check unit data  ## every linter and every test

check: sync  ## locks, ruff, ty and import-linter
	$(UV) lock --check --quiet && $(UV) lock --check --quiet --project pipelines && $(UV) lock --check --quiet --project tools/sdks && $(UV) lock --check --quiet --project tools/checkov && .venv/bin/ruff check && .venv/bin/ruff format --check
	.venv/bin/ty check && .venv/bin/ty check --project pipelines && .venv/bin/ty check --python pipelines/.venv tests/pipelines bench/by_hand && .venv/bin/lint-imports

fix: sync  ## let ruff mend what it can
	.venv/bin/ruff check --fix; .venv/bin/ruff format

unit: sync pulumi checkov  ## the toolkit's tests
	.venv/bin/pytest -n 2 tests --ignore=tests/pipelines

data: sync  ## the wheel's tests
	pipelines/.venv/bin/pytest -n 2 tests/pipelines

slow: export LEVEE_LAKE_TABLES ?= 25
slow: export LEVEE_MOMENTS ?= 16
slow: sync pulumi checkov  ## the proofs that take minutes, in both environments
	.venv/bin/pytest -n 2 -m slow tests --ignore=tests/pipelines || [ $$? -eq 5 ]
	pipelines/.venv/bin/pytest -n 2 -m slow tests/pipelines || [ $$? -eq 5 ]

proofs: sync  ## two of them in full: 300 contracts in one job, 100 random moments
	pipelines/.venv/bin/pytest -n 2 -m slow tests/pipelines/lake tests/pipelines/faults/test_moments.py

sync:  # both environments as their locks say
	@$(UV) sync --frozen
	@$(UV) sync --frozen --project pipelines --all-extras

pulumi: sync  # the pinned CLI, built where none can be downloaded
	@.venv/bin/python -m levee.toolchain

checkov: tools/checkov/.venv/synced  ## Checkov in an environment of its own, for staging, prod and `levee check`

tools/checkov/.venv/synced: tools/checkov/uv.lock
	@$(UV) sync --frozen --compile-bytecode --project tools/checkov && touch $@

sdks:  ## more provider SDKs (1 GB): with them `make slow` proves those packages, too
	@$(UV) sync --frozen --project tools/sdks

doctor:  ## what this machine has, lacks, and the command that mends it
	@$(DOCTOR)

chromium:  # the page test's browser
	@tools/chromium

docs: sync  ## write the generated reference pages anew
	.venv/bin/typer levee.cli.app utils docs --name levee --title levee --output docs/reference/cli.md
	.venv/bin/python -m levee.engine.standin.limits.docs docs/reference/naming.md
	.venv/bin/python -m levee.engine.fidelity_docs docs/reference/fidelity.md
	.venv/bin/python -m levee.plan docs/reference/plan.schema.json
	.venv/bin/python -m levee.cost.docs
	.venv/bin/python -m levee.environment.docs && .venv/bin/python -m components.docs
	pipelines/.venv/bin/python -m pipelines.reference docs/reference/contracts.md
	pipelines/.venv/bin/python -m pipelines.observe.reference docs/reference/metrics.md

bench: sync  ## every measurement of bench/, one after another
	@for one in bench/*.py; do echo "== $$one" && .venv/bin/python "$$one" || exit 1; done

clean:  ## remove what `make up` made; the environments, caches and the built CLI stay
	rm -rf .levee/local dist .pytest_cache .ruff_cache .import_linter_cache .hypothesis

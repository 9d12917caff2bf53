# Everything that people do here. Each target first sees to .venv, once for each version of the lock.
SHELL := /bin/bash
PYTHON ?= python3
CONFIG ?=
KEEP ?=
TORCH ?=
CONFIGFILES := $(if $(CONFIG),--configfile $(CONFIG))
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: report plan verify bundle test lint bench-training bench-kills bench-classification bench-generation bench-report bench-reproducibility lock fresh clean

.DEFAULT_GOAL := report

# KEEP=folder copies what the run makes into a folder that outlives this machine, and puts back what is in it.
report: .venv/ready  ## the whole run; CONFIG=config/mine.yaml lays yours over config/config.yaml
	@$(if $(KEEP),samizdat keep "$(KEEP)") $(BIN)/python -m snakemake --cores all $(CONFIGFILES)

plan: .venv/ready  ## which jobs would run, why, and for about how long
	@samizdat plan $(CONFIGFILES)

RUN ?= results/demo
verify: .venv/ready  ## make a run again and say what is the same; RUN=results/mine or RUN=their.zip
	@samizdat verify "$(RUN)"

bundle: .venv/ready  ## a run as one file that others can verify; INPUTS=hashes leaves the texts out
	@samizdat bundle "$(RUN)" --inputs $(or $(INPUTS),files)

test: .venv/development  ## the whole test suite, two files at a time
	@$(BIN)/pytest --numprocesses 2 --dist loadfile

lint: .venv/development  ## format, lint and workflow checks
	@ruff check . && ruff format --check . && snakefmt --check Snakefile workflow/rules
	@$(BIN)/pytest -q tests/integration/test_lint.py

DEMO := results/demo/tokenizers
bench-training: .venv/ready  ## training against two peers, under an hour on a quiet machine
	@snakemake --cores all $(DEMO)/own/summary.json $(DEMO)/gpt2/summary.json
	@$(BIN)/python benchmarks/training.py

bench-kills: .venv/ready  ## twenty kills, each resumed to the same bits
	@snakemake --cores all $(DEMO)/own/summary.json
	@$(BIN)/python benchmarks/kills.py

bench-classification: .venv/ready  ## classification against its peers, about ten minutes on a quiet machine
	@snakemake --cores all results/demo/classifiers/sentiment/card.json
	@$(BIN)/python benchmarks/classification.py

bench-generation: .venv/ready  ## generation against transformers, and the search for copies: some minutes
	@snakemake --cores all results/demo/models/gpt2-tiny/summary.json
	@$(BIN)/python benchmarks/generation.py

bench-reproducibility: .venv/ready  ## two clean demo runs, thirty kills, the table of changes: an hour
	@$(BIN)/python benchmarks/reproducibility.py

bench-report: .venv/ready  ## the report in a browser, for the demo, a Czech corpus and a hostile one
	@$(BIN)/python benchmarks/report.py

# Looks each time, in a moment, whether the environment fits, and mends it where it doesn't. TORCH=system takes the
# PyTorch that $(PYTHON) has, whatever its version, as on a notebook service whose PyTorch fits its cards.
INSTALL = PYTHONPATH=workflow $(PYTHON) -B -m samizdat.environment.install --torch "$(TORCH)"

.venv/ready: FORCE
	@command -v "$(PYTHON)" >/dev/null || { echo "✗ there is no $(PYTHON); install Python 3.11 or newer, or name another with: make PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "✗ samizdat needs Python 3.11 or newer, and $(PYTHON) is " + sys.version.split()[0] + "; name another with: make PYTHON=python3.12")'
	@$(INSTALL)

# With the packages of tests and lint.
.venv/development: .venv/ready
	@$(INSTALL) --development

FORCE:

# Needs uv. What follows torch's own choice of accelerator is left out.
COMPILE = uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --quiet
NOT_LOCKED = $$(for name in $$(cat envs/not-locked.txt); do echo --no-emit-package $$name; done)
LOCKED = $$(sed -n 's/^\([a-z0-9._-]*\)==.*/--no-emit-package \1/p' envs/lock.txt | sort -u)
lock:
	@$(COMPILE) pyproject.toml --output-file envs/lock.txt $(NOT_LOCKED)
	@$(COMPILE) pyproject.toml --extra dev --constraint envs/lock.txt --output-file envs/lock-development.txt $(NOT_LOCKED) $(LOCKED)
	@echo uv | $(COMPILE) - --output-file envs/uv.txt

fresh:  ## the README's commands on bare Debian systems (root on Debian; half an hour)
	@tests/fresh.sh

clean: .venv/ready  ## shows what takes how much disk and asks what to keep; ALL=1 or WHAT="logs verify" without asking
	@samizdat clean $(WHAT) $(if $(ALL),--all)

# Everything that people do here. Each target first sees to .venv, once for each version of the lock.
SHELL := /bin/bash
PYTHON ?= python3
CONFIG ?=
KEEP ?=
TORCH ?=
CONFIGFILES := $(if $(CONFIG),--configfile $(CONFIG))
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: report plan verify bundle test lint bench-training bench-kills bench-classification bench-generation bench-report bench-reproducibility lock clean

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

test: .venv/ready  ## the whole test suite, two files at a time
	@$(BIN)/pytest --numprocesses 2 --dist loadfile

lint: .venv/ready  ## format, lint and workflow checks
	@ruff check . && ruff format --check . && snakefmt --check Snakefile workflow/rules
	@$(BIN)/pytest -q tests/integration/test_lint.py
	@mypy && codespell

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

# torch comes without a hash and with its accelerator packages left to pip: a CPU build where one is at
# hand, the CUDA build elsewhere. TORCH=system takes the one that $(PYTHON) has, whatever its version, as on a notebook
# service whose torch fits its cards: the folder that it lies in stands behind the environment's own packages, so that
# these win. Pythons of such services may lack ensurepip, so their own pip installs.
ifeq ($(TORCH),system)
  WITHOUT_PIP := --without-pip
  PIP = $(PYTHON) -m pip --python $(BIN)/python
  TORCHES_FOLDER = $(PYTHON) -c 'import importlib.util as u, pathlib, sys; torch = u.find_spec("torch"); print(pathlib.Path(torch.origin).parents[1]) if torch else sys.exit("$(PYTHON) has no torch; without TORCH=system, make installs one")'
  LAST_ON_PATH = $$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/torch-of-the-system.pth
  GET_TORCH = $(TORCHES_FOLDER) >"$(LAST_ON_PATH)"
else
  PIP = $(BIN)/python -m pip
  TORCHES_FOLDER = :
  GET_TORCH = $(INSTALL) $$(sed -n 's/^ *"\(torch==[^"]*\)",$$/\1/p' pyproject.toml)
endif
INSTALL = $(PIP) install --quiet --disable-pip-version-check

.venv/ready: envs/lock.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "samizdat needs Python 3.11 or newer, and $(PYTHON) is " + sys.version.split()[0] + "; name another with: make PYTHON=python3.12")'
	@$(TORCHES_FOLDER) >/dev/null
	@echo "Installing into .venv (once, some minutes)"
	@$(PYTHON) -m venv $(WITHOUT_PIP) .venv
	@$(INSTALL) --no-deps --require-hashes -r envs/lock.txt
	@$(GET_TORCH)
	@$(INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

# Needs uv. What follows torch's own choice of accelerator is left out.
lock:
	@uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
	  --no-annotate --no-header --quiet --output-file envs/lock.txt \
	  $$(for name in $$(cat envs/not-locked.txt); do echo --no-emit-package $$name; done)

clean: .venv/ready  ## shows what takes how much disk and asks what to keep; ALL=1 or WHAT="logs verify" without asking
	@samizdat clean $(WHAT) $(if $(ALL),--all)

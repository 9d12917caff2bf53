# All commands for people. Each target that needs .venv makes it first, once for each version of the lock.
SHELL := /bin/bash
PYTHON ?= python3
CONFIG ?=
KEEP ?=
TORCH ?=
# Files that a variable names: one whose name may have blanks, or several with blanks between them.
files = if [ -f "$$$(1)" ]; then set -- "$$$(1)"; else set -- $($(1)); fi
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

# Snakemake, Jupyter and others keep files in the home folder; where it can't be written, one in work/ takes its place.
ifneq ($(shell mkdir -p "$$HOME" 2>/dev/null && test -w "$$HOME" && echo writable),writable)
  export HOME := $(shell mkdir -p work/home && cd work/home && pwd)
endif

.PHONY: help report plan verify bundle clean test lint reference messages lock audit fuzz fresh \
  bench-training bench-kills bench-classification bench-generation bench-report bench-report-times bench-reproducibility \
  bench-inference bench-languages bench-recipes bench-scale bench-shakespeare

.DEFAULT_GOAL := report

# A target's text follows `##` on its line; a line that begins with `##@` is a heading.
help:  ## show this list
	@awk -F ':.*## ' '/^##@ / {print "\n" substr($$0, 5)} /^[a-z-]+:.*## / {printf "  %-23s%s\n", $$1, $$2}' Makefile

##@ Runs
# KEEP=folder restores what the folder contains, and copies what the run makes into it, so that it outlives the machine.
report: .venv/ready  ## make the whole run (default: the demo); CONFIG=config/mine.yaml adds your settings
	@$(call files,CONFIG); $(if $(KEEP),samizdat keep "$(KEEP)") $(BIN)/python -P -m snakemake --cores all $${1:+--configfile "$$@"}

plan: .venv/ready  ## say which jobs would run, why, and for how long; CONFIG=config/mine.yaml
	@$(call files,CONFIG); samizdat plan $${1:+--configfile "$$@"}

RUN ?= results/demo
verify: .venv/ready  ## make a run again and compare the results; RUN=results/mine or RUN=their.zip, COPIES=their.ipynb
	@$(call files,COPIES); samizdat verify "$(RUN)" "$$@"

bundle: .venv/ready  ## write a run as one file for others to verify; INPUTS=hashes leaves the texts out
	@samizdat bundle "$(RUN)" --inputs $(or $(INPUTS),files)

# Of the command line alone: what the shell's environment has under these names must not delete anything.
ALL :=
WHAT :=
clean: .venv/ready  ## show disk use and ask what to keep; ALL=1 or WHAT="logs verify" deletes without a question
	@samizdat clean $(WHAT) $(if $(ALL),--all)

##@ Development
test: .venv/development  ## run the tests, three files at a time; LONG=1 also those that take minutes each
	@$(BIN)/pytest -rs --numprocesses 3 --dist loadfile --no-loadscope-reorder $(if $(LONG),,-m "not long")

lint: .venv/development  ## check format, code and workflow
	@ruff check . && ruff format --check . && snakefmt --check Snakefile workflow/Snakefile workflow/rules
	@$(BIN)/pytest -q tests/integration/test_lint.py
	@mypy && codespell

reference: .venv/ready  ## write docs/cli.md and docs/reference-*.md from parser, schema, records and rules
	@for page in docs/write_*.py; do $(BIN)/python $$page || exit 1; done

messages: .venv/development  ## bring the report's words of all languages up to date: workflow/samizdat/languages/*.po
	@PYTHONPATH=tests $(BIN)/python -m support.catalogues

# torch and the accelerator packages that torch chooses are left out.
COMPILE = uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header --quiet
NOT_LOCKED = $$(for name in $$(cat envs/not-locked.txt); do echo --no-emit-package $$name; done)
LOCKED = $$(sed -n 's/^\([a-z0-9._-]*\)==.*/--no-emit-package \1/p' envs/lock.txt | sort -u)
lock:  ## pin the versions of all packages in envs/ (needs uv)
	@$(COMPILE) pyproject.toml --output-file envs/lock.txt $(NOT_LOCKED)
	@$(COMPILE) pyproject.toml --extra dev --constraint envs/lock.txt --output-file envs/lock-development.txt $(NOT_LOCKED) $(LOCKED)
	@echo uv | $(COMPILE) - --output-file envs/uv.txt

audit:  ## look for known vulnerabilities in the locked packages (needs uv and a network)
	@uv tool run pip-audit --require-hashes --disable-pip $(foreach lock,$(wildcard envs/lock*.txt),--requirement $(lock))

fuzz: .venv/development  ## read 10,000 made-up configs, tables, bundles and manifests each; half an hour
	@SAMIZDAT_FUZZ=10000 $(BIN)/pytest -q tests/unit/test_fuzz.py

fresh:  ## try the README's commands on bare Debian systems (root on Debian; half an hour)
	@tests/fresh.sh

##@ Benchmarks
DEMO := results/demo/tokenizers
bench-training: .venv/ready  ## compare training with two peers; under an hour on a quiet machine
	@snakemake --cores all $(DEMO)/own/summary.json $(DEMO)/gpt2/summary.json
	@$(BIN)/python benchmarks/training.py

bench-kills: .venv/ready  ## kill the training twenty times and check that the resumed model has the same bytes
	@snakemake --cores all $(DEMO)/own/summary.json
	@$(BIN)/python benchmarks/kills.py

bench-classification: .venv/ready  ## compare classification with its peers; ten minutes on a quiet machine
	@snakemake --cores all results/demo/classifiers/sentiment/card.json
	@$(BIN)/python benchmarks/classification.py
	@$(BIN)/python benchmarks/classification_kinds.py

bench-generation: .venv/ready  ## compare generation with transformers, and time the search for copies; some minutes
	@snakemake --cores all results/demo/models/gpt2-tiny/summary.json
	@$(BIN)/python benchmarks/generation.py

bench-reproducibility: .venv/ready  ## run the demo twice, kill sixty runs, damage files, change one thing at a time; a night
	@$(BIN)/python benchmarks/reproducibility.py
	@$(BIN)/python benchmarks/checking.py

bench-inference: .venv/ready  ## simulate every verdict and interval of the report; half an hour
	@$(BIN)/python benchmarks/inference.py

bench-recipes: .venv/ready  ## compare the recipe of each size with a grid around it; a day, needs apt, see its --minutes
	@snakemake --cores all results/demo/corpus/texts.parquet
	@$(BIN)/python benchmarks/recipes.py

bench-shakespeare: .venv/ready  ## compare training with nanoGPT's on Tiny Shakespeare: TEXT=the file; a quarter of an hour
	@$(BIN)/python benchmarks/shakespeare.py "$(TEXT)"

bench-scale: .venv/ready  ## run 100,000 and 1,000,000 made-up texts and read time and memory of each step; a quarter of an hour
	@$(BIN)/python benchmarks/scale.py

bench-languages: .venv/ready  ## make reports of corpora in ten languages and check each; half an hour, needs apt
	@$(BIN)/python benchmarks/languages.py

bench-report: .venv/ready  ## check page, PDF, notebook and play.html: demo, Czech, Arabic and hostile corpus
	@$(BIN)/python benchmarks/report.py
	@$(BIN)/python benchmarks/play.py

bench-report-times: .venv/ready  ## measure how long rendering again and the PDF take, on a quiet machine
	@$(BIN)/python benchmarks/report_times.py

# Checks in a moment whether the environment fits, and repairs it if not. TORCH=system uses the PyTorch that $(PYTHON)
# has, whatever its version, as on a notebook service whose PyTorch fits its GPUs.
INSTALL = PYTHONPATH=workflow "$(PYTHON)" -B -m samizdat.environment.install --torch "$(TORCH)"

.venv/ready: FORCE
	@command -v "$(PYTHON)" >/dev/null || { echo "✗ there is no $(PYTHON); install Python 3.11 or newer, or name another with: make PYTHON=python3.12"; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11) and "✗ samizdat needs Python 3.11 or newer, and $(PYTHON) is " + sys.version.split()[0] + "; name another with: make PYTHON=python3.12")'
	@$(INSTALL)

# With the packages of tests and lint.
.venv/development: .venv/ready
	@$(INSTALL) --development

FORCE:

"""The pages of reference are what parser, schema, records and rules say, and nothing in them is empty."""

import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from samizdat.base.configuration import load_schema

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("writer", sorted(path.name for path in DOCS.glob("write_*.py")))
def test_a_page_is_up_to_date(writer, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")  # argparse would wrap its texts by it
    # A process of its own: a dry run of Snakemake needs one without a loop of events.
    code = "import runpy, sys; w = runpy.run_path(sys.argv[1]); sys.exit(w['PAGE'].read_text('utf-8') != w['page']())"
    done = subprocess.run([sys.executable, "-c", code, str(DOCS / writer)], capture_output=True, text=True, check=False)
    assert not done.returncode, f"run `make reference`\n{done.stderr}"


def test_every_argument_key_and_rule_has_a_text():
    for name in ("cli", "reference-config"):
        rows = [line for line in (DOCS / f"{name}.md").read_text(encoding="utf-8").splitlines() if line[:3] == "| `"]
        assert rows and not [row for row in rows if row.endswith(("|  |", "| None |"))]
    rules = (DOCS / "reference-rules.md").read_text(encoding="utf-8").split("\n## ")[1:]
    assert len(rules) > 20 and all(rule.split("\n\n")[1].endswith(".") for rule in rules)
    assert "| settings | every key |" in next(rule for rule in rules if rule.startswith("write_config"))
    scoring = next(rule for rule in rules if rule.startswith("score_texts"))
    assert "| settings | `classification`, `classifiers`, `device`, `seed`, `threads` |" in scoring
    assert "| writes | `results/<run>/scores/<classifier>/`: `samples.parquet`, `texts.parquet` |" in scoring


def test_a_usage_line_says_how_often_an_argument_may_be_given():
    text = (DOCS / "cli.md").read_text(encoding="utf-8")
    assert "    samizdat compare [OPTIONS] RUN [RUN ...]\n" in text and "    samizdat verify RUN [COPY ...]\n" in text
    assert "| `--range LOW HIGH` |" in text and "| `--raters NAME [NAME ...]` |" in text and "('" not in text
    assert "    samizdat sample [OPTIONS] [PROMPT]\n" in text and "| `--top-k K` |" in text


def examples(schema, way=()):
    """Find the examples below a schema, each with the schema of its key."""
    found = [(way, schema, example) for example in schema.get("examples", ())]
    for key, inner in schema.get("items", schema).get("properties", {}).items():
        found += examples(inner, (*way, key))
    return found


def test_every_example_is_a_value_that_its_key_may_have():
    whole = load_schema()
    found = examples(whole)
    assert len(found) > 40
    for _, schema, example in found:
        jsonschema.validate(example, schema | {"$defs": whole["$defs"]})


def test_an_example_is_given_where_the_default_does_not_show_the_form():
    lines = (DOCS / "reference-config.md").read_text(encoding="utf-8").splitlines()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line.startswith("| `")]
    bare = [row[0] for row in rows if row[2] in ("`null`", "`[]`", "`{}`", "`''`", "none: give one", "") and not row[3]]
    assert not bare

"""The workflow in a folder that is no clone of it: as a module of another Snakefile, and with an installed wheel."""

import os
import re
import shutil
import subprocess
import sys

import pytest
import yaml

from conftest import ROOT, new_checkout
from support import warm_python

PAGE = (ROOT / "docs" / "howto-reuse.md").read_text(encoding="utf-8")
HOST = (
    re.search(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)[1]
    + """
rule of_two_commands:
    output: "commands.txt"
    shell: "echo one > {output}; echo two >> {output}"

onstart:
    print("the host begins")
"""
)


@pytest.fixture
def project(tmp_path):
    """A project that deploys the workflow: configs and texts, and nothing else of ours."""
    shutil.copytree(ROOT / "config", tmp_path / "config", ignore=lambda _, names: set(names) - {"config.yaml"})
    changes = yaml.safe_load((ROOT / "config" / "tiny.yaml").read_text(encoding="utf-8")) | {
        "name": "mine",
        "title": "Mine",
        "pdf": False,
        "inside": False,
        "corpus": {"source": "files", "paths": ["data/"], "txt_unit": "line", "txt_document": "text"},
        "classifiers": [],
    }
    (tmp_path / "config" / "mine.yaml").write_text(yaml.safe_dump(changes), encoding="utf-8")
    (tmp_path / "data").mkdir()
    lines = "".join(f"The rain of day {number} falls on houses.\n" for number in range(200))
    (tmp_path / "data" / "rain.txt").write_text(lines, encoding="utf-8")
    return tmp_path


def snakemake(project, installed, *arguments):
    environment = warm_python.variables(os.environ | {"PYTHONPATH": str(installed)})
    return subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "2", *arguments, "--configfile", "config/mine.yaml"],
        cwd=project, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip


def write_host(project):
    (project / "workflow").mkdir()
    (project / "workflow" / "Snakefile").write_text(HOST, encoding="utf-8")


def test_another_snakefile_has_a_rule_beside_ours(project, installed):
    write_host(project)
    targets = ("counted.txt", "commands.txt", "results/mine/rules.dot")
    done = snakemake(project, installed, *targets)
    assert done.returncode == 0, done.stderr
    assert (project / "counted.txt").read_text(encoding="utf-8") == "200\n"
    assert (project / "commands.txt").read_text(encoding="utf-8") == "one\ntwo\n"
    assert "execute_report" in (project / "results" / "mine" / "rules.dot").read_text(encoding="utf-8")
    assert "the host begins" in done.stdout
    assert (project / "report" / "notes.md").is_file() and "report/notes.md is new" in done.stderr
    assert "Nothing to be done" in snakemake(project, installed, *targets).stderr


@pytest.mark.long
def test_another_snakefile_makes_a_whole_run_and_keeps_what_was_edited(project, installed):
    write_host(project)
    page = project / "results" / "mine" / "report" / "report.html"
    page.parent.mkdir(parents=True)
    page.write_text("with a sentence of the user's own", encoding="utf-8")
    done = snakemake(project, installed)
    assert done.returncode == 0, done.stderr
    assert page.with_name("report.edited.html").read_text(encoding="utf-8") == "with a sentence of the user's own"
    assert (
        "falls on houses" in page.read_text(encoding="utf-8")
        and f"Report:   {page.relative_to(project)}" in done.stderr
    )
    assert "Nothing to be done" in snakemake(project, installed).stderr


def test_a_folder_with_a_config_and_texts_is_enough(project, installed):
    (project / "config" / "config.yaml").unlink()
    where = installed.parents[2] / "share" / "samizdat" / "Snakefile"
    done = snakemake(project, installed, "--snakefile", str(where), "results/mine/corpus/texts.parquet")
    assert done.returncode == 0, done.stderr
    whole = snakemake(project, installed, "--snakefile", str(where), "--dry-run", "--quiet", "host")
    assert whole.returncode == 0 and "render_report" in whole.stdout


@pytest.mark.parametrize("how", ["by itself", "as a module"])
def test_the_snakefile_that_the_catalogue_finds_makes_the_report_by_default(project, installed, how):
    """Of a file that is only included, Snakemake makes nothing by default, and says that all is up to date."""
    snakefile = ROOT / "workflow" / "Snakefile"
    if how == "as a module":
        write_host(project)
        host = project / "workflow" / "Snakefile"
        host.write_text(HOST.replace('own("Snakefile")', repr(str(snakefile))), encoding="utf-8")
        snakefile = host
    done = snakemake(project, installed, "--snakefile", str(snakefile), "--dry-run", "--quiet", "host")
    assert done.returncode == 0 and "render_report" in done.stdout, done.stderr


def test_the_folder_of_the_workflow_may_have_braces_in_its_name(project, tmp_path):
    """Snakemake replaces `{…}` in the name of an input, and knows no other way to write a brace."""
    own = new_checkout(tmp_path / "{its} place").root
    options = ("--snakefile", str(own / "Snakefile"), "--config", "play=gpt2-tiny")
    whole = snakemake(project, own / "workflow", *options, "--dry-run", "--printshellcmds", "--quiet", "host")
    assert whole.returncode == 0 and "write_play" in whole.stdout, whole.stderr
    assert f"--look='{own}/report'" in whole.stdout and f"--document='{own}/report/index.qmd'" in whole.stdout
    done = snakemake(project, own / "workflow", "results/mine/rules.dot", *options)
    assert done.returncode == 0 and (project / "results" / "mine" / "rules.dot").is_file(), done.stderr

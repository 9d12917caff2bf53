"""Snakemake's messages about its own progress are hidden, and those that repeat what a stage said; no others."""

import logging

import pytest

from samizdat.base.snakemake_log import quieten_snakemake


@pytest.fixture
def shown():
    """What Snakemake's logger shows, as a list of messages."""
    messages = []
    handler = logging.Handler()
    handler.emit = lambda record: messages.append(record.getMessage())
    logger = logging.getLogger("snakemake.logging")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield messages
    logger.removeHandler(handler)
    logger.setLevel(level)


def test_only_messages_about_its_own_progress_are_hidden(shown):
    quieten_snakemake()
    log = logging.getLogger("snakemake.logging")
    for hidden in (
        "Building DAG of jobs...",
        "Select jobs to execute...",
        "Execute 2 jobs...",
        "Complete log(s): x.log",
    ):
        log.info(hidden)
    log.info("Config file config/config.yaml is extended by additional config specified via the command line.")
    log.info("Nothing to be done (all requested files are present and up to date).")
    log.warning("Building DAG of jobs takes long")
    log.error("Select jobs: failed")
    assert shown == [
        "Nothing to be done (all requested files are present and up to date).",
        "Building DAG of jobs takes long",
        "Select jobs: failed",
    ]


def test_what_a_failed_stage_has_said_by_itself_is_not_followed_by_its_command(shown):
    quieten_snakemake()
    log = logging.getLogger("snakemake.logging")
    command = (
        'RuleException:\nCalledProcessError in file "workflow/rules/corpus.smk", line 53:\nCommand \'unset RANK;\n'
    )
    log.error(f"{command} exec python -m samizdat.corpus.import_corpus' returned non-zero exit status 1.")
    log.error("WorkflowError:\nAt least one job did not complete successfully.")
    log.error("Exiting because a job execution failed. Look above for error messages")
    not_found = f"{command} exec python' returned non-zero exit status 127."
    log.error(not_found)
    assert shown == ["Exiting because a job execution failed. Look above for error messages", not_found]


def test_a_kill_is_explained(shown, capsys):
    quieten_snakemake()
    log = logging.getLogger("snakemake.logging")
    log.error("CalledProcessError in file x: Command 'python' returned non-zero exit status 1.")
    assert capsys.readouterr().err == ""
    log.error("CalledProcessError in file x: Command 'python' died with <Signals.SIGKILL: 9>.")
    said = capsys.readouterr().err
    assert "ended by SIGKILL, as the system does when memory runs out" in said and "ulimit -v" in said
    assert len(shown) == 2

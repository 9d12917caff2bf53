"""The launcher: as many processes as the config wants."""

from samizdat.base.digest import imported_siblings
from samizdat.records.io import read_document
from samizdat.records.models import ModelSummary
from support.small_training import contents, run, run_program, words


def test_as_many_processes_as_suit_a_cpu_are_one(tokenizer, tmp_path):
    options = words(tokenizer, tmp_path, processes="auto")
    done = run_program("samizdat.models.launch", "auto", "samizdat.models.train_model", *options)
    assert done.returncode == 0 and done.stderr.count("✓ model m") == 1, done.stderr
    assert read_document(ModelSummary, tmp_path / "out" / "summary.json").processes == 1
    _, one = run(tokenizer, tmp_path / "one", dropout=0.0, processes=1)
    assert contents(tmp_path / "out") == contents(one)


def test_training_knows_the_program_that_starts_it():
    """An edit of the launcher reruns training, though nothing imports it."""
    assert "models.launch" in imported_siblings("models.train_model")

"""Several processes of one training: they learn what one does, and are as many as the config says."""

from pathlib import Path

import pytest
from transformers import GPT2LMHeadModel

from samizdat.base.errors import UserError
from support.small_training import log_of, run, run_program, words


def test_two_processes_learn_what_one_does(tokenizer, tmp_path, monkeypatch):
    """The tolerance covers another order of float32 sums; each process computes half of every batch."""
    _, alone = run(tokenizer, tmp_path / "alone", dropout=0.0)
    done = run_program(
        "samizdat.models.launch", "2", "samizdat.models.train_model", *words(tokenizer, tmp_path, processes=2)
    )
    assert done.returncode == 0 and done.stderr.count("✓ model m") == 1, done.stderr
    together, expected = log_of(tmp_path / "out"), log_of(alone)
    assert [row["step"] for row in together] == [row["step"] for row in expected]
    for row, other in zip(together, expected, strict=True):
        for column in ("train_loss", "validation_loss", "gradient_norm"):
            assert row[column] == pytest.approx(other[column], rel=1e-3, nan_ok=True), (column, row["step"])
    GPT2LMHeadModel.from_pretrained(tmp_path / "out")
    # The benchmarks read the log with this pattern.
    monkeypatch.syspath_prepend(str(Path(__file__).parents[3] / "benchmarks"))
    from stage import LINE

    logged = LINE.findall((tmp_path / "logs" / "train.log").read_text(encoding="utf-8"))
    assert [(int(step), float(bits)) for _, step, bits in logged] == [
        (row["step"], pytest.approx(row["validation_bits_per_byte"], abs=1e-4)) for row in together
    ]


def test_another_number_of_processes_than_the_configs_is_refused(tokenizer, tmp_path):
    with pytest.raises(UserError, match=r"training.processes is 2, but the number of started processes is 1"):
        run(tokenizer, tmp_path, processes=2)

"""A GPU that can't be used is reported once, where people see it: at the terminal, when a run begins."""

import sys

SAID = "! this machine has NVIDIA's programs, but torch "


def test_an_unused_card_is_told_of_once_and_only_when_something_runs(checkout, tmp_path):
    """The driver does not answer; whatever the build of torch, torch can't use the GPU."""
    program = tmp_path / "bin" / "nvidia-smi"
    program.parent.mkdir()
    program.write_text(f"#!{sys.executable}\nraise SystemExit(9)\n", encoding="utf-8")
    program.chmod(0o755)
    path = checkout.environment()["PATH"]
    with_card = {"PATH": f"{program.parent}:{path}", "CUDA_VISIBLE_DEVICES": "0"}
    (checkout.root / "data" / "own.txt").write_text("One text.\nAnother text.\nA third.\n", encoding="utf-8")
    corpus = {"source": "files", "paths": ["data/own.txt"], "txt_unit": "line", "min_characters": 1}
    target = (
        "results/tiny/corpus/texts.parquet",
        "--configfile",
        checkout.overlay("own", corpus=corpus, classifiers=[]),
    )

    planned = checkout.snakemake("--dry-run", *target, **with_card)
    assert planned.returncode == 0 and SAID not in planned.stderr, planned.stderr
    done = checkout.snakemake(*target, **with_card)
    assert done.returncode == 0 and done.stderr.count(SAID) == 1, done.stderr

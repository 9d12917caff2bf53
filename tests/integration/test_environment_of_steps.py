"""Steps have an environment of their own, whatever the user's shell, folder or a service has set."""


def import_texts(checkout, **environment):
    """Import a corpus of three lines."""
    (checkout.root / "data" / "own.txt").write_text("One text.\nAnother text.\nA third.\n", encoding="utf-8")
    corpus = {"source": "files", "paths": ["data/own.txt"], "txt_unit": "line", "min_characters": 1}
    overlay = checkout.overlay("own", corpus=corpus, classifiers=[])
    target = ("results/tiny/corpus/texts.parquet", "--configfile", overlay)
    return checkout.snakemake(*target, **environment)


def test_a_place_among_several_processes_is_not_inherited(checkout):
    """Some services set it for every program. A process with another place than 0 says nothing and takes no lock."""
    done = import_texts(checkout, RANK="1", LOCAL_RANK="1", WORLD_SIZE="2")
    assert done.returncode == 0 and "✓ corpus" in done.stderr, done.stderr
    assert (checkout.root / "work" / "tiny" / "corpus" / "usage.json").is_file()


def test_a_program_of_the_users_does_not_take_the_place_of_a_library(checkout):
    """Python would look for a module in the folder first that it was started in."""
    for name in ("random", "tokenize", "pandas"):
        (checkout.root / f"{name}.py").write_text("raise RuntimeError('homework')\n", encoding="utf-8")
    done = import_texts(checkout)
    assert done.returncode == 0 and "✓ corpus" in done.stderr, done.stderr

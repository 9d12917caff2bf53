"""Which samples and texts are measured together."""

import pandas as pd

from samizdat.statistics.sample_sets import sample_sets
from support.study import share


def test_samples_are_counted_by_how_they_began(study):
    study.text("good")
    for _ in range(3):
        study.sample("good", kind="unprompted", temperature=0.7)
    study.sample("bad", kind="none", temperature=1.0)
    study.sample("bad", kind="config", temperature=1.0)
    study.sample("bad", kind="held_out", percent=10)
    study.sample("good", kind="none", percent=10)
    found = study.compute()
    shares = found["label_shares"]
    assert share(shares, "good", subset="samples", group_kind="all")["share"] == 0.75
    assert share(shares, "good", subset="samples", group_kind="temperature", group="0.7")["share"] == 1
    assert share(shares, "good", subset="samples", group_kind="percent", group="10")["share"] == 0.5
    # Unprompted samples exist of the published model only, and must not tilt the comparison of checkpoints.
    assert share(shares, "good", subset="samples", group_kind="percent", group="100")["share"] == 0
    sets = found["divergences"].set_index(["begun_with", "percent"])["samples"]
    assert sets["nothing", 100].max() == 4
    assert sets["prompts", 100].max() == 2
    assert ("nothing", 10) not in sets.index


def test_each_set_is_there_at_all_temperatures_and_at_each():
    rows = [("m", 100, "unprompted", 0.7), ("m", 100, "none", 1.0), ("m", 10, "config", 1.0), ("n", 100, "config", 0.7)]
    samples = pd.DataFrame(rows, columns=["model", "percent", "prompt_kind", "temperature"]).astype(
        {"temperature": "float32"}
    )
    sets = {tuple(part.names.values()): list(part.samples.index) for part in sample_sets(samples)}
    assert sets == {
        ("m", 100, None, "nothing"): [0, 1], ("m", 100, 0.7, "nothing"): [0], ("m", 100, 1.0, "nothing"): [1],
        ("m", 10, None, "prompts"): [2], ("m", 10, 1.0, "prompts"): [2],
        ("m", 100, None, "prompts"): [1], ("m", 100, 1.0, "prompts"): [1],
        ("n", 100, None, "prompts"): [3], ("n", 100, 0.7, "prompts"): [3],
    }  # fmt: skip

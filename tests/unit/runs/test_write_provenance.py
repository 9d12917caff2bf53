"""Which steps the provenance tells of."""

import json

from samizdat.base.files import write_text
from samizdat.runs.write_provenance import write_provenance


def test_steps_of_an_earlier_config_are_left_out_and_damaged_records_told(tmp_path):
    manifest, work = tmp_path / "manifest.json", tmp_path / "work"
    write_text(manifest, "{}")
    for step in ("corpus", "models/m", "models/gone", "scores/c/texts", "scores/gone/texts"):
        write_text(work / step / "usage.json", json.dumps({"elapsed_seconds": 60, "peak_memory_bytes": 7}))
    write_text(work / "models" / "m" / "speed.json", json.dumps({"tokens_per_second": 5}))
    write_text(work / "pdf" / "usage.json", "{")
    said = write_provenance((), manifest, work, ["m", "c"], [], {}, tmp_path / "provenance.json")
    assert said.startswith("all steps took 3.0 minutes") and "1 records of durations are damaged" in said
    document = json.loads((tmp_path / "provenance.json").read_text(encoding="utf-8"))
    assert document["steps"].keys() == {"corpus", "models/m", "scores/c/texts"}
    assert document["steps"]["models/m"]["tokens_per_second"] == 5


def test_steps_that_the_config_has_switched_off_are_left_out(tmp_path):
    manifest, work = tmp_path / "manifest.json", tmp_path / "work"
    write_text(manifest, "{}")
    for step, memory in {"page": 5, "pdf": 7, "inside/m": 8, "measure_examples/c": 9, "measure_examples/d": 4}.items():
        write_text(work / step / "usage.json", json.dumps({"elapsed_seconds": 60, "peak_memory_bytes": memory}))
    off = ["pdf", "play", "inside", "measure_examples/c"]
    write_provenance((), manifest, work, ["m", "c", "d"], off, {}, tmp_path / "provenance.json")
    document = json.loads((tmp_path / "provenance.json").read_text(encoding="utf-8"))
    assert document["steps"].keys() == {"page", "measure_examples/d"} and document["peak_memory_bytes"] == 5


def test_parts_that_a_classifier_no_longer_has_are_left_out(tmp_path):
    manifest, work = tmp_path / "manifest.json", tmp_path / "work"
    write_text(manifest, "{}")
    for step in (*(f"c/{part}" for part in range(12)), "d/0", "d/1", "gone/0", "m/0"):
        write_text(
            work / "score_part" / step / "usage.json", json.dumps({"elapsed_seconds": 1, "peak_memory_bytes": 1})
        )
    write_provenance((), manifest, work, ["m", "c", "d"], [], {"c": 11, "d": 1}, tmp_path / "provenance.json")
    document = json.loads((tmp_path / "provenance.json").read_text(encoding="utf-8"))
    assert document["steps"].keys() == {f"score_part/c/{part}" for part in range(11)}

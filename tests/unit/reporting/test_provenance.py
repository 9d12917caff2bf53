"""How the report was made: config, versions, files, and the graph of rules in layers."""

from dataclasses import replace

from samizdat.base.language import LANGUAGES, speaking
from samizdat.reporting import provenance
from samizdat.reporting.provenance import layered
from support.reading import cells


def test_how_it_was_made_names_config_versions_and_files(run):
    settings = dict(cells(provenance.settings(run).markdown)[1:])
    assert settings["seed"] == "2014" and settings["models[gpt2-tiny].tokenizer"] == '"own"'
    assert ["torch", "2.13.0"] in cells(provenance.versions(run).markdown)
    files = dict(cells(provenance.hashes(run).markdown)[1:])
    assert files["corpus/texts.parquet"] == run.manifest.artefacts["corpus/texts.parquet"]
    assert "data/letters.txt" in files and run.config["notes"] not in files
    assert provenance.rule_graph(run).alternative_text == (
        "3 steps lead from the texts to the page. In order: import corpus; then train model; then generate samples."
    )


def test_a_line_end_in_the_name_of_a_file_begins_no_line_of_the_table(run, monkeypatch):
    monkeypatch.setattr(run, "manifest", replace(run.manifest, inputs={"data/a\nb.txt": "0" * 64}))
    assert cells(provenance.hashes(run).markdown)[-1] == ["data/a␊b.txt", "0" * 64]


def test_words_of_a_step_fit_into_its_box_in_each_language(run, monkeypatch):
    chain = ["import_corpus", "train_model_my_model", "write_play", "compute_statistics", "compare_with_raters"]
    wide = [("import_corpus", step) for step in (*chain[1:], "judge_samples", "measure_yardsticks")]
    monkeypatch.setattr(run, "manifest", replace(run.manifest, rules=wide))
    for language in LANGUAGES:
        with speaking(language):
            picture = provenance.rule_graph(run)
        picture.draw_without_rendering()
        [axis] = picture.axes
        boxes = [box.get_window_extent() for box in axis.patches]
        words = [said for said in axis.texts if said.get_text()]
        assert len(words) == 7
        for said in words:
            own = said.get_window_extent()
            inside = [box.fully_contains(*own.p0) and box.fully_contains(*own.p1) for box in boxes]
            assert any(inside), (language, said.get_text())
    with speaking("cs"):
        assert "trénovat model: my_model" in provenance.rule_graph(run).alternative_text


def test_layers_follow_the_longest_path():
    layers = layered({("a", "b"), ("b", "c"), ("a", "c"), ("d", "c")})
    assert layers == [["a", "d"], ["b", ("a", "c", 1), ("d", "c", 1)], ["c"]] or layers[0] == ["a", "d"]
    assert [[node for node in layer if isinstance(node, str)] for layer in layers] == [["a", "d"], ["b"], ["c"]]

"""How the report was made: config, versions, files, and the graph of rules in layers."""

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


def test_layers_follow_the_longest_path():
    layers = layered({("a", "b"), ("b", "c"), ("a", "c"), ("d", "c")})
    assert layers == [["a", "d"], ["b", ("a", "c", 1), ("d", "c", 1)], ["c"]] or layers[0] == ["a", "d"]
    assert [[node for node in layer if isinstance(node, str)] for layer in layers] == [["a", "d"], ["b"], ["c"]]

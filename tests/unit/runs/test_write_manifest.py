"""The manifest's parts."""

from samizdat.runs.write_manifest import rule_edges


def test_rule_edges_are_read_from_the_rule_graph():
    dot = 'digraph {\n\t0[label = "all", color = "0"];\n\t1[label = "import_corpus", color = "1"];\n\t1 -> 0\n}'
    assert rule_edges(dot) == [["import_corpus", "all"]]

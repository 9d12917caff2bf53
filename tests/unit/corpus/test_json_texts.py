"""JSON: objects on lines, in a list or in the one list of an object; nested fields; what is no table."""

import json

import pytest

ROWS = [{"text": f"text {number}", "mood": ["good", "bad"][number % 2]} for number in range(4)]
LINES = "\n".join(map(json.dumps, ROWS))
MOOD = {"label_columns": ("mood",)}


@pytest.mark.parametrize("suffix", ["json", "jsonl", "ndjson"])
@pytest.mark.parametrize(
    ("content", "found"),
    [
        (LINES, []),
        ("\n\n" + LINES.replace("\n", "\r\n\r\n"), []),
        (json.dumps(ROWS), []),
        (json.dumps(ROWS, indent=1), []),
        ("[\n" + ",\n".join(map(json.dumps, ROWS)) + "\n]", []),
        (json.dumps({"version": 1, "data": ROWS}), ["the list under the key 'data'"]),
        (json.dumps({"data": ROWS, "name": "x"}, indent=2), ["the list under the key 'data'"]),
    ],
)
def test_objects_are_found_whatever_the_suffix_says(corpus, suffix, content, found):
    table, summary = corpus({f"t.{suffix}": content}, **MOOD)
    assert table["text"].tolist() == [row["text"] for row in ROWS]
    assert table["label_mood"].tolist() == [row["mood"] for row in ROWS]
    assert list(summary.found) == found


def test_a_list_of_strings_is_a_list_of_texts(corpus):
    assert corpus({"t.json": '["one", "two", "three"]'})[0]["text"].tolist() == ["one", "two", "three"]


def test_nested_fields_have_dotted_paths(corpus):
    rows = [
        {"body": {"text": "one"}, "meta": {"by": {"name": "Ann"}, "mood": "good"}},
        {"body": {"text": "two"}, "meta": {"by": None}, "body.text": "a field of that name comes first"},
        {"body": {"text": "three"}},
    ]
    table, _ = corpus(
        {"t.json": json.dumps(rows)}, text_column="body.text", group_column="meta.by.name", label_columns=("meta.mood",)
    )
    assert table["text"].tolist() == ["one", "a field of that name comes first", "three"]
    assert table["group"].fillna("none").tolist() == ["Ann", "none", "none"]
    assert table["label_meta.mood"].fillna("none").tolist() == ["good", "none", "none"]


def test_optional_fields_may_be_absent(corpus):
    rows = ['{"text": "one"}', '{"text": "two", "mood": "bad"}', '{"text": "three", "mood": null}', '{"mood": "good"}']
    table, summary = corpus({"t.jsonl": "\n".join(rows)}, document_column=None, **MOOD)
    assert table["label_mood"].fillna("none").tolist() == ["none", "bad", "none"]
    assert summary.dropped == {"empty cell": 1}


def test_labels_look_as_they_are_written(corpus):
    values = ["1", "1.0", "1e3", "true", "false", '"01"', "NaN", '" x "', "-Infinity", '"nan"', "12345678901234567890"]
    lines = "\n".join(f'{{"text": "text {number}", "mood": {value}}}' for number, value in enumerate(values))
    labels = corpus({"t.jsonl": lines}, **MOOD)[0]["label_mood"].fillna("none").tolist()
    assert labels == [
        "1", "1.0", "1e3", "true", "false", "01", "none", "x", "-Infinity", "none", "12345678901234567890"
    ]  # fmt: skip


def test_half_of_a_letter_in_a_name_is_a_lost_letter_and_told(corpus):
    half = "a\\ud83d"  # as JSON escapes an emoji that was cut
    rows = [f'{{"text": "text {number}", "a": "{name}", "b": "{name}"}}' for number, name in enumerate([half, "x"])]
    columns = {"document_column": "a", "group_column": "a", "label_columns": ("b",), "rater_columns": {"c": ["a", "b"]}}
    table, summary = corpus({"t.jsonl": "\n".join(rows)}, **columns)
    assert [table[name][0] for name in ("document", "group", "label_b", "label_c")] == ["a\ufffd"] * 4
    assert dict(table["raters"][0])["c"].tolist() == ["a\ufffd"] * 2
    assert list(summary.found) == ["letters were lost when it was saved: \ufffd (U+FFFD) is in their place"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('{"text": "a", "text": "b"}', ["is no JSON: an object has the key 'text' twice"]),
        (
            "[{" + ", ".join(f'"{key}": 1' for key in [*range(50_000), 49_999]) + "}]",
            ["an object has the key '49999' twice"],
        ),
        ('[{"text": "a"}, {"x": 1, "x": 2}]', ["is no JSON: an object has the key 'x' twice"]),
        (LINES + '\n{"text": "b"', ["line 5 is no JSON object"]),
        (LINES + '\n{"text" "b"}', ["line 5 is no JSON object: Expecting ':' delimiter at column 9."]),
        (LINES + "\n12", ["line 5 is no JSON object: it is a JSON value of another kind"]),
        ('[{"text": "a"},\n{"text": b}]', ["is no JSON", "line 2"]),
        ('{"a": [], "b": []}', ["one JSON object, which has no 'text'", "of its keys 'a', 'b' 2 hold a list"]),
        ('{\n"a": 1\n}', ["0 hold a list"]),
        ("<html>", ["is no JSON"]),
        ("", ["is no JSON"]),
        ("[" * 100_000, ["is no JSON"]),
        ('{"text": "a", "x": ' + "[" * 100_000 + "]" * 100_000 + "}\n" + LINES, ["line 1 is no JSON object"]),
        (LINES + '\n{"text": "b", "text": "c"}', ["line 5 is no JSON object: an object has the key 'text' twice"]),
        (LINES + '\n{"text": "b", "mood": []}', ["t.json:5: corpus.label_columns 'mood' is a list"]),
        ('{"Text": "a"}\n{"title": "b"}', ["has no column 'text' (corpus.text_column); it has: 'Text', 'title'"]),
        ('{"text": "a"}\n{"text": "b"}', ["has no column 'mood' (corpus.label_columns); it has: 'text'"]),
        ('{"text": "a", "mood": ["x"]}', ["t.json, item 1: corpus.label_columns 'mood' is a list", "single value"]),
        ('{"text": "a", "mood": {"x": 1}}', ["corpus.label_columns 'mood' is an object"]),
        ('{"text": ["a"], "mood": ["x"]}', ["holds all texts under 'text': it is written column by column", "records"]),
        ('{"text": {"0": "a"}}', ["holds all texts under 'text': it is written column by column"]),
        ('[{"text": ["a"], "mood": 1}]', ["the corpus is empty", "1 × a list, not text"]),
    ],
)
def test_what_is_no_table_of_texts_is_refused(refusal, content, said):
    message = refusal({"t.json": content}, **MOOD)
    for part in said:
        assert part in message

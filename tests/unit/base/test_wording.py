"""Durations and config values as people read them."""

import pytest

from samizdat.base.wording import different_words, dotted, duration, json_words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.04, "0.0 s"),
        (9.96, "10.0 s"),
        (52.4, "52 s"),
        (200, "3 min 20 s"),
        (3599.9, "59 min 59 s"),
        (3600, "1 h 0 min"),
        (45252, "12 h 34 min"),
        (360_000, "100 h 0 min"),
    ],
)
def test_a_duration_has_its_units(seconds, words):
    assert duration(seconds) == words


def test_nested_keys_have_one_line_each():
    config = {"b": {"y": 1, "x": []}, "a": [{"name": "own", "size": 2}, {"size": 3}], "c": ["text"]}
    assert list(dotted(config)) == [
        ("a[own].name", "own"),
        ("a[own].size", 2),
        ("a[1].size", 3),
        ("b.x", []),
        ("b.y", 1),
        ("c", ["text"]),
    ]


def test_a_value_keeps_its_script_and_a_long_one_is_cut():
    assert json_words("žluť", 20) == '"žluť"'
    assert len(json_words("long " * 20, 20)) == 20


def test_long_values_that_differ_do_not_look_the_same():
    assert different_words([1, True, "a", "a"], 20) == ["1", "true", '"a"', '"a"']
    values = ["short", "long " * 20 + "first", "long " * 20 + "second", "long " * 20 + "first"]
    found = different_words(values, 20)
    assert found[0] == '"short"' and found[1] == found[3] != found[2] and max(map(len, found)) <= 20
    assert found[1].startswith("…") and "first" in found[1] and "second" in found[2]

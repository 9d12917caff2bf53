"""Two files compared: known answers for every kind of file that a run has."""

import base64
import io
import json
import struct

import numpy as np
import pandas as pd
import pytest
import torch
import typst
from PIL import Image, ImageDraw
from safetensors.torch import save_file

from samizdat.base.files import sha256_of
from samizdat.runs.sameness import CLOSE, DIFFERENT, SAME, KnownDifferences, compare

WORDS = {"id": ["a", "b"], "value": [0.5, -2.0], "many": [[0.25, 0.75], None], "count": [3, 4]}


def write(path, content):
    """Write a file of the kind that its suffix says."""
    if path.suffix == ".safetensors":
        save_file(content, path)
    elif path.suffix == ".parquet":
        pd.DataFrame(content).to_parquet(path)
    elif path.suffix == ".csv":
        pd.DataFrame(content).to_csv(path, index=False)
    elif path.suffix in (".json", ".ipynb"):
        path.write_text(json.dumps(content), encoding="utf-8")
    else:
        path.write_text(content, encoding="utf-8")


def compare_contents(folder, name, old, new, words=None, *, comma=False):
    known = KnownDifferences(words or {}, comma=comma)
    paths = [folder / f"{side}-{name}" for side in ("old", "new")]
    for path, content in zip(paths, (old, new), strict=True):
        write(path, content)
    return compare(*paths, known), known


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_one_byte_of_a_tensor(tmp_path, dtype):
    weights = {"a": torch.ones(2, 3, dtype=dtype), "b.c": torch.arange(12.0).reshape(3, 4).to(dtype)}
    verdict, _ = compare_contents(tmp_path, "x.safetensors", weights, weights)
    assert verdict.kind == SAME
    path = tmp_path / "new-x.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 0x80  # the sign of the last element of the last tensor
    path.write_bytes(data)
    verdict = compare(tmp_path / "old-x.safetensors", path, KnownDifferences())
    assert verdict.kind == DIFFERENT and verdict.where == "tensor b.c[2, 3]: 11 against -11"


def test_tensors_within_the_tolerance_and_of_another_shape(tmp_path):
    weights = {"a": torch.tensor([1000.0, 1e-4])}
    verdict, known = compare_contents(tmp_path, "x.safetensors", weights, {"a": torch.tensor([1000.9, 0.3])})
    assert verdict.kind == CLOSE
    hashes = [sha256_of(tmp_path / f"{side}-x.safetensors") for side in ("old", "new")]
    assert known.words == {hashes[0]: hashes[1]}
    assert compare_contents(tmp_path, "y.safetensors", weights, {"a": torch.tensor([1001.1, 0.0])})[0].kind == DIFFERENT
    other = compare_contents(tmp_path, "z.safetensors", weights, {"a": torch.zeros(1, 2)})[0]
    assert other.where.startswith("tensor a: [2] of")
    assert "only in the recorded" in compare_contents(tmp_path, "v.safetensors", weights, {"b": weights["a"]})[0].where
    assert (
        "only in the rebuilt"
        in compare_contents(tmp_path, "w.safetensors", weights, weights | {"b": torch.zeros(1)})[0].where
    )


@pytest.mark.parametrize("kind", ["parquet", "csv"])
def test_cells_of_a_table(tmp_path, kind):
    table = {key: value for key, value in WORDS.items() if kind == "parquet" or key != "many"}

    def changed(**columns):
        return compare_contents(tmp_path, f"x.{kind}", table, table | columns)[0]

    assert changed().kind == SAME
    assert changed(value=[0.5, -2.0019]).kind == CLOSE
    assert changed(value=[0.5, -2.0021]).where == "column value, row 1: -2.0 against -2.0021"
    assert changed(id=["a", "c"]).where == "column id, row 1: b against c"
    assert changed(count=[3, 5]).where == "column count, row 1: 4 against 5"
    assert changed(more=[1, 2]).where.startswith("columns ")
    if kind == "parquet":
        assert changed(many=[[0.2501, 0.7499], None]).kind == CLOSE
        assert changed(many=[[0.25, 0.75], [0.1, 0.9]]).where == "column many, row 1: null against [0.1, 0.9]"
    longer = {name: [*values, values[0]] for name, values in table.items()}
    assert compare_contents(tmp_path, f"x.{kind}", table, longer)[0].where == "2 rows against 3"


def test_one_byte_in_a_cell_of_a_table(tmp_path):
    old = tmp_path / "old.parquet"
    pd.DataFrame({"value": np.array([1.5, 2.5])}).to_parquet(old, compression=None, write_statistics=False,
                                                             use_dictionary=False)  # fmt: skip
    data = old.read_bytes()
    assert data.count(struct.pack("<d", 2.5)) == 1
    (tmp_path / "new.parquet").write_bytes(data.replace(struct.pack("<d", 2.5), struct.pack("<d", -2.5)))
    verdict = compare(old, tmp_path / "new.parquet", KnownDifferences())
    assert verdict.kind == DIFFERENT and verdict.where == "column value, row 1: 2.5 against -2.5"


def test_keys_of_a_document(tmp_path):
    document = {"a": {"b": [1.0, 2]}, "sha": "0" * 64, "device_kind": "cpu", "none": None}

    def changed(words=None, **keys):
        return compare_contents(tmp_path, "x.json", document, document | keys, words)[0]

    assert changed().kind == SAME and changed(a={"b": [1.0005, 2]}).kind == CLOSE
    assert changed(a={"b": [1.1, 2]}).where == "key a.b[0]: 1.0 against 1.1"
    assert changed(a={"b": [1.0, 3]}).where == "key a.b[1]: 2 against 3"
    assert changed(a={"b": [1.0]}).where == "key a.b: 2 items against 1"
    assert changed(more=1).where == "key more: only in the rebuilt file"
    assert changed(none=False).kind == DIFFERENT and changed(a={"b": [True, 2]}).kind == DIFFERENT
    # A hash may differ where its file was found close, and the device may differ.
    assert changed(sha="1" * 64).kind == DIFFERENT
    assert changed({"0" * 64: "1" * 64}, sha="1" * 64).kind == CLOSE
    assert changed(device_kind="cuda").kind == CLOSE
    assert changed(device_kind="none").where == "key device_kind: cpu against none"


def picture(grey, size=8):
    """A PNG of one colour, in base64."""
    file = io.BytesIO()
    Image.new("RGB", (size, size), (grey, grey, grey)).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def drawing(*, at=40, hidden=False, label="0.51"):
    """A picture of a line on a transparent ground, in base64."""
    drawn = Image.new("RGBA", (600, 400), (255, 255, 255, 0))
    canvas = ImageDraw.Draw(drawn)
    canvas.line([(20, at), (280, at)], (31, 119, 180, 0 if hidden else 255), 2)
    canvas.text((100, 100), label, (0, 0, 0, 255))
    file = io.BytesIO()
    drawn.save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({}, SAME),
        ({"at": 41}, CLOSE),  # as of numbers that differ by a thousandth
        ({"label": "0.52"}, CLOSE),
        ({"at": 50}, DIFFERENT),
        ({"hidden": True}, DIFFERENT),
    ],
)
def test_a_line_that_somebody_moved_or_hid_makes_another_picture(tmp_path, change, kind):
    """It has so few pixels that the mean of all doesn't tell."""
    pages = [f'<img src="data:image/png;base64,{picture}">' for picture in (drawing(), drawing(**change))]
    verdict = compare_contents(tmp_path, "x.html", *pages)[0]
    assert verdict.kind == kind and verdict.where == ("line 1: another picture" if kind == DIFFERENT else "")


def test_pictures_of_other_sizes_are_not_decoded(tmp_path, monkeypatch):
    """Somebody else's may be made to fill the memory."""
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda *_: pytest.fail("decoded"))
    pages = [f'<img src="data:image/png;base64,{picture(100, size)}">' for size in (8, 9)]
    assert compare_contents(tmp_path, "x.html", *pages)[0].kind == DIFFERENT


def test_pictures_and_what_is_painted_over_words_of_a_pdf(tmp_path):
    def compared(exact=False, **changes):
        for name, change in (("old", {}), ("new", changes)):
            image = tmp_path / f"{name}.png"
            image.write_bytes(base64.b64decode(drawing(at=change.get("at", 40))))
            words = f'#image("{name}.png")\nabout 0.51 {change.get("more", "")}'
            source = tmp_path / f"{name}.typ"
            source.write_text(words, encoding="utf-8")
            (tmp_path / f"{name}.pdf").write_bytes(typst.compile(source, format="pdf", timestamp=0))
        return compare(tmp_path / "old.pdf", tmp_path / "new.pdf", KnownDifferences(exact=exact))

    assert compared().kind == SAME and compared(at=41).kind == CLOSE
    assert compared(at=60).where == "picture 1 is another one"
    assert compared(more='#image("new.png")').where == "1 pictures against 2"
    patch = "#place(rect(width: 3cm, fill: white))"
    assert compared(more=patch).kind == CLOSE
    assert compared(exact=True, more=patch).where == "0 lines, areas and notes against 1"


def test_grey_pictures_of_a_pdf(tmp_path):
    def compared(grey):
        for name, level in (("old", 200), ("new", grey)):
            Image.new("L", (50, 40), level).save(tmp_path / f"{name}.pdf", title=name)
        return compare(tmp_path / "old.pdf", tmp_path / "new.pdf", KnownDifferences())

    assert compared(200).kind == CLOSE and compared(100).where == "picture 1 is another one"


def test_words_and_numbers_of_a_page(tmp_path):
    page = f'<p>The share is 12.5 % of 1,200.</p>\n<p>On cpu.</p>\n<img src="data:image/png;base64,{picture(100)}">\n'

    def changed(old, new, words=None):
        assert old in page
        return compare_contents(tmp_path, "x.html", page, page.replace(old, new), words)[0]

    assert changed("", "").kind == SAME
    assert changed("12.5", "12.6").kind == CLOSE and changed("1,200", "1,201").kind == CLOSE
    assert changed("12.5", "12.7").where == "line 1: are is 12.5 against are is 12.7"
    assert changed("1,200", "1,202").kind == DIFFERENT
    assert changed("share", "part").where.startswith("line 1: ")
    assert changed("cpu", "gpu").where.startswith("line 2: ")
    assert changed("cpu", "cuda", {"cpu": "cuda"}).kind == CLOSE
    assert changed(picture(100), picture(102)).kind == CLOSE
    assert changed(picture(100), picture(103)).where == "line 3: another picture"
    assert changed(picture(100), picture(100, size=9)).where == "line 3: another picture"
    assert compare_contents(tmp_path, "x.html", page, page + "<p>more</p>")[0].kind == DIFFERENT


def test_cells_of_a_notebook(tmp_path):
    def notebook(text="3.14", grey=100, source=("import a\n", "b")):
        data = {"text/markdown": [text], "image/png": picture(grey) + "\n"}
        cell = {"cell_type": "code", "source": list(source), "outputs": [{"data": data}]}
        return {"cells": [cell], "metadata": {}}

    def changed(**what):
        return compare_contents(tmp_path, "x.ipynb", notebook(), notebook(**what))[0]

    assert changed().kind == SAME and changed(text="3.15").kind == CLOSE and changed(grey=101).kind == CLOSE
    assert changed(text="3.17").where == "key cells[0].outputs[0].data.text/markdown: 3.14 against 3.17"
    assert "image/png" in changed(grey=200).where
    long = "a sentence of many words that both have before their numbers differ, as in "
    verdict = compare_contents(tmp_path, "y.ipynb", notebook(text=f"{long}3.14"), notebook(text=f"{long}3.17"))[0]
    assert verdict.where.endswith("differ, as in 3.14 against …rs differ, as in 3.17"), verdict.where
    assert changed(source=["import a\n", "c"]).where.startswith("key cells[0].source")


def test_other_files_are_compared_byte_by_byte_and_a_missing_one_is_different(tmp_path):
    assert compare_contents(tmp_path, "x.txt", "one\ntwo", "one\ntwi")[0].where == "byte 6"
    assert compare_contents(tmp_path, "x.bin", "one", "one more")[0].where == "byte 3"
    verdict = compare(tmp_path / "old-x.txt", tmp_path / "nowhere.txt", KnownDifferences())
    assert verdict.kind == DIFFERENT and "no such file" in verdict.where


def test_whole_numbers_may_be_rounded_the_other_way(tmp_path):
    weights = {"a": torch.tensor([5, -127], dtype=torch.int8)}
    other = {"a": torch.tensor([6, -127], dtype=torch.int8)}
    assert compare_contents(tmp_path, "x.safetensors", weights, other)[0].kind == CLOSE
    other = {"a": torch.tensor([7, -127], dtype=torch.int8)}
    verdict, _ = compare_contents(tmp_path, "y.safetensors", weights, other)
    assert verdict.kind == DIFFERENT and verdict.where == "tensor a[0]: 5 against 7"


def page_with_weights(numbers, scale, words="1 step"):
    packed = base64.b64encode(np.array(numbers, np.int8).tobytes() + np.array([scale], "<f4").tobytes()).decode()
    tensors = [{"name": "w", "rows": 1, "columns": 4, "at": 0, "scales": 4}]
    return (
        f'<p>{words}</p><script id="facts" type="application/json">{json.dumps({"tensors": tensors})}</script>'
        f'<script id="weights-100" type="text/plain">{packed}</script>'
    )


@pytest.mark.parametrize(
    ("numbers", "scale", "words", "where"),
    [
        ([1, 2, 3, 126], 0.5001, "1 step", None),
        ([1, 2, 3, 124], 0.5, "1 step", "tensor 100: w[3]: 127 against 124"),
        ([1, 2, 3, 127], 0.6, "1 step", "tensor 100: w.scales[0]: 0.5 against 0.6"),
        ([1, 2, 3, 126], 0.5, "2 steps", "line 1"),
    ],
)
def test_the_weights_in_a_page_are_compared_as_numbers(tmp_path, numbers, scale, words, where):
    for side, page in (
        ("old", page_with_weights([1, 2, 3, 127], 0.5)),
        ("new", page_with_weights(numbers, scale, words)),
    ):
        (tmp_path / f"{side}.html").write_text(page, encoding="utf-8")
    verdict = compare(tmp_path / "old.html", tmp_path / "new.html", KnownDifferences())
    assert (verdict.kind == CLOSE) if where is None else (where in verdict.where)


@pytest.mark.parametrize("wrong", [float("inf"), -float("inf"), 3e38])
@pytest.mark.parametrize("side", [0, 1])
def test_an_element_that_is_far_too_large_allows_nothing(tmp_path, side, wrong):
    sides = [{"a": torch.tensor([1.0, 2.0])}, {"a": torch.tensor([1.0, 2.0])}]
    sides[side]["a"][0] = wrong
    assert compare_contents(tmp_path, "x.safetensors", *sides)[0].kind == DIFFERENT


def test_a_number_with_fewer_decimals_is_no_closer(tmp_path):
    for old, new in (("0.6", "0.543"), ("0.543", "0.6")):
        assert compare_contents(tmp_path, "x.html", f"F1 {old}", f"F1 {new}")[0].kind == DIFFERENT
    assert compare_contents(tmp_path, "x.html", "F1 0.54", "F1 0.540")[0].kind == CLOSE


def test_an_element_that_is_infinite_on_both_sides_says_nothing_of_the_others(tmp_path):
    old, new, near = ({"a": torch.tensor([float("inf"), number])} for number in (1.0, 50.0, 1.0005))
    verdict = compare_contents(tmp_path, "x.safetensors", old, new)[0]
    assert verdict.kind == DIFFERENT and verdict.where == "tensor a[1]: 1 against 50"
    assert compare_contents(tmp_path, "y.safetensors", old, near)[0].kind == CLOSE


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ("0,532", "0,533", CLOSE), ("0,532", "0,535", DIFFERENT), ("99,95\u00a0%", "100,05\u00a0%", CLOSE),
        ("99,9\u00a0%", "100,0\u00a0%", CLOSE), ("12,5, 13,1.", "12,6, 13,0.", CLOSE),
        ("1\u00a0234,5", "1\u00a0235,5", CLOSE), ("1\u00a0234,5", "1\u00a0237,5", DIFFERENT),
        ("12.345", "12.350", CLOSE), ("1.234.567", "1.235.000", CLOSE), ("1.234,5", "1.237,5", DIFFERENT),
        ("0.532", "0.533", CLOSE), ("[1,2,3]", "[1,3,3]", DIFFERENT), ("2.5.1", "2.5.2", DIFFERENT),
    ],
)  # fmt: skip
def test_numbers_of_a_report_with_a_decimal_comma(tmp_path, old, new, kind):
    assert compare_contents(tmp_path, "x.html", f"F1 {old}", f"F1 {new}", comma=True)[0].kind == kind

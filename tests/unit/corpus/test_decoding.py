"""Bytes to text: marks, settings, content; compressed files; what is no text."""

import bz2
import gzip
import lzma

import pyarrow as pa
import pytest

CZECH = (
    "Babička seděla u okna a četla staré dopisy, které jí děda poslal z vojny. Večer přišel déšť a děti běžely domů."
)
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 12\n"
PANGRAM = "Příliš žluťoučký kůň úpěl ďábelské ódy. "
LIKELY = PANGRAM[:-2] + ", a babička seděla u okna a četla staré dopisy. "
SAMPLES = {
    "cp1250": CZECH,
    "iso8859-2": CZECH,
    "cp1252": "“Gestern regnete es”, und die Kinder saßen zu Hause, während die Väter müde für Brötchen gingen. "
    "Später hörten wir Geräusche, und natürlich öffnete niemand die Tür.",
    "cp1251": "Вчера вечером шёл дождь, и дети сидели дома и читали книги.",
    "koi8-r": "Вчера вечером шёл дождь, и дети сидели дома и читали книги.",
    "cp1253": "Χθες το βράδυ έβρεχε, και τα παιδιά κάθονταν στο σπίτι.",
    "cp1255": "אתמול בערב ירד גשם, והילדים ישבו בבית וקראו ספרים ליד השולחן.",
    "cp1256": "أمس في المساء كان المطر ينزل، وكان الأطفال يجلسون في البيت.",
    "cp874": "เมื่อวานตอนเย็นฝนตก เด็ก ๆ นั่งอยู่ที่บ้านและอ่านหนังสือ",
    "shift_jis": "昨日の夜は雨が降っていて、子供たちは家に座って本を読んでいました。",
    "euc_jp": "昨日の夜は雨が降っていて、子供たちは家に座って本を読んでいました。",
    "iso2022_jp": "昨日の夜は雨が降っていて、子供たちは家に座って本を読んでいました。",
    "gb18030": "昨天晚上下雨，孩子们坐在家里看书。没有人知道父亲什么时候回来。",
    "big5": "昨天晚上下雨，孩子們坐在家裡看書。沒有人知道父親什麼時候回來。",
    "euc_kr": "어제 저녁에 비가 와서 아이들은 집에 앉아 책을 읽었다. 아버지는 오지 않았다.",
    "utf-16-le": "no mark here",
    "utf-16-be": "no mark here",
}  # fmt: skip


def lines(*texts: str) -> str:
    return "\n".join(texts)


@pytest.mark.parametrize("encoding", SAMPLES)
def test_an_encoding_is_found_by_content_and_told(corpus, capsys, encoding):
    text = " ".join([SAMPLES[encoding]] * 3)
    table, summary = corpus({"a.txt": lines(text, "and", "another").encode(encoding)}, txt_unit="line")
    assert table["text"].tolist() == [text, "and", "another"]
    (words,) = summary.found
    assert words.startswith("in ") and "by its " in words and summary.found[words] == "data/a.txt"
    assert f"! data/a.txt: {words}" in capsys.readouterr().err


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("setting", ["auto", "utf-8", "cp1250"])
def test_a_mark_decides_and_is_no_letter(corpus, encoding, setting):
    data = ("\ufeff" + lines(CZECH, "\ufeffa mark from a joined file", "third")).encode(encoding)
    table, summary = corpus({"a.txt": data}, txt_unit="line", encoding=setting)
    assert table["text"].tolist() == [CZECH, "a mark from a joined file", "third"]
    assert list(summary.found) == ([] if encoding == "utf-8" else [f"in {encoding[:6].upper()}, by its mark"])


def test_plain_utf8_is_no_finding(corpus):
    assert corpus({"a.txt": lines(CZECH, "two", "three")}, txt_unit="line")[1].found == {}


SOME = {"data/old/*": "cp1250", "data/old/b.*": "iso8859-2"}


def test_an_encoding_can_be_set_for_some_files(corpus):
    files = {"old/a.txt": "žák".encode("cp1250"), "old/b.txt": "šaty".encode("iso8859-2"), "c.txt": "děda"}
    table, summary = corpus(files, encoding=SOME)
    assert set(table["text"]) == {"žák", "šaty", "děda"} and summary.found == {}


@pytest.mark.parametrize("pattern", ["old/*.txt", "old/a.txt", "data/old/*", "a.*", "*/old/*"])
def test_a_pattern_may_be_of_the_end_of_a_path(corpus, pattern):
    files = {"old/a.txt": "žába".encode("cp1250"), "older/b.txt": "ženy", "c.txt": "žito"}
    table, _ = corpus(files, encoding={pattern: "cp1250", "*": "utf-8"})
    assert sorted(table["text"]) == ["ženy", "žito", "žába"]


def test_a_pattern_that_no_file_fits_is_refused(refusal):
    message = refusal({"old/a.txt": "one", "old/b.txt": "two"}, encoding=SOME | {"*.csv": "cp1250"})
    assert "corpus.encoding: no file of corpus.paths fits the pattern '*.csv'" in message


@pytest.mark.parametrize(
    ("data", "encoding", "said"),
    [
        ("dvě žáby".encode("cp1250"), "auto", ["byte offset 2 (0xec) is not utf-8", "perhaps", "its 3 bytes"]),
        # Most of it is UTF-8, so it is damaged and not in another encoding.
        (CZECH.encode() + b"\n\xc5 end", "auto", ["line 2, byte offset", "(0xc5) is not utf-8"]),
        (b"\xef\xbb\xbfone\ntwo \xec", "cp1250", ["line 2", "(0xec) is not utf-8", "correct it there: the mark at"]),
        ("one".encode("utf-16") + b"x", "auto", ["is not utf-16: truncated data", "says that all of it is utf-16"]),
        # In a sentence that has every letter, none is likely.
        ((PANGRAM * 5).encode("iso8859-2"), "auto", ["perhaps", "beyond ASCII don't tell it for certain"]),
        ((LIKELY * 5).encode("iso8859-2"), "auto", ["perhaps it is Windows-1250 or ISO-8859-2"]),
        ("dvě".encode(), "ascii", ["line 1, byte offset 2 (0xc4) is not ascii"]),
        ("“a”".encode("cp1252"), "latin-1", ["line 1 has the byte 0x93, which is no letter in latin-1", "cp1252"]),
        (b"a\nb\0c", "utf-8", ["line 2 has a zero byte", "utf-16-le"]),
        (b"one", "rot13", ["'rot13' is not known"]),
        (b"one", "idna\0", ["is not known"]),
        (b"%PDF-1.7 \x80", "latin-1", ["is a PDF, not text"]),
        (b"PK\x03\x04....", "auto", ["is a zip file"]),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "cp1250", ["a file of Word or Excel"]),
        (rb"{\rtf1\ansi one}", "auto", ["a file of a word processor (RTF), not text"]),
        (POINTER, "latin-1", ["only says where Git LFS has the file", "git lfs pull"]),
    ],
)  # fmt: skip
def test_what_cant_be_decoded_is_refused(refusal, data, encoding, said):
    message = refusal({"a.txt": data}, encoding=encoding)
    for part in said:
        assert part in message


def zstd(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return sink.getvalue().to_pybytes()


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet", "parquet.gz", "xlsx"])
def test_a_pointer_to_a_file_is_called_so_whatever_its_kind(refusal, suffix):
    assert "only says where Git LFS has the file" in refusal({f"t.{suffix}": POINTER})


def test_letters_that_were_lost_before_are_told_and_pages_of_the_web_too(corpus, capsys):
    page = "<!DOCTYPE html>\n<p>three</p>"
    files = {
        "a.txt": "P\ufffdli\ufffd lu\ufffdou\ufffdk",
        "b.csv": "text\ntwo \ufffd\nten",
        "c.md": page,
        "d.txt": "four",
    }
    table, summary = corpus(files)
    assert "P\ufffdli\ufffd lu\ufffdou\ufffdk" in table["text"].tolist()
    assert summary.found == {
        "letters were lost when it was saved: \ufffd (U+FFFD) is in their place": "data/a.txt, data/b.csv",
        "a page of the web (HTML): its tags are read as text, too": "data/c.md",
    }
    assert "! data/c.md: a page of the web" in capsys.readouterr().err


COMPRESSIONS = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress, "zst": zstd}


@pytest.mark.parametrize("encoding", ["auto", "latin-1"])
@pytest.mark.parametrize("suffix", COMPRESSIONS)
def test_compressed_files_are_read_whatever_they_are_called(corpus, suffix, encoding):
    data = COMPRESSIONS[suffix](b"text,mood\none two,good\nthree,bad\nfour,bad\n")
    table, _ = corpus(
        {f"t.csv.{suffix}": data, "u.csv": data, "v.csv.gz": gzip.compress(data)},
        label_columns=("mood",),
        encoding=encoding,
    )
    assert table["text"].tolist() == ["one two", "three", "four"]
    assert table["label_mood"].tolist() == ["good", "bad", "bad"]


def test_several_compressed_pieces_are_one_file_and_an_uncompressed_one_may_be_called_so(corpus):
    for suffix, compress in COMPRESSIONS.items():
        table, _ = corpus({f"{suffix}/t.txt.{suffix}": compress(b"one\n") + compress(b"two\nthree\n")},
                          paths=(f"data/{suffix}",), txt_unit="line")  # fmt: skip
        assert table["text"].tolist() == ["one", "two", "three"], suffix
    assert len(corpus({"plain/t.txt.gz": "one\ntwo\nthree"}, paths=("data/plain",), txt_unit="line")[0]) == 3


@pytest.mark.parametrize("suffix", COMPRESSIONS)
def test_damaged_compressed_files_are_refused(refusal, suffix):
    data = COMPRESSIONS[suffix](b"text\n" + bytes(range(48, 90)) * 200)
    assert "is compressed by" in refusal({f"t.csv.{suffix}": data[:-9]})


@pytest.mark.parametrize("behind", [b"no archive", b"\nfour\n", b"\0\0\0\0no archive"])
@pytest.mark.parametrize("suffix", COMPRESSIONS)
def test_what_is_behind_a_compressed_text_is_never_left_out_silently(refusal, suffix, behind):
    compress = COMPRESSIONS[suffix]
    for data in (compress(b"one\ntwo\nthree\n") + behind, compress(b"one\n") + compress(b"two\nthree\n") + behind):
        assert "is compressed by" in refusal({f"t.txt.{suffix}": data}, txt_unit="line")


@pytest.mark.parametrize("suffix", ["gz", "bz2", "xz"])
def test_zero_bytes_between_and_behind_compressed_texts_are_nothing(corpus, suffix):
    compress = COMPRESSIONS[suffix]
    data = compress(b"one\n") + bytes(4) + compress(b"two\nthree\n") + bytes(8)
    assert corpus({f"t.txt.{suffix}": data}, txt_unit="line")[0]["text"].tolist() == ["one", "two", "three"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\x85", "\u2028", "\u2029"])
def test_lines_end_in_any_way(corpus, end):
    content = end.join(["one", "two", "", "three", "", "four"])
    assert corpus({"a.txt": content}, txt_unit="line")[0]["text"].tolist() == ["one", "two", "three", "four"]
    assert corpus({"a.txt": content}, txt_unit="block")[0]["text"].tolist() == ["one\ntwo", "three", "four"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_rows_of_tables_end_in_any_way(corpus, end):
    files = {
        "a.csv": end.join(["text", '"one', 'more"', "two\u2028lines", ""]),
        "b.jsonl": f'{{"text": "x\u2028y"}}{end}',
    }
    assert corpus(files)[0]["text"].tolist() == ["one\nmore", "two\u2028lines", "x\u2028y"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_marks_that_joined_files_leave_in_lines_are_no_letters(corpus, encoding):
    rows = [f'\ufeff{{"text": "text {number}", "mood": "x"}}' for number in range(3)]
    files = {"t.jsonl": "\n".join(rows).encode(encoding), "t.csv": '\ufeffmood,text\n\ufeffx,a\n\ufeff"x",b'}
    assert set(corpus(files, label_columns=("mood",))[0]["label_mood"]) == {"x"}


def test_a_mark_in_front_of_a_text_is_no_letter(corpus):
    rows = '{"text": "\\ufeffone"}\n{"text": "two \\ufeff "}\n{"text": "th\\ufeffree"}\n'
    assert corpus({"a.jsonl": rows})[0]["text"].tolist() == ["one", "two", "th\ufeffree"]

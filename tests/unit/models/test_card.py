"""The model card: what the summaries say, escaped, and the metadata that the Hub reads."""

from dataclasses import replace

import pytest
import yaml

from samizdat.models.card import model_card
from samizdat.records.corpus import CorpusSummary
from samizdat.records.models import ModelSummary, TokenizerSummary

MODEL = ModelSummary(
    name="m_1", tokenizer="own", start="scratch", parameters=1234567, device_kind="cpu", compute_dtype="float32",
    compiled=False, micro_batch_sequences=2, processes=1, recipe={"epochs": 12.0}, steps_planned=2000, steps_done=1500,
    best_step=1400,
    tokens_seen=99999, validation_loss=1.25, validation_perplexity=3.49, validation_bits_per_byte=1.5,
    test_loss=1.27, test_perplexity=3.56, test_bits_per_byte=1.52,
    checkpoints={"100": 1400}, weights_sha256="ab12",
)  # fmt: skip
TOKENIZER = TokenizerSummary("own", 30000, {}, {}, {}, 3.14, 0, "uint16")
CORPUS = CorpusSummary(
    source="files", texts=1000, documents=22, parts=0, near_duplicates=0, held_out_copies=0, own_splits=[],
    shared_documents=0,
    groups={"b|c": 400, "a": 600}, labels={}, conflicting={}, undecided={},
    splits={"train": 900, "validation": 40, "test": 60},
    split_documents={"train": 10, "validation": 4, "test": 8},
    characters=123456, utf8_bytes=130000, length_quantiles_characters={},
    read=1000, dropped={}, dropped_examples={}, found={}, unread={}, inputs={},
)  # fmt: skip


def card(model: ModelSummary = MODEL, corpus: CorpusSummary = CORPUS) -> tuple[dict, str]:
    """The metadata and the text."""
    text = model_card(
        model, TOKENIZER, corpus, title="<b>Run</b>", language="cs-CZ", training={"epochs": 1.0, "layers": 4}
    )
    _, metadata, rest = text.split("---\n", 2)
    return yaml.safe_load(metadata), rest


def test_every_number_is_one_of_the_summaries():
    metadata, text = card()
    assert metadata == {"language": "cs", "library_name": "transformers", "pipeline_tag": "text-generation",
                        "tags": ["gpt2", "samizdat"]}  # fmt: skip
    for said in ("1,234,567 parameters, from scratch", "1,500 of 2,000 steps, 99,999 tokens", "those of step 1,400,",
                 "| bits per byte | 1.5200 |",
                 "900 texts were trained on, 40 selected on, and\n60 held out from both",
                 "| `epochs` | `1.0` |", "| `layers` | `4` |", "`ab12`"):  # fmt: skip
        assert said in text
    assert "<b>" not in text and text.index("| a | 600 |") < text.index("| 400 |") and "| b|c |" not in text


def test_documents_are_whole_only_where_no_split_parts_one():
    assert "held out from both; all texts of one document are in the same split. The" in card()[1]
    _, text = card(corpus=replace(CORPUS, own_splits=["train", "test"], shared_documents=12))
    assert "60 held out from both. The vocabulary" in text and "same split" not in text


def test_a_corpus_without_groups_has_no_table_of_them():
    _, text = card(corpus=replace(CORPUS, groups={}))
    assert "| group |" not in text and "characters each.\n\n## Training" in text


@pytest.mark.parametrize(
    ("start", "said", "base"),
    [("owner/name@c0ffee", "continued from owner/name at c0ffee", "owner/name"),
     ("a/folder", "continued from a/folder,", None)],
)  # fmt: skip
def test_the_checkpoint_that_was_continued_is_named(start, said, base):
    metadata, text = card(replace(MODEL, start=start))
    assert metadata.get("base_model") == base and said in text
    assert "| `epochs` |" in text and "| `layers` |" not in text  # the checkpoint's number may be another one

"""Make repositories as they are on the Hub: the same architectures, labels and tokenizers, with random weights."""

import io
import json
import pickle
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    BertConfig,
    BertForSequenceClassification,
    BertModel,
    GPT2Config,
    GPT2LMHeadModel,
    PreTrainedModel,
    XLMRobertaConfig,
    XLMRobertaForSequenceClassification,
)

from samizdat.classifiers.import_classifier import import_classifier
from samizdat.records.classifiers import ClassifierDescription
from support.hub_tokenizers import SENTENCES, vocabulary_size, write_json, write_tokenizer


@dataclass(frozen=True)
class Published:
    """The files of a classifier on the Hub."""

    labels: tuple[str, ...]
    model_type: str
    pickled: bool  # whether its only weights are in pytorch_model.bin
    tokenizer_files: tuple[str, ...]


SENTENCEPIECE = ("sentencepiece.bpe.model", "tokenizer.json")
WITH_CONFIG = ("tokenizer_config.json", "special_tokens_map.json")
CLASSIFIERS = {
    "Andrazp/multilingual-hate-speech-robacofi": Published(
        ("not offensive", "offensive"), "xlm-roberta", True, SENTENCEPIECE
    ),
    "classla/xlm-roberta-base-multilingual-text-genre-classifier": Published(
        (
            "Other", "Information/Explanation", "News", "Instruction", "Opinion/Argumentation", "Forum",
            "Prose/Lyrical", "Legal", "Promotion",
        ),
        "xlm-roberta", False, (*SENTENCEPIECE, *WITH_CONFIG),
    ),
    "cardiffnlp/twitter-xlm-roberta-base-sentiment-multilingual": Published(
        ("negative", "neutral", "positive"), "xlm-roberta", True, (*SENTENCEPIECE, *WITH_CONFIG)
    ),
    "Toshifumi/bert-base-multilingual-cased-finetuned-emotion": Published(
        ("sadness", "joy", "love", "anger", "fear", "surprise"), "bert", True,
        ("vocab.txt", "tokenizer.json", *WITH_CONFIG),
    ),
}  # fmt: skip


def write_published(name: str, folder: Path) -> Path:
    """Write the repository of one of the four `CLASSIFIERS`, with a small width and random weights."""
    published = CLASSIFIERS[name]
    write_classifier(folder, published.labels, published.model_type, pickled=published.pickled)
    for file in {*SENTENCEPIECE, "vocab.txt", *WITH_CONFIG} - set(published.tokenizer_files):
        (folder / file).unlink(missing_ok=True)
    # Files next to the weights that must not be fetched.
    (folder / "README.md").write_text("---\nlicense: mit\n---\n", encoding="utf-8")
    (folder / "tokenizer_tools.py").write_text("raise SystemExit\n", encoding="utf-8")
    poison = malicious_pickle(folder / "never")
    for file in ("training_args.bin", "vocab.pkl", *(() if published.pickled else ("pytorch_model.bin",))):
        (folder / file).write_bytes(poison)
    return folder


def write_classifier(
    folder: Path,
    labels: tuple[str, ...],
    model_type: str = "bert",
    *,
    pickled: bool = False,
    seed: int = 0,
    **config: object,
) -> Path:
    """Write a sequence-classification checkpoint with its tokenizer; `config` adds keys to config.json."""
    write_tokenizer(folder, model_type)
    shape = {"vocab_size": vocabulary_size(folder), "hidden_size": 32, "num_hidden_layers": 2}
    shape |= {"num_attention_heads": 2, "intermediate_size": 64, "num_labels": len(labels)}
    names = {"id2label": dict(enumerate(labels)), "label2id": {label: n for n, label in enumerate(labels)}}
    torch.manual_seed(seed)
    # Large weights, so that two texts never get the same probabilities by chance.
    wide = {"initializer_range": 0.3}
    if model_type == "bert":
        model = BertForSequenceClassification(BertConfig(**shape, **names, **wide, pad_token_id=0))
    else:
        ids = {"bos_token_id": 0, "pad_token_id": 1, "eos_token_id": 2}
        more = {"max_position_embeddings": 514, "type_vocab_size": 1, "layer_norm_eps": 1e-5}
        model = XLMRobertaForSequenceClassification(XLMRobertaConfig(**shape, **names, **wide, **ids, **more))
    save(model, folder, pickled=pickled)
    change_config(folder, **config)
    return folder


def write_encoder(folder: Path) -> Path:
    """Write a BERT with a WordPiece tokenizer and no head, as fine-tuning begins with."""
    write_tokenizer(folder, "bert")
    torch.manual_seed(1)
    shape = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    save(BertModel(BertConfig(vocab_size=vocabulary_size(folder), pad_token_id=0, **shape)), folder)
    return folder


def write_gpt2(folder: Path, context_tokens: int = 64) -> Path:
    """Write a GPT-2 with a byte-level BPE tokenizer, in the same files as `openai-community/gpt2`."""
    folder.mkdir(parents=True, exist_ok=True)
    end = "<|endoftext|>"
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(vocab_size=400, initial_alphabet=alphabet, show_progress=False)
    backend.train_from_iterator(SENTENCES, trainer)
    backend.add_special_tokens([AddedToken(end, special=True)])
    backend.save(str(folder / "tokenizer.json"))
    backend.model.save(str(folder))
    write_json(folder / "tokenizer_config.json", {"model_max_length": 1024})
    torch.manual_seed(2)
    boundary = backend.token_to_id(end)
    size = {"vocab_size": backend.get_vocab_size(), "n_positions": context_tokens, "n_embd": 32, "n_layer": 2}
    save(GPT2LMHeadModel(GPT2Config(**size, n_head=2, bos_token_id=boundary, eos_token_id=boundary)), folder)
    return folder


def write_dataset(folder: Path, rows: int = 240, splits: dict[str, range] | None = None) -> Path:
    """Write a dataset with a ClassLabel column `mood` and a text column `place`, each split as one Parquet file.

    Args:
        folder: the repository, which must not have data yet.
        rows: number of its texts.
        splits: name → numbers of its texts; None: all of them are in `train`.
    """
    texts = [f"{SENTENCES[row % len(SENTENCES)]} Number {row} of many." for row in range(rows)]
    names = ["bad", "good"]
    # Each tenth text has no mood: a ClassLabel of -1.
    frame = pd.DataFrame({"text": texts, "mood": [-1 if row % 10 == 9 else row % 2 for row in range(rows)]})
    frame["place"] = [("north", "south", "west")[row % 3] for row in range(rows)]
    kinds = {"mood": {"names": names, "_type": "ClassLabel"}}
    features = {"text": {"dtype": "string", "_type": "Value"}, "place": {"dtype": "string", "_type": "Value"}} | kinds
    table = pa.Table.from_pandas(frame, preserve_index=False)
    order = {column: features[column] for column in table.column_names}
    table = table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": order}})})
    (folder / "data").mkdir(parents=True)
    for name, numbers in (splits or {"train": range(rows)}).items():
        pq.write_table(table.take(list(numbers)), folder / "data" / f"{name}-00000-of-00001.parquet")
    (folder / "README.md").write_text("---\nlicense: mit\n---\nSentences for the tests.\n", encoding="utf-8")
    return folder


def save(model: PreTrainedModel, folder: Path, *, pickled: bool = False) -> None:
    """Save a model as the Hub has it: as safetensors, or as the pickle that older models have."""
    model.save_pretrained(folder)
    if pickled:
        (folder / "model.safetensors").unlink()
        # Older pickles also have a buffer that the model class no longer has.
        positions = {f"{model.base_model_prefix}.embeddings.position_ids": torch.arange(514).expand(1, -1)}
        torch.save(model.state_dict() | positions, folder / "pytorch_model.bin")


def change_config(folder: Path, **changes: object) -> None:
    """Change keys of config.json."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    write_json(folder / "config.json", config | changes)


def copy(source: Path, folder: Path, **changes: object) -> Path:
    """Copy a repository and change keys of its config.json."""
    shutil.copytree(source, folder)
    change_config(folder, **changes)
    return folder


class _Touch:
    """An object that creates a file when it is unpickled."""

    def __init__(self, path: Path):
        self.path = path

    def __reduce__(self) -> tuple:
        return Path.touch, (self.path,)


def malicious_pickle(path: Path) -> bytes:
    """Make a pickle in torch's format that creates the file `path` when it is unpickled without restrictions."""
    buffer = io.BytesIO()
    torch.save({"weight": _Touch(path)}, buffer, pickle_module=pickle)
    return buffer.getvalue()


# A description for tests in which its words don't matter.
DESCRIPTION = ClassifierDescription(
    "tested", kind="single_label", threshold=0.5, label_column=None, label_separator=None, label_map={},
    predicts="what it was told", made_for="tests", reference="nowhere", languages=(), min_words=None, max_words=None,
)  # fmt: skip


def small_classifier(tmp_path: Path, **kind: object) -> Path:
    """Write a valid classifier, to import it or to damage it first."""
    return write_classifier(tmp_path / "source", ("no", "yes"), **kind)


def import_here(
    tmp_path: Path,
    checkpoint: str,
    revision: str | None = None,
    *labels: str,
    length: int = 64,
    label_names: dict[str, str] | None = None,
    template: str | None = None,
    **label_map: str,
) -> Path:
    """Import a classifier in this process; return the folder that it was written to."""
    out = tmp_path / "out"
    import_classifier(
        replace(DESCRIPTION, label_map=label_map),
        checkpoint,
        revision,
        labels,
        label_names or {},
        template,
        length,
        out,
        tmp_path / "work",
    )
    return out

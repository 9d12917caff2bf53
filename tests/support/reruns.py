"""Which jobs run again after each kind of change: the table of the tiny run."""

from support.changes import config_change, described, file_change, labels_by_people, rewritten_result

REPORT = {"execute_report": 1, "render_report": 1, "render_pdf": 1, "write_provenance": 1}
CONFIG_FILES = {"write_config": 1, "draw_rules": 1}
CONFIG = CONFIG_FILES | {"write_manifest": 1} | REPORT
RATERS = {"compare_with_raters": 1} | CONFIG
STATISTICS = {"compute_statistics": 1} | RATERS
NEW_SAMPLES = {"generate_samples": 1, "judge_samples": 1, "score_texts": 2} | STATISTICS
SAMPLING = {"look_inside": 1} | NEW_SAMPLES


def without_config(jobs: dict[str, int]) -> dict[str, int]:
    """Return what reruns after a change of code: the config files and the drawn rules stay."""
    return {rule: number for rule, number in jobs.items() if rule not in CONFIG_FILES}


ONE_MORE = {"name": "mood", "source": "checkpoint", "checkpoint": "mood", "predicts": "a mood", "made_for": "tests",
            "kind": "single_label", "reference": "nowhere"}  # fmt: skip
THREADS = {"finetune_classifier": 2, "score_texts": 4}


def train_anew(**more: int) -> dict[str, int]:
    return {"train_model_gpt2-tiny": 1} | SAMPLING | more


CHANGES = {
    "a touched file": (file_change("report/index.qmd"), {}),
    "a touched table": (file_change("envs/archives.txt"), {}),
    "a rewritten but equal result": (rewritten_result, {}),
    "the config in another order": (config_change(), {}),
    "a comment in a module": (
        file_change("workflow/samizdat/samples/engine.py", "import numpy", "# why\nimport numpy"), {},
    ),
    "a docstring": (file_change("workflow/samizdat/models/train_model.py", '"""', '"""Another word: '), {}),
    "an empty line in a module": (file_change("workflow/samizdat/models/head_loss.py", "\n\n", "\n\n\n"), {}),
    "a sentence of the report": (file_change("report/index.qmd", "A small model", "A tiny model"), REPORT),
    "the notes": (file_change("report/notes.md", "These are", "Here are"), {"write_manifest": 1} | REPORT),
    "the page's look": (file_change("report/page.css", "{", "{ "), {"render_report": 1, "write_provenance": 1}),
    "the title": (config_change(title="Another"), CONFIG),
    "the words of another language": (file_change("workflow/samizdat/languages/cs.po", "Obsah", "Přehled"), {}),
    "the report's language": (config_change(report_language="cs"), CONFIG),
    "the author": (config_change(author="A. Student"), CONFIG),
    "no sentence of the corpus in the report": (config_change(publish_texts=False), CONFIG),
    "a function of the report": (
        file_change("workflow/samizdat/reporting/words.py", '"{words} and ', '"{words} & '), REPORT,
    ),
    "a function of the page": (
        file_change("workflow/samizdat/publishing/page_by_pandoc.py", 'encoding="utf-8"', 'encoding="UTF-8"'),
        {"render_report": 1, "write_provenance": 1},
    ),
    "a function of the PDF": (
        file_change("workflow/samizdat/publishing/typst_source.py", "11.5pt", "12pt"),
        {"render_pdf": 1, "write_provenance": 1},
    ),
    "no PDF": (config_change(pdf=False), {rule: number for rule, number in CONFIG.items() if rule != "render_pdf"}),
    "no look inside the model": (config_change(inside=False), CONFIG),
    "a page in which the model runs": (
        config_change(play="gpt2-tiny"), {"round_weights": 1, "write_play": 1} | CONFIG,
    ),
    "a prompt": (config_change(prompts=["", "The film"]), SAMPLING),
    "another temperature": (
        config_change(sampling={"temperatures": [0.5]}),
        SAMPLING,
    ),
    "the number of resamples": (
        config_change(statistics={"bootstrap_resamples": 300}),
        {"judge_samples": 1, "look_inside": 1} | STATISTICS,
    ),
    "how many held-out texts the samples are compared with": (
        config_change(sample_quality={"held_out_texts": 500}),
        {"judge_samples": 1} | CONFIG,
    ),
    "when a classifier abstains": (
        config_change(classification={"abstain_below": 0.5}),
        {"score_texts": 4} | STATISTICS,
    ),
    "how many jobs share the texts": (
        config_change(classification={"jobs": 3}),
        {"score_part": 6, "score_texts": 2} | STATISTICS,
    ),
    "a classifier's description": (
        described("predicts", "how a sentence sounds"),
        {"finetune_classifier": 1, "score_texts": 2} | STATISTICS,
    ),
    "one classifier more": (
        config_change(classifiers=lambda items: [*items, ONE_MORE]),
        {"import_classifier": 1, "score_texts": 2} | STATISTICS,
    ),
    "one classifier less": (config_change(classifiers=lambda items: items[:1]), STATISTICS),
    "one model more": (
        config_change(models=[{"name": "gpt2-tiny", "tokenizer": "own"}, {"name": "second", "tokenizer": "own"}]),
        {"train_model_second": 1} | SAMPLING,
    ),
    "the training's length": (config_change(training={"epochs": 2.0}), train_anew()),
    "how often a training saves a state": (config_change(training={"resume_every_seconds": 7}), CONFIG),
    "the training's code": (
        file_change("workflow/samizdat/optimization/optimizers.py", "0.95)", "0.94)"),
        without_config(train_anew()),
    ),
    "an error in other words": (
        file_change("workflow/samizdat/models/train_model.py", "the train split has", "the train split holds"),
        without_config(train_anew()),
    ),
    "a field of the manifest": (
        file_change("workflow/samizdat/records/run.py", "    python: str\n", "    python: str\n    machine: str\n"),
        {"write_manifest": 1} | REPORT,
    ),
    "the fine-tuning": (
        config_change(finetuning={"epochs": 2.0}),
        {"finetune_classifier": 2, "score_texts": 4} | STATISTICS,
    ),
    "the statistics' code": (
        file_change("workflow/samizdat/statistics/association.py", "default=0) < 2", "default=0) < 3"),
        {"compute_statistics": 1, "write_manifest": 1} | REPORT,
    ),
    "labels by people": (labels_by_people, RATERS),
    "the n-gram model's code": (
        file_change("workflow/samizdat/measures/byte_ngrams.py", "= 0.75", "= 0.7"),
        {"measure_yardsticks": 1, "write_manifest": 1} | REPORT,
    ),
    "the vocabulary": (
        config_change(tokenizers=[{"name": "own", "source": "train", "vocabulary_size": 600}]),
        train_anew(make_tokenizer=1),
    ),
    "the number of threads": (config_change(threads=4), train_anew(**THREADS)),
    "how many texts are measured on": (
        config_change(corpus={"test_share": 0.1}),
        train_anew(
            make_tokenizer=1, import_corpus=1, finetune_classifier=2, score_texts=4, measure_yardsticks=1,
            detect_languages=1,
        ),
    ),
    "another seed": (config_change(training={"seeds": 2}), {"train_model_gpt2-tiny.seed2": 1} | NEW_SAMPLES),
    "what a document of a file is": (
        config_change(corpus={"txt_document": "text"}),
        train_anew(
            make_tokenizer=1, import_corpus=1, finetune_classifier=2, score_texts=4, measure_yardsticks=1,
            detect_languages=1,
        ),
    ),
    "the seed": (
        config_change(seed=7),
        train_anew(
            make_tokenizer=1, import_corpus=1, finetune_classifier=2, score_texts=4, measure_yardsticks=1,
            detect_languages=1,
        ),
    ),
}  # fmt: skip

"""What is impossible in `corpus`: keys that belong to another source or to another way of reading."""

from collections.abc import Iterator, Mapping
from typing import Any


def corpus_problems(corpus: Mapping[str, Any]) -> Iterator[str]:
    """Say which keys of `corpus` can't be together."""
    source = corpus["source"]
    if source == "files" and not corpus["paths"]:
        yield "`corpus.paths` is empty, but `corpus.source` is files; give a file or folder, such as [data/]"
    if source != "files" and corpus["paths"]:
        yield f"`corpus.paths` is {corpus['paths']}, but `corpus.source` is {source}; set `source: files` or no paths"
    for key in ("document_column", "group_column", "label_columns", "rater_columns", "split_column"):
        if source == "demo" and corpus[key]:
            yield f"`corpus.{key}` is for files and datasets; what the demo's texts have is known"
    for label in sorted(set(corpus["rater_columns"]) & set(corpus["label_columns"])):
        yield f"`corpus.rater_columns` makes the label {label!r}, which `corpus.label_columns` names, too"
    if source == "hub" and not corpus["dataset"]:
        yield "`corpus.dataset` is null, but `corpus.source` is hub; set it to the dataset's id"
    if source != "hub" and corpus["dataset"]:
        yield f"`corpus.dataset` is {corpus['dataset']!r}, but `corpus.source` is {source}; set `source: hub` or null"
    if corpus["split_column"] is not None and source == "hub" and corpus["dataset_split"] is None:
        yield "`corpus.split_column` divides one split of a dataset; set `corpus.dataset_split`, too, or no column"
    if corpus["separator"] is not None and corpus["txt_unit"] != "block":
        yield f"`corpus.separator` is for `txt_unit: block`, but `corpus.txt_unit` is {corpus['txt_unit']}"
    if corpus["group"] == "folder" and source != "files":
        yield f"`corpus.group` is folder, but `corpus.source` is {source}; only files have folders"
    if corpus["group"] == "folder" and corpus["group_column"] is not None:
        yield f"`corpus.group` is folder, but `corpus.group_column` is {corpus['group_column']!r}; set one of them"

"""What is impossible below `corpus` is refused, with the key, the value and the remedy."""

import pytest

from support.demo_config import refusal

pytestmark = pytest.mark.usefixtures("at_the_root")


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"corpus__max_text": 5}, ["`corpus.max_text`", "did you mean `max_texts`"]),
        ({"corpus__source": "files"}, ["`corpus.paths` is empty", "[data/]"]),
        ({"corpus__paths": ["data/"]}, ["`corpus.source` is demo", "source: files"]),
        (
            {"corpus__test_share": 0},
            ["`corpus.test_share`", "less than or equal to the minimum", "nothing is trained or chosen"],
        ),
        ({"corpus__rater_columns": {"mood": ["anna"]}}, ["`corpus.rater_columns.mood`", "too short"]),
        ({"corpus__rater_columns": {"mood": ["anna", "ben"]}}, ["`corpus.rater_columns` is for files and datasets"]),
        ({"corpus__label_columns": ["mood"]}, ["`corpus.label_columns` is for files and datasets"]),
        ({"corpus__group_column": "kind"}, ["`corpus.group_column` is for files and datasets"]),
        (
            {"corpus__rater_columns": {"mood": ["anna", "ben"]}, "corpus__label_columns": ["mood"]},
            ["makes the label 'mood', which `corpus.label_columns` names, too"],
        ),
        ({"corpus__txt_document": "line"}, ["`corpus.txt_document`", "'line'", "file"]),
        ({"corpus__separator": "%"}, ["`corpus.separator` is for `txt_unit: block`", "is file"]),
        ({"corpus__separator": " "}, ["`corpus.separator` can't be ' '", "Line between two blocks"]),
        ({"corpus__group": "folder"}, ["`corpus.group` is folder", "`corpus.source` is demo"]),
        (
            {"corpus__group": "folder", "corpus__group_column": "kind", "corpus__source": "files"},
            ["`corpus.group_column` is 'kind'", "one of them"],
        ),
        ({"corpus__delimiter": "::"}, ["`corpus.delimiter` can't be '::'"]),
        (
            {"corpus__delimiter": {"*.csv": '"'}},
            ["`corpus.delimiter.*.csv` can't be '\"'", "Character between the cells"],
        ),
        ({"corpus__encoding": {"*": ""}}, ["`corpus.encoding.*` is ''", "non-empty", "Encoding of text files"]),
        ({"corpus__quoting": "double"}, ["`corpus.quoting` is 'double'", "(quotes)"]),
        ({"corpus__encoding": {}}, ["`corpus.encoding` is {}"]),
        ({"corpus__source": "hub"}, ["`corpus.dataset` is null"]),
        ({"corpus__split_column": "part"}, ["`corpus.split_column` is for files and datasets"]),
        ({"corpus__split_column": ""}, ["`corpus.split_column`", "non-empty", "are divided here"]),
        (
            {"corpus__source": "hub", "corpus__dataset": "a/b", "corpus__split_column": "part"},
            ["set `corpus.dataset_split`, too"],
        ),
        ({"corpus__max_texts": "2e4"}, ["`corpus.max_texts` is '2e4'", "write 20000, without quotes"]),
    ],
)
def test_a_corpus_that_cant_be_meant_so_is_refused(changes, named):
    said = refusal(changes)
    for part in named:
        assert part in said

"""Classifiers from the Hub that are refused: the error says what to do, and no file is left behind."""

import json
import socket
from pathlib import Path

import pytest
import torch
from huggingface_hub import constants

from samizdat.base.errors import UserError
from samizdat.records.classifiers import ClassifierCard
from samizdat.records.io import read_document
from support import hub_fixtures, hub_server
from support.hub_fixtures import import_here, small_classifier


def test_a_malicious_pickle_is_refused_and_leaves_no_trace(at_hub, tmp_path):
    source, touched = small_classifier(tmp_path, pickled=True), tmp_path / "touched"
    (source / "pytorch_model.bin").write_bytes(hub_fixtures.malicious_pickle(touched))
    commit = at_hub.add("tests/malicious", source)
    with pytest.raises(UserError, match=r"the pickle of tests/malicious@\w+ is refused: .*Unsupported global"):
        import_here(tmp_path, "tests/malicious", commit)
    assert not touched.exists() and not (tmp_path / "out").exists()
    assert list((tmp_path / "work").iterdir()) == []
    # The pickle works: plain unpickling runs its code.
    torch.load(source / "pytorch_model.bin", weights_only=False)
    assert touched.exists()


def spoil_weights(source: Path) -> None:
    weights = source / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])


def remove_weights(source: Path) -> None:
    (source / "model.safetensors").unlink()


def remove_tokenizer(source: Path) -> None:
    for file in ("tokenizer.json", "vocab.txt"):
        (source / file).unlink()


def put_code_into_the_tokenizer(source: Path) -> None:
    config = source / "tokenizer_config.json"
    values = json.loads(config.read_text(encoding="utf-8")) | {"auto_map": {"AutoTokenizer": ["tools.Mine", None]}}
    config.write_text(json.dumps(values), encoding="utf-8")


def put_a_number_into_the_pickle(source: Path) -> None:
    remove_weights(source)
    torch.save({"weight": torch.ones(1), "step": 7}, source / "pytorch_model.bin")


def set_config(**changes: object):
    return lambda source: hub_fixtures.change_config(source, **changes)


NAMED = {"id2label": {0: "LABEL_0", 1: "LABEL_1"}, "label2id": {"LABEL_0": 0, "LABEL_1": 1}}
REFUSED = {
    "other labels": (lambda source: None, ("yes", "no"), ["has ['no', 'yes']", "expects ['yes', 'no']", "`labels`"]),
    "too few labels": (lambda source: None, ("yes",), ["has ['no', 'yes']", "expects ['yes']"]),
    "labels that mean nothing": (
        set_config(**NAMED),
        (),
        ["does not say what its labels mean", "LABEL_1", "`label_names: {LABEL_0: "],
    ),
    "such labels where others are expected": (set_config(**NAMED), ("no", "yes"), ["has ['LABEL_0', 'LABEL_1']"]),
    "labels numbered from 1": (
        set_config(id2label={1: "no", 2: "yes"}, label2id={"no": 1, "yes": 2}),
        (),
        ["does not number its labels from 0", "has [1, 2]", "`id2label` and `label2id`, in a local copy"],
    ),
    "another kind than the config says": (
        set_config(problem_type="multi_label_classification"),
        (),
        ["has `kind: single_label`", "of the kind multi_label", "remove `kind`"],
    ),
    "one output in place of labels": (
        set_config(id2label={0: "score"}, label2id={"score": 0}),
        (),
        ["chooses between two labels or more", "has 1 outputs", "correct `kind`"],
    ),
    "code": (set_config(auto_map={"AutoModel": "mine.Model"}), (), ["Python code of its own", "config.json"]),
    "code of the tokenizer": (put_code_into_the_tokenizer, (), ["Python code of its own", "tokenizer_config.json"]),
    "an unknown kind": (set_config(model_type="unheard-of"), (), ["can't be loaded", "unheard-of"]),
    "weights of another shape": (set_config(hidden_size=48), (), ["can't be loaded"]),
    "half the weights": (spoil_weights, (), ["can't be loaded"]),
    "no weights": (remove_weights, (), ["neither model.safetensors nor pytorch_model.bin"]),
    "no tokenizer": (remove_tokenizer, (), ["has no tokenizer"]),
    "a pickle of more than tensors": (put_a_number_into_the_pickle, (), ["the pickle of", "refused: AttributeError"]),
}


@pytest.mark.parametrize("fault", REFUSED)
def test_what_is_no_such_classifier_is_refused_and_nothing_is_written(fault, tmp_path):
    change, labels, said = REFUSED[fault]
    source = small_classifier(tmp_path)
    change(source)
    with pytest.raises(UserError) as error:
        import_here(tmp_path, str(source), None, *labels)
    for part in [*said, "What to do:"]:
        assert part in str(error.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("label_map", "said"),
    [
        ({"nope": "bad"}, ["`label_map` of the classifier 'tested' names ['nope']", "has only ['no', 'yes']"]),
        ({"no": "any", "yes": "any"}, ["gives all labels of the classifier 'tested' one name", "two labels or more"]),
        ({"no": "yes"}, ["gives all labels of the classifier 'tested' one name"]),
    ],
)
def test_a_label_map_that_fits_no_label_or_leaves_one_is_refused(label_map, said, tmp_path):
    with pytest.raises(UserError) as error:
        import_here(tmp_path, str(small_classifier(tmp_path)), **label_map)
    for part in [*said, "What to do:"]:
        assert part in str(error.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("label_names", "said"),
    [
        ({"LABEL_2": "bad"}, ["`label_names` of the classifier 'tested' names ['LABEL_2']", "has only ['LABEL_0',"]),
        ({"LABEL_0": "bad"}, ["does not say what its labels mean: ['LABEL_1']", "`label_names: {LABEL_1: "]),
        ({"LABEL_0": "bad", "LABEL_1": "bad"}, ["two labels of the classifier 'tested' have one name", "`label_map`"]),
    ],
)
def test_names_that_fit_no_label_or_leave_one_without_a_name_are_refused(label_names, said, tmp_path):
    source = small_classifier(tmp_path)
    set_config(**NAMED)(source)
    with pytest.raises(UserError) as error:
        import_here(tmp_path, str(source), label_names=label_names)
    for part in [*said, "What to do:"]:
        assert part in str(error.value)
    assert not (tmp_path / "out").exists()


def test_labels_that_mean_nothing_are_named_in_the_config(tmp_path):
    source = small_classifier(tmp_path)
    set_config(**NAMED)(source)
    names = {"LABEL_0": "calm", "LABEL_1": "anger"}
    out = import_here(tmp_path, str(source), label_names=names, anger="strong")
    card = read_document(ClassifierCard, out / "card.json")
    assert (card.checkpoint_labels, card.labels) == (["calm", "anger"], ["calm", "strong"])
    assert json.loads((out / "config.json").read_text())["id2label"] == {"0": "calm", "1": "anger"}


def test_an_encoder_is_no_classifier(tmp_path):
    encoder = hub_fixtures.write_encoder(tmp_path / "encoder")
    hub_fixtures.change_config(encoder, id2label={0: "no", 1: "yes"})
    with pytest.raises(UserError, match=r"is no classifier: it has no weights for classifier"):
        import_here(tmp_path, str(encoder))


@pytest.mark.parametrize(
    ("name", "revision", "token", "said"),
    [
        ("tests/sound", "v1.0", None, ["has no revision 'v1.0'", "all 40 digits"]),
        ("tests/sound", "0" * 40, None, [f"has no revision '{'0' * 40}'", "name a commit"]),
        ("tests/nowhere", None, None, ["nor an id on the Hub", "correct the id", "name a folder"]),
        ("tests--no/good", None, None, ["nor an id on the Hub", "correct the id"]),
        ("not/an/id", None, None, ["folder not/an/id does not exist", "correct the path"]),
        ("tests/gated", None, None, ["owner asks for an agreement", "hf auth login"]),
        ("tests/gated", None, hub_server.READERS_TOKEN, ["owner asks for an agreement", "accept it"]),
        ("tests/private", None, None, ["or it is private", "hf auth login"]),
        ("tests/private", None, hub_server.READERS_TOKEN, ["or it is private", "hf auth login"]),
    ],
)
def test_what_cant_be_had_is_said_with_a_remedy(name, revision, token, said, at_hub, tmp_path, monkeypatch):
    source = small_classifier(tmp_path)
    for kind in ("sound", "gated", "private"):
        at_hub.add(f"tests/{kind}", source, **({} if kind == "sound" else {kind: True}))
    if token:
        monkeypatch.setenv("HF_TOKEN", token)
    with pytest.raises(UserError) as error:
        import_here(tmp_path, name, revision)
    for part in [name, *said, "What to do:"]:
        assert part in str(error.value)
    assert not (tmp_path / "out").exists()
    # With the right token it is fetched.
    monkeypatch.setenv("HF_TOKEN", hub_server.TOKEN)
    for kind in ("gated", "private"):
        assert import_here(tmp_path, f"tests/{kind}").is_dir()


@pytest.mark.parametrize(
    ("trouble", "said"),
    [("down", "503"), ("nobody", "ConnectError"), ("offline", "outgoing traffic has been disabled")],
)
def test_a_hub_that_cant_be_reached_is_said_so(trouble, said, at_hub, tmp_path, monkeypatch):
    commit = at_hub.add("tests/sound", small_classifier(tmp_path))
    monkeypatch.setattr(at_hub, "down", trouble == "down")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", trouble == "offline")
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # nobody waits for the next try
    if trouble == "nobody":
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            monkeypatch.setattr(constants, "ENDPOINT", f"http://127.0.0.1:{closed.getsockname()[1]}")
    with pytest.raises(UserError) as error:
        import_here(tmp_path, "tests/sound", commit)
    for part in ("tests/sound can't be fetched from the Hub: ", said, "HF_HUB_OFFLINE=1; or name a folder"):
        assert part in str(error.value)
    assert not (tmp_path / "out").exists()

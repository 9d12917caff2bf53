"""A digest changes with the code that a result depends on, and with nothing else."""

import ast
import re

from conftest import ROOT
from samizdat.base import digest


def test_a_comment_changes_no_code_digest_and_an_edit_does(tmp_path, monkeypatch):
    (tmp_path / "leaf.py").write_text('"""Leaf."""\nX = 1\n', encoding="utf-8")
    (tmp_path / "stage.py").write_text("from samizdat.leaf import X\n\ndef f():\n    return X\n", encoding="utf-8")
    monkeypatch.setattr(digest, "PACKAGE", tmp_path)

    def current():
        digest._read.cache_clear()
        return digest.code_digest("stage")

    first = current()
    (tmp_path / "leaf.py").write_text('"""Other words."""\n\n# why\nX = 1\n', encoding="utf-8")
    (tmp_path / "stage.py").write_text(
        'from samizdat.leaf import X\n\ndef f():\n    """Why."""\n    return X  # here\n', encoding="utf-8"
    )
    assert current() == first
    (tmp_path / "leaf.py").write_text("X = 2\n", encoding="utf-8")
    assert current() != first
    digest._read.cache_clear()


def write_module(package, name, text):
    path = package / f"{name.replace('.', '/')}.py"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_what_is_said_changes_the_digest_of_the_code_and_not_of_the_result(tmp_path, monkeypatch):
    monkeypatch.setattr(digest, "PACKAGE", tmp_path)
    stage = (
        "import sys\nfrom samizdat.base import stage\nfrom samizdat.base.errors import UserError\n"
        "def f(x):\n    log.info('at %d', x, UserError('an error in a line'))\n"
        "    stage.announce('begins'), stage.tell('was empty')\n"
        "    if x:\n        raise UserError(f'{x} is wrong', remedy='mend it')\n"
        "    return [sys.executable, '-m', 'samizdat.started', 'samizdat.nowhere', 'see samizdat.other'], 1\n"
    )
    for name in ("base.stage", "base.errors", "started", "other"):
        write_module(tmp_path, name, "X = 1\n")

    def digests(changes: dict[str, str]) -> tuple[str, str]:
        (tmp_path / "stage.py").write_text(stage, encoding="utf-8")
        for name, text in changes.items():
            write_module(tmp_path, name, text)
        digest._read.cache_clear()
        return digest.code_digest("stage"), digest.result_digest("stage")

    rule, result = digests({})
    for changes in (
        {"stage": stage.replace("is wrong", "cannot be")},
        {"stage": stage.replace("'at %d'", "'step %d'")},
        {"stage": stage.replace("in a line", "in the log")},
        {"stage": stage.replace("begins", "starts")},
        {"stage": stage.replace("was empty", "is empty")},
        {"base.stage": "X = 2\n"},
    ):
        assert digests(changes)[0] != rule and digests(changes)[1] == result
    digests({"base.stage": "X = 1\n"})
    for changes in ({"stage": stage.replace("if x", "if not x")}, {"started": "X = 2\n"}):
        assert digests(changes)[0] != rule and digests(changes)[1] != result
    digest._read.cache_clear()
    assert digest.imported_siblings("stage") == {"stage", "base.stage", "base.errors", "started"}
    digest._read.cache_clear()


def test_the_import_of_a_classifier_knows_the_program_that_it_starts():
    assert "checkpoints.unpickle" in digest.imported_siblings("classifiers.import_classifier")


def test_the_report_reruns_after_an_edit_of_any_module_that_its_cells_import():
    document = (ROOT / "report" / "index.qmd").read_text(encoding="utf-8")
    cells = re.findall(r"^```\{python\}\n(.*?)^```", document, re.M | re.S)
    imports = [
        node for cell in cells for node in ast.walk(ast.parse(re.sub("^[%!].*", "", cell, flags=re.M)))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("samizdat.")
    ]  # fmt: skip
    names = {f"{node.module.removeprefix('samizdat.')}.{alias.name}" for node in imports for alias in node.names}
    modules = {name for name in names if (digest.PACKAGE / f"{name.replace('.', '/')}.py").is_file()}
    assert imports and modules <= digest.imported_siblings("reporting")


def test_what_the_frame_of_a_stage_imports_changes_no_result():
    assert digest.imported_siblings("base.stage") <= digest.FRAME
    assert all(digest._path(name).is_file() for name in digest.FRAME)


def test_another_version_of_a_package_changes_the_digests_of_what_imports_it(tmp_path, monkeypatch):
    monkeypatch.setattr(digest, "PACKAGE", tmp_path)
    stage = (
        "def f():\n    import numpy.linalg\n    from sklearn.svm import SVC\n    import pyarrow, sys, nothing_such\n"
    )
    write_module(tmp_path, "stage", stage + "from samizdat.base import stage\n")
    write_module(tmp_path, "base.stage", "import tqdm\n")
    installed = {"numpy": "2.1", "scikit-learn": "1.5", "pyarrow": "20.0", "tqdm": "4.1"}

    def version(name: str) -> str:
        if name not in installed:
            raise digest.metadata.PackageNotFoundError(name)
        return installed[name]

    monkeypatch.setattr(digest.metadata, "version", version)

    def digests() -> tuple[str, str]:
        digest._read.cache_clear()
        digest.version_of.cache_clear()
        return digest.code_digest("stage"), digest.result_digest("stage")

    first = digests()
    for name in ("numpy", "scikit-learn"):
        installed[name] += ".1"
        assert all(now != before for now, before in zip(digests(), first, strict=True)), name
        first = digests()
    # What carries data, and what the frame of a stage imports, changes no number.
    installed |= {"pyarrow": "21.0", "tqdm": "4.2"}
    assert digests() == first
    digest._read.cache_clear()
    digest.version_of.cache_clear()


def test_each_package_that_a_result_depends_on_has_a_version():
    for stage in ("models.train_model", "classifiers.score_texts", "statistics.judge_samples", "reporting"):
        packages = {name for module in digest.imported_siblings(stage) for name in digest._read(module).packages}
        assert {name for name in packages - digest.CARRIERS if not digest.version_of(name)} == set(), stage
        assert "numpy" in packages

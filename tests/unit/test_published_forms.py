"""What others read about the project besides its code: citation, archive metadata, container recipe."""

import json
import re
import shlex
import tomllib

import yaml

from conftest import ROOT
from support.readme import blocks

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# Of the Citation File Format 1.2.0: the keys that a file must have, and the types that a work may have.
CFF_REQUIRED, CFF_TYPES = {"authors", "cff-version", "message", "title"}, {"software", "dataset"}


def test_the_citation_is_whole_and_of_this_version():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation.keys() >= CFF_REQUIRED and citation["type"] in CFF_TYPES and citation["cff-version"] == "1.2.0"
    assert str(citation["version"]) == PROJECT["version"] and citation["license"] == PROJECT["license"]
    assert all({"name"} <= author.keys() or {"family-names"} <= author.keys() for author in citation["authors"])
    assert all({"authors", "title", "type"} <= work.keys() for work in citation["references"])


def test_the_changelog_begins_with_this_version_and_its_date():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    version, date = re.search(r"^## (\S+) \((.+)\)$", changelog, re.MULTILINE).groups()
    assert version == PROJECT["version"]
    assert date == str(citation.get("date-released", "unreleased"))


def test_the_archive_says_what_the_citation_says():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    archive = json.loads((ROOT / ".zenodo.json").read_text(encoding="utf-8"))
    assert archive["upload_type"] == citation["type"] and archive["description"]
    assert archive["title"] == citation["title"] and archive["license"] == citation["license"]
    assert [author["name"] for author in archive["creators"]] == [author["name"] for author in citation["authors"]]
    cited = {work["doi"] for work in citation["references"]}
    assert {item["identifier"] for item in archive["related_identifiers"]} == cited


def instructions():
    """Read the instructions of the Containerfile, each a word and its arguments."""
    text = re.sub(r"\\\n", " ", (ROOT / "Containerfile").read_text(encoding="utf-8"))
    return [line.split(maxsplit=1) for line in text.splitlines() if line.strip() and not line.startswith("#")]


def test_the_image_is_of_one_release_and_runs_without_root():
    found = instructions()
    bases = [image for word, image in found if word == "FROM"]
    assert bases and not [image for image in bases if image.rpartition(":")[2] in ("latest", image)]
    assert [user for word, user in found if word == "USER"][-1] not in ("root", "0")


def test_what_the_image_copies_exists_and_it_installs_what_the_readme_names():
    found = instructions()
    copied = [word for step, text in found if step in ("COPY", "ADD") for word in shlex.split(text)[:-1]]
    sources = [word for word in copied if not word.startswith("--")]
    assert sources and not [source for source in sources if not (ROOT / source).exists()]
    (readme,) = (line for block in blocks("bash") for line in block.splitlines() if "apt install" in line)
    wanted = set(readme.partition("apt install ")[2].split())
    installed = set(" ".join(text for step, text in found if step == "RUN").split())
    assert wanted and wanted <= installed
    targets = [target for text in installed_by_make(found) for target in text]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert targets and all(re.search(rf"^{re.escape(target)}:", makefile, re.MULTILINE) for target in targets)


def installed_by_make(found):
    """Yield the targets of each call of make in the image's recipe."""
    for step, text in found:
        if step == "RUN":
            yield re.findall(r"&& make (\S+)", text)
        elif step == "CMD":
            yield json.loads(text)[1:]


def test_a_job_of_kubernetes_mounts_what_a_container_does_as_its_user():
    page = (ROOT / "docs" / "container.md").read_text(encoding="utf-8")
    (manifest,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    pod = yaml.safe_load(manifest)["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    folders = {mount["mountPath"] for mount in container["volumeMounts"]}
    assert folders == set(re.findall(r"--volume \S+:(\S+)", page))
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}
    (uid,) = (re.search(r"--uid (\d+)", text).group(1) for step, text in instructions() if "useradd" in text)
    assert pod["securityContext"]["runAsUser"] == int(uid)
    assert " ".join(container["command"]) in page.partition("## Kubernetes")[0]

"""Write a run as a Workflow Run RO-Crate, which archives and other programs read (`samizdat crate`).

The metadata are written by hand, since the library for them would bring packages into every installation. They follow
RO-Crate 1.1 (https://w3id.org/ro/crate/1.1), Workflow RO-Crate 1.0 and Workflow Run Crate 0.5
(https://w3id.org/ro/wfrun/workflow/0.5).
"""

import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from samizdat.base.files import checked_bytes, sha256_of
from samizdat.records.run import Manifest, manifest_of
from samizdat.runs.bundle import Members, members_of, write_zip
from samizdat.runs.names import CODE, CRATE_METADATA
from samizdat.runs.rebuild import copy_code

CRATE = "https://w3id.org/ro/crate/1.1"
CONTEXT = [f"{CRATE}/context", "https://w3id.org/ro/terms/workflow-run/context"]
WORKFLOW_CRATE = "https://w3id.org/workflowhub/workflow-ro-crate/1.0"
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    WORKFLOW_CRATE: ("Workflow RO-Crate", "1.0"),
}
SNAKEFILE = "Snakefile"
SNAKEMAKE, ROOT, RUN, LICENCE, MIT, AUTHOR = (
    "https://w3id.org/workflowhub/workflow-ro-crate#snakemake", "./", "#run", "#licence",
    "https://spdx.org/licenses/MIT", "#author",
)  # fmt: skip
FORMATS = {
    ".css": "text/css", ".csv": "text/csv", ".js": "text/javascript", ".py": "text/x-python", ".smk": "text/plain",
    ".html": "text/html", ".ipynb": "application/x-ipynb+json", ".json": "application/json",
    ".md": "text/markdown", ".parquet": "application/vnd.apache.parquet", ".pdf": "application/pdf",
    ".txt": "text/plain", ".yaml": "application/yaml",
}  # fmt: skip
# What the project's own files in report/ are; people keep their notes there, too.
CODE_IN_REPORT = {".css", ".js", ".lua", ".py", ".scss", ".yml"}
FOLDERS_IN_REPORT = ("vendor", "play")
PAGES_IN_REPORT = ("index.qmd", "quarto.html", "scripts.html", "comparison/index.qmd")  # any other may have texts

Entity = dict[str, Any]


def write_crate(run: Path, *, hashes_only: bool) -> Path:
    """Write `<run>.crate.zip` next to the run's folder: what a bundle has, the code, and the metadata of both.

    Same run and code, same bytes.

    Args:
        run: a finished run, such as `results/demo`.
        hashes_only: leave out the corpus's texts and the results that contain some, as in a bundle.

    Raises:
        UserError: this is not the project's folder; or the run is not one that can be bundled.
    """
    manifest = manifest_of(run)
    with tempfile.TemporaryDirectory() as folder:
        code = Path(folder, "code")
        which_code = copy_code(manifest, code)
        members = members_of(run, hashes_only=hashes_only)
        shutil.rmtree(code / ".git", ignore_errors=True)
        for name in CODE:
            files = [code / name] if (code / name).is_file() else sorted((code / name).rglob("*"))
            found = {path.relative_to(code).as_posix(): path for path in files if path.is_file()}
            members |= {path: file for path, file in found.items() if not _is_users(path)}
        written = json.loads(checked_bytes(run / "provenance.json"))["written_at"]
        entities = list(_entities(manifest, members, which_code, written))
        crate = {"@context": CONTEXT, "@graph": entities}
        members[CRATE_METADATA] = (json.dumps(crate, indent=2, ensure_ascii=False) + "\n").encode()
        target = run.parent / f"{run.name}.crate.zip"
        write_zip(members, target)
    return target


def _is_users(path: str) -> bool:
    """Whether a file of the code may be the user's own: configs and notes of other runs; the run's are its inputs."""
    top, *inner = Path(path).parts
    if top == "report":
        ours = inner[0] in FOLDERS_IN_REPORT or "/".join(inner) in PAGES_IN_REPORT
        return not ours and Path(path).suffix not in CODE_IN_REPORT
    return top == "config" and inner != ["config.yaml"]


def _entities(manifest: Manifest, members: Members, which_code: str, written: str) -> Iterator[Entity]:
    """Yield what the metadata describe: the crate, its files, the workflow and the run.

    Args:
        manifest: of the run.
        members: name in the crate → file or content.
        which_code: says whether the code in the crate is the run's own.
        written: when the run ended.
    """
    config = manifest.config
    names = {f"inputs/{sha256}": name for name, sha256 in manifest.inputs.items()}
    absent = {f"#input-{sha256}": name for name, sha256 in manifest.inputs.items() if f"inputs/{sha256}" not in members}
    by = {"author": _ref(AUTHOR)} if config["author"] else {}
    yield {
        "@id": CRATE_METADATA,
        "@type": "CreativeWork",
        "about": _ref(ROOT),
        "conformsTo": _refs([CRATE, WORKFLOW_CRATE]),
    }
    yield {
        "@id": ROOT, "@type": "Dataset", "name": config["title"], "datePublished": written, "license": _ref(LICENCE),
        "description": f"The run {manifest.run} of Samizdat, {which_code}: a language model that was trained on a "
        "corpus, its samples, classifiers, statistics and report.",
        "conformsTo": _refs(PROFILES), "hasPart": _refs(members), "mainEntity": _ref(SNAKEFILE),
        "mentions": _ref(RUN), **by,
    }  # fmt: skip
    for profile, (title, version) in PROFILES.items():
        yield {"@id": profile, "@type": "CreativeWork", "name": title, "version": version}
    yield {
        "@id": LICENCE, "@type": "CreativeWork", "name": "No licence is stated",
        "description": "The run states no licence of its texts, models and report. The code has the MIT licence.",
    }  # fmt: skip
    yield {"@id": MIT, "@type": "CreativeWork", "name": "MIT licence", "url": MIT}
    if by:
        yield {"@id": AUTHOR, "@type": "Person", "name": config["author"]}
    yield {
        "@id": SNAKEMAKE, "@type": "ComputerLanguage", "name": "Snakemake",
        "identifier": _ref("https://snakemake.github.io"), "url": _ref("https://snakemake.github.io"),
        "version": manifest.versions.get("snakemake", "unknown"),
    }  # fmt: skip
    yield {
        "@id": RUN, "@type": "CreateAction", "name": f"The run {manifest.run}", "instrument": _ref(SNAKEFILE),
        "description": f"Made with commit {manifest.commit}{'' if manifest.clean else ', with changes in no commit'}.",
        "endTime": written, "actionStatus": "http://schema.org/CompletedActionStatus",
        "object": _refs(["results/config.json", *sorted(name for name in names if name in members), *sorted(absent)]),
        "result": _refs(name for name in sorted(members) if name.startswith("results/")),
        **({"agent": _ref(AUTHOR)} if by else {}),
    }  # fmt: skip
    for identifier, name in sorted(absent.items()):
        yield {"@id": identifier, "@type": "CreativeWork", "name": name, "sha256": manifest.inputs[name],
               "description": "An input of the run that is not in this crate."}  # fmt: skip
    for name in sorted(members):
        entity = _file(name, members[name], names.get(name, name))
        yield entity | ({"version": manifest.versions["samizdat"]} if name == SNAKEFILE else {})


def _file(path: str, member: Path | bytes, name: str) -> Entity:
    """Describe a file of the crate."""
    entity: Entity = {"@id": path, "@type": "File", "name": name}
    if isinstance(member, Path):
        entity |= {"contentSize": str(member.stat().st_size), "sha256": sha256_of(member)}
    else:
        entity["contentSize"] = str(len(member))
    if (suffix := Path(name).suffix) in FORMATS:
        entity["encodingFormat"] = FORMATS[suffix]
    if path == SNAKEFILE:
        entity["encodingFormat"] = "text/plain"
        entity["@type"] = ["File", "SoftwareSourceCode", "ComputationalWorkflow"]
        entity |= {"name": "Samizdat", "programmingLanguage": _ref(SNAKEMAKE), "license": _ref(MIT)}
    return entity


def _ref(identifier: str) -> Entity:
    return {"@id": identifier}


def _refs(identifiers: Iterable[str]) -> list[Entity]:
    return [_ref(identifier) for identifier in identifiers]

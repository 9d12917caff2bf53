"""The software bill of materials of a bundle: each package of the lock, in the form of CycloneDX 1.6.

CycloneDX's own library would bring six packages into each installation to write one JSON document. The document has no
date and no random number, so the same run gives the same bytes.
"""

import json
import re
from pathlib import Path
from typing import Any

from samizdat.records.run import Manifest

_PACKAGE = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)(?: ; ([^\\\n]+?))?(?: \\)?$", re.MULTILINE)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def bill_of_materials(manifest: Manifest, lock: str, provenance: Path) -> bytes:
    """List the packages that a run was made with.

    Args:
        manifest: of the run; its versions are those that were installed.
        lock: the text of `envs/lock.txt`.
        provenance: the run's provenance, which describes the installed wheel of torch: the lock has no hash of it.

    Returns:
        JSON. A package's hashes are those of the files that may be installed for it; one of them was.
    """
    blocks = _PACKAGE.split(lock)[1:]
    components = [
        _component(name, version, marker, _HASH.findall(rest))
        for name, version, marker, rest in zip(*(blocks[part::4] for part in range(4)), strict=True)
    ]
    locked = {component["name"] for component in components}
    for name, version in manifest.versions.items():
        if re.sub(r"[-_.]+", "-", name).lower() not in locked and name != "samizdat":
            component = _component(name, version, None, [])
            if name == "torch":
                component["properties"] = _torch(provenance)
            components.append(component)
    document = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application", "bom-ref": "samizdat", "name": "samizdat",
                "version": manifest.versions.get("samizdat", "unknown"),
                "properties": [{"name": "samizdat:commit", "value": manifest.commit}],
            }
        },
        "components": sorted(components, key=lambda component: str(component["bom-ref"])),
    }  # fmt: skip
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def _component(name: str, version: str, marker: str | None, hashes: list[str]) -> dict[str, Any]:
    """Describe a package; `marker` says on which machines it is installed."""
    name = re.sub(r"[-_.]+", "-", name).lower()
    purl = f"pkg:pypi/{name}@{version.replace('+', '%2B')}"
    component: dict[str, Any] = {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}
    if marker:
        component["properties"] = [{"name": "samizdat:installed-where", "value": marker}]
    if hashes:
        files = [{"alg": "SHA-256", "content": sha256} for sha256 in hashes]
        component["externalReferences"] = [{"type": "distribution", "url": purl, "hashes": files}]
    return component


def _torch(provenance: Path) -> list[dict[str, str]]:
    """Read what the provenance says of the installed wheel of torch; nothing if there is none that can be read."""
    try:
        wheel = json.loads(provenance.read_text(encoding="utf-8"))["torch"]
        return [{"name": f"samizdat:wheel-{key}", "value": json.dumps(value)} for key, value in sorted(wheel.items())]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []

"""A small report on a made-up run, as the workflow's stage and as Quarto's hook read it."""

import json
import shutil
from pathlib import Path

import nbformat

from samizdat.base.files import sha256_of, write_text
from samizdat.publishing.execute_report import execute_report
from samizdat.records.io import read_document
from samizdat.records.run import Manifest
from support.run_fixture import make_run, write_manifest

# A report as small as one can be: it shows one number of the results.
DOCUMENT = """---
lang: en
---

```{python}
#| label: number
#| echo: false
import json, os
from pathlib import Path

print(json.loads(Path(os.environ.get("SAMIZDAT_RUN", ".."), "corpus", "summary.json").read_text())["characters"])
```

## Words {#sec-notes}

{{< include notes.md >}}

## Classifiers, which this run has not {#sec-classifiers .needs-classifiers}

## The end {#sec-end}
"""


class Project:
    """A small report on a made-up run, as the workflow's stage and as Quarto's hook read it."""

    def __init__(self, root: Path):
        self.root = root
        self.run = root / "results" / "demo"
        self.work = root / "work" / "demo" / "report"
        self.document, self.notes = root / "report" / "index.qmd", root / "report" / "notes.md"
        self.notebook, self.plain = self.run / "report" / "quarto.ipynb", self.run / "report" / "report.ipynb"

    def fill(self) -> None:
        """Write all that the report is made of."""
        letters = self.write("data/letters.txt", "The texts, said to be these.")
        texts = [f"text number {number}" for number in range(24)]
        make_run(self.run, texts=texts, labels={}, inputs={"data/letters.txt": sha256_of(letters)})
        self.write("config/config.yaml", (self.run / "config.json").read_text())
        self.write("report/index.qmd", DOCUMENT)
        self.write("report/notes.md", "My *words*.")

    def copied(self, root: Path) -> "Project":
        """Copy the project with its results and earlier executions."""
        shutil.copytree(self.root, root)
        return Project(root)

    def write(self, name: str, text: str) -> Path:
        """Write a file below the root."""
        write_text(self.root / name, text)
        return self.root / name

    def execute(self) -> str:
        """Run the stage; say whether the cells were executed."""
        said = execute_report(self.document, self.notes, self.run, self.notebook, self.plain, self.work, threads=1)
        return "executed" if said.endswith(", executed") else "as before"

    def set_characters(self, number: int) -> None:
        """Change the number that the report shows."""
        path = self.run / "corpus" / "summary.json"
        write_text(path, json.dumps(json.loads(path.read_text()) | {"characters": number}))

    def renew_manifest(self) -> None:
        """Write the manifest of the results as they are now."""
        given = read_document(Manifest, self.run / "manifest.json")
        write_manifest(self.run, given.config, given.inputs)

    def shown(self, notebook: Path | None = None) -> list[str]:
        """What the cells printed."""
        cells = nbformat.read(notebook or self.notebook, as_version=4).cells
        return [output.text.strip() for cell in cells for output in cell.get("outputs", []) if "text" in output]

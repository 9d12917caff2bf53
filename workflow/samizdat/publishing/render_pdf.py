"""Write the executed notebook as a PDF, for print and for people who are read to."""

from pathlib import Path

import nbformat

from samizdat.base import stage
from samizdat.base.files import checked_sha256, replacing
from samizdat.publishing.missing_letters import which_scripts
from samizdat.publishing.typst_pdf import compile_pdf
from samizdat.publishing.typst_source import write_typst


def render_pdf(notebook: Path, pdf: Path, work: Path) -> str:
    """Render the PDF by pandoc and Typst, without LaTeX: tagged (PDF/UA-1), the same bytes from the same notebook.

    Args:
        notebook: executed.
        pdf: where to write.
        work: a folder for the step's own files: the document in Typst's language, fonts and pictures.

    Raises:
        UserError: the notebook is damaged, Typst isn't installed, or a cross-reference has no target.
    """
    checked_sha256(notebook)
    content, missing = compile_pdf(write_typst(nbformat.read(notebook, as_version=4)), work / "typst")
    with replacing(pdf) as temporary:
        temporary.write_bytes(content)
    if missing:
        stage.tell(
            f"PDF: {missing.total():,} letters are written as code points, since no font has them: "
            f"{which_scripts(missing, pdf)}"
        )
    return f"{len(content) / 1e6:.1f} MB"


if __name__ == "__main__":
    stage.run(render_pdf)

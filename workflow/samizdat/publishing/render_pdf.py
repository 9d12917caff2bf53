"""Write the executed notebook as a PDF, for print and for people who are read to."""

from pathlib import Path

import nbformat

from samizdat.base import stage
from samizdat.base.files import replacing
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
        UserError: Typst isn't installed, no font has many of the letters, or a cross-reference has no target.
    """
    content, missing = compile_pdf(write_typst(nbformat.read(notebook, as_version=4)), work / "typst")
    with replacing(pdf) as temporary:
        temporary.write_bytes(content)
    told = f"; code points instead of letters that no font has: {which_scripts(missing)}" if missing else ""
    return f"{len(content) / 1e6:.1f} MB{told}"


if __name__ == "__main__":
    stage.run(render_pdf)

"""Render an executed notebook as one self-contained page, by pandoc: the embedded renderer."""

import html
import re
from pathlib import Path
from string import Template

from nbformat import NotebookNode

from samizdat.base.language import say
from samizdat.publishing import pandoc
from samizdat.publishing.content_policy import with_policy
from samizdat.publishing.document_words import in_its_language, metadata_of, plain_title
from samizdat.publishing.pandoc_blocks import Body, assemble

# pandoc makes ids of headings, and none of them begins with an underscore as these do.
_PAGE = Template("""<!DOCTYPE html>
<html lang="$language">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<title>$plain_title</title>
<link rel="icon" href="data:,">
$words<style>
$style</style>
</head>
<body>
<a class="skip" href="#_text">$skip</a>
<header>
<h1>$title</h1>
$byline</header>
<nav aria-labelledby="_contents">
<h2 id="_contents">$contents_title</h2>
$contents
</nav>
<main id="_text">
$body
</main>
<footer>
<p>$made</p>
</footer>
$scripts
</body>
</html>
""")
STYLES = ("page.css", "tables.css")
SCRIPTS = "scripts.html"
# Headings below this level are not in the list of contents. The page's title has level 1.
DEEPEST_LISTED = 3
_SCRIPT = re.compile(r'<script src="([\w./-]+)"></script>')


@in_its_language
def render_page(notebook: NotebookNode, project: Path) -> str:
    """Return the page as HTML: no request, no script but the project's, the same bytes from the same notebook.

    Args:
        notebook: executed; its first cell has the metadata.
        project: the folder with the page's styles and scripts.

    Raises:
        UserError: a cross-reference has no target, or an output is of a kind that a page can't show.
    """
    block = metadata_of(notebook)
    body = assemble(notebook)
    content = pandoc.write(body.blocks, "html5", "--mathml", "--section-divs", "--syntax-highlighting=none")
    for number, image in enumerate(body.images):
        # Text of the page has no angle bracket, since `<` is escaped in it, so only a picture can match.
        content = content.replace(f'<img src="figure:{number}"', f'<img src="data:image/png;base64,{image}"', 1)
    lines = [f'<p class="{key}">{_inline(block[key])}</p>\n' for key in ("subtitle", "author") if block.get(key)]
    return with_policy(
        _PAGE.substitute(
            language=html.escape(block.get("lang", "en")),
            plain_title=html.escape(plain_title(block)),
            title=_unbroken(_inline(block["title"])),
            byline="".join(lines),
            words=f"{words}\n" if (words := block.get("header-includes")) else "",
            skip=html.escape(say("Skip to the text")),
            contents_title=html.escape(say("Contents")),
            contents=_contents(body),
            made=_inline(
                say("Made by Samizdat. `report.ipynb` has every figure, table and line of code of this page.")
            ),
            style="".join((project / name).read_text(encoding="utf-8") for name in STYLES),
            scripts=_scripts(project),
            body=content.strip(),
        )
    )


def _scripts(project: Path) -> str:
    """Return the elements of the scripts that both renderers' pages have, with the files' content in them."""
    tags = (project / SCRIPTS).read_text(encoding="utf-8").strip()
    return _SCRIPT.sub(lambda tag: f"<script>{(project / tag[1]).read_text(encoding='utf-8')}</script>", tags)


def _inline(markdown: str) -> str:
    """Write Markdown of one paragraph as HTML without the `<p>` around it."""
    return pandoc.convert(markdown, pandoc.MARKDOWN, "html5").strip().removeprefix("<p>").removesuffix("</p>")


def _unbroken(title: str) -> str:
    """Keep names such as GPT-2 in a title in one line."""
    return re.sub(r"(?<![\w&#;-])\w+-\d+(?![\w;-])", r'<span class="unbroken">\g<0></span>', title)


def _contents(body: Body) -> str:
    """Write the sections as a list of links, with their levels as classes."""
    items = [
        f'<li class="level-{level}"><a href="#{html.escape(identifier)}">'
        f'<span class="number">{number}</span> {html.escape(pandoc.plain_text(words))}</a></li>'
        for level, number, identifier, words in body.headings
        if level <= DEEPEST_LISTED
    ]
    return "\n".join(["<ul>", *items, "</ul>"])

"""The user's own words: Markdown stays, tags and tricks are text, nothing can leave the section."""

import re

import pytest

from samizdat.publishing import pandoc
from samizdat.publishing.notes import safe_markdown
from support import hostile


def page(notes: str) -> str:
    """Notes as the embedded renderer shows them, without line ends between elements."""
    return re.sub(r">\n+<", "><", pandoc.convert(safe_markdown(notes), pandoc.MARKDOWN, "html5", "--wrap=none").strip())


@pytest.mark.parametrize(
    ("notes", "shown"),
    [
        ("*a* **b** `c` ~~d~~", "<p><em>a</em> <strong>b</strong> <code>c</code> <del>d</del></p>"),
        ("- a\n- b\n\n1. c", '<ul><li>a</li><li>b</li></ul><ol type="1"><li>c</li></ol>'),
        ("Found:\n- a\n- b\n\nc\n1. d\n2. e", "<p>Found:</p><ul><li>a</li><li>b</li></ul><p>c</p>"
         '<ol type="1"><li>d</li><li>e</li></ol>'),
        ("a\n# b\nc\n- d", '<p>a</p><h3 id="notes-1">b</h3><p>c</p><ul><li>d</li></ul>'),
        ("born in\n1984. Then\n-5 and #6", "<p>born in 1984. Then -5 and #6</p>"),
        ("```\na\n- b\n# c\n```", "<pre><code>a\n- b\n# c</code></pre>"),
        ("$$\nx\n- y\n$$", '<p><span class="math display"><em>x</em>\u2005−\u2005<em>y</em></span></p>'),
        ("> a", "<blockquote><p>a</p></blockquote>"),
        ("a\n\n---\n\nb", "<p>a</p><hr /><p>b</p>"),
        ("[a](https://example.org/b?c=d#e \"f\")", '<p><a href="https://example.org/b?c=d#e">a</a></p>'),
        ("a. b\nb. c\n\n    d\n\ne", "<p>a. b</p><p>b. c</p><p>d</p><p>e</p>"),
        ("iv) b\nv) - c", "<p>iv) b</p><p>v)</p><ul><li>c</li></ul>"),
        ("(Z) b\n\n(Z) c", "<p>(Z) b</p><p>(AA) c</p>"),
        ("1) b\n2) c", '<ol type="1"><li>b</li><li>c</li></ol>'),
        ("a[^x], b^[c]\n\n[^x]: *d*\n\n    e", "<p>a<sup>1</sup>, b<sup>2</sup></p><hr />"
         '<ol type="1"><li><p><em>d</em></p><p>e</p></li><li><p>c</p></li></ol>'),
        ("$x$", '<p><span class="math inline"><em>x</em></span></p>'),
        ("```html\n<b>\n\n  $x$ {{< y >}}\n```", "<pre><code><b>\n\n  $x$ {{< y >}}</code></pre>"),
        ("Don't say \"it's\"...", "<p>Don't say \"it's\"...</p>"),
        ("a & b < c", "<p>a &amp; b &lt; c</p>"),
        ("a<b>c</b>", "<p>a&lt;b&gt;c&lt;/b&gt;</p>"),
        ("<div>\n\n*a*\n\n</div>", "<p>&lt;div&gt;</p><p><em>a</em></p><p>&lt;/div&gt;</p>"),
        ("[a](javascript:b)", "<p>a (<code>javascript:b</code>)</p>"),
        ("[a](www.example.org) [b](data/c.csv)",
         "<p>a (<code>www.example.org</code>) b (<code>data/c.csv</code>)</p>"),
        ("```{python, echo=TRUE}\n*a*\n\nb\n```\n\n*c*", "<pre><code>*a*\n\nb</code></pre><p><em>c</em></p>"),
        ("~~~ {.r}\n*a*\n~~~", "<pre><code>*a*</code></pre>"),
        ("> ```r title\n> a\n> b\n> ```", "<blockquote><pre><code>a\nb</code></pre></blockquote>"),
        ("````\n``` {a}\nb\n```\n````", "<pre><code>``` {a}\nb\n```</code></pre>"),
        ("![a](https://example.org/b.png)", "<p>a (<code>https://example.org/b.png</code>)</p>"),
        ("a {{< include /etc/passwd >}}", "<p>a {{&lt; include /etc/passwd &gt;}}</p>"),
        ("`a`{=html} [b]{.c}", "<p><code>a</code>{=html} [b]{.c}</p>"),
        ("::: {.d}\na\n:::", "<p>::: {.d} a :::</p>"),
        ("@fig-x [@nobody]", "<p>@fig-x [@nobody]</p>"),
        ("$\\href{javascript:a}{b}$", "<p><code>\\href{javascript:a}{b}</code></p>"),
        ("\\newpage", "<p>\\newpage</p>"),
        ("#### a\n\n##### b\n\n###### c", '<h6 id="notes-1">a</h6><h6 id="notes-2">b</h6><h6 id="notes-3">c</h6>'),
        ("---\ntitle: a\n---", '<hr /><h4 id="notes-1">title: a</h4>'),
    ],
)  # fmt: skip
def test_notes_are_shown(notes, shown):
    found = page(notes)
    if "<pre>" in found:  # entities and hard blanks, which a browser shows as what is meant
        found = found.replace("&#10;", "\n").replace("&#160;", " ")
        found = re.sub(r"&#(\d+);", lambda match: chr(int(match.group(1))), found)
    found = found.replace('<span class="mathjax_ignore tex2jax_ignore">$</span>', "$")
    assert found == shown


def test_a_table_keeps_its_form():
    found = page("| a | b |\n|---|--:|\n| *c* | `d` |")
    assert re.sub(r' style="[^"]*"', "", found) == (
        "<table><thead><tr><th>a</th><th>b</th></tr></thead>"
        "<tbody><tr><td><em>c</em></td><td><code>d</code></td></tr></tbody></table>"
    )


def test_sections_are_below_the_section_of_the_notes_with_ids_of_their_own():
    found = page("# Fig lengths\n\n## Contents {#sec-corpus}\n\n# Fig lengths")
    assert found == (
        '<h3 id="notes-1">Fig lengths</h3><h4 id="notes-2">Contents {#sec-corpus}</h4><h3 id="notes-3">Fig lengths</h3>'
    )


def test_notes_of_nothing_are_nothing():
    assert safe_markdown("") == safe_markdown(" \n\n") == ""


def test_all_hostile_texts_at_once_bring_no_markup_of_their_own():
    found = page("\n\n".join(text for text in hostile.EVERY if len(text) < 10_000)).replace("<!-- -->", "")
    allowed = (
        "p|em|strong|del|sub|sup|code|pre|h[3-6]|ul|ol|li|dl|dt|dd|blockquote|hr|br|table|thead|tbody|tr|th|td|span|"
        "label|input|a|section|div"
    )
    elements = set(re.findall(r"<\s*/?\s*([^\s/>]+)", found))
    assert elements == {name for name in elements if re.fullmatch(allowed, name)}
    assert not re.search(
        r"<[^>]*\s(on\w+|style=\"(?!text-align)|class=\"(?!math|mathjax|task|footnote|line-block))", found
    )
    assert {link.split(":")[0] for link in re.findall(r'<a [^>]*href="([^"#][^"]*)"', found)} == {"https"}

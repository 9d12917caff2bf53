"""Options of cells."""

import pytest

from samizdat.base.errors import UserError
from samizdat.base.escaping import escape
from samizdat.publishing.cells import cell_options, inert, split_options, with_option


def test_options_of_a_cell_are_yaml():
    assert cell_options('#| label: a\n#| echo: false\n#| fig-cap: "x: y"\nprint()\n#| label: b') == {
        "label": "a", "echo": False, "fig-cap": "x: y",
    }  # fmt: skip
    assert cell_options("print()") == {}
    with pytest.raises(UserError, match=r"not valid YAML: #\| label: a: b"):
        cell_options("#| label: a: b\n")


def test_an_option_is_added_after_those_of_the_cell_or_changed_in_its_place():
    source = "#| label: a\nprint()\n#| no: option"
    added = with_option(source, "fig-alt", 'a "<b>"')
    assert split_options(added) == ('#| label: a\n#| fig-alt: "a \\"<b>\\""\n', "print()\n#| no: option")
    assert cell_options(added)["fig-alt"] == 'a "<b>"'
    assert with_option("print()", "x", "y") == '#| x: "y"\nprint()'
    assert split_options("#| label: a") == ("#| label: a", "")
    changed = with_option(added, "label", r"\1 \n")
    assert list(cell_options(changed).items()) == [("label", r"\1 \n"), ("fig-alt", 'a "<b>"')]


def test_shortcodes_of_a_text_stay_text():
    shown = inert(escape("{{< x >}} {a}"))
    assert shown == "&#123;<span></span>&#123;&#60; x &#62;&#125;<span></span>&#125; &#123;a&#125;"

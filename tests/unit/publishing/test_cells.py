"""Options of cells."""

import pytest

from samizdat.base.errors import UserError
from samizdat.publishing.cells import cell_options, split_options, with_option


def test_options_of_a_cell_are_yaml():
    assert cell_options('#| label: a\n#| echo: false\n#| fig-cap: "x: y"\nprint()\n#| label: b') == {
        "label": "a", "echo": False, "fig-cap": "x: y",
    }  # fmt: skip
    assert cell_options("print()") == {}
    with pytest.raises(UserError, match=r"not valid YAML: #\| label: a: b"):
        cell_options("#| label: a: b\n")


def test_an_option_is_added_after_those_of_the_cell():
    source = "#| label: a\nprint()\n#| no: option"
    added = with_option(source, "fig-alt", 'a "<b>"')
    assert split_options(added) == ('#| label: a\n#| fig-alt: "a &#34;&#60;b&#62;&#34;"\n', "print()\n#| no: option")
    assert with_option("print()", "x", "y") == '#| x: "y"\nprint()'
    assert split_options("#| label: a") == ("#| label: a", "")

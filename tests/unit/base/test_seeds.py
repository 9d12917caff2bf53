"""Seeds depend on the master seed and all names, and never change."""

from hypothesis import given
from hypothesis import strategies as st

from samizdat.base.seeds import derive_seed


@given(st.integers(0, 2**63), st.lists(st.text()), st.lists(st.text()))
def test_seeds_depend_on_all_names_and_fit_everywhere(master, left, right):
    assert 0 <= derive_seed(master, *left) < 2**63
    assert (derive_seed(master, *left) == derive_seed(master, *right)) == (left == right)


def test_a_seed_is_what_it_always_was():
    assert derive_seed(2014, "training", "gpt2-tiny") == 3878819129766110918

"""The decoder: transformers' logits, with the same bits in every slot."""

import pytest
import torch

from samizdat.samples.cached_gpt2 import Decoder
from support.restless_model import make_restless_model


@pytest.fixture
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def test_logits_are_those_of_transformers_at_every_place():
    model = make_restless_model()
    tokens = torch.tensor([[0, 8, 3, 60, 22, 22, 1], [0, 1, 2, 3, 4, 5, 6]])
    decoder = Decoder(model, 2, 32)
    found = [decoder.step(tokens[:, place], torch.full((2,), place), place).clone() for place in range(7)]
    with torch.no_grad():
        torch.testing.assert_close(torch.stack(found, dim=1), model(input_ids=tokens).logits, atol=2e-4, rtol=1e-4)


@pytest.mark.parametrize(("width", "heads", "slots"), [(32, 2, 3), (32, 2, 5), (32, 2, 11), (256, 4, 64), (192, 3, 33)])
def test_logits_have_the_same_bits_in_every_slot_and_company(width, heads, slots, one_thread):
    model = make_restless_model(n_embd=width, n_head=heads, vocab_size=500)
    random = torch.Generator().manual_seed(1)
    text = torch.randint(500, (40,), generator=random)
    alone = Decoder(model, slots, 64)
    expected = [alone.step(torch.full((slots,), int(token)), torch.full((slots,), place), place).clone()
                for place, token in enumerate(text)]  # fmt: skip
    mixed = Decoder(model, slots, 64)
    # Each slot is at another position, among other texts, and holds what a longer text has left.
    for place in range(64):
        mixed.step(torch.randint(500, (slots,), generator=random), torch.full((slots,), place), place)
    starts = torch.randint(0, 20, (slots,), generator=random)
    for step in range(60):
        place = (step - starts).clamp(0, 39)
        logits = mixed.step(text[place], place, int(place.max()))
        for slot in range(slots):
            if 0 <= step - starts[slot] < 40:
                assert torch.equal(logits[slot], expected[step - starts[slot]][slot])
                assert torch.equal(logits[slot], expected[step - starts[slot]][0])

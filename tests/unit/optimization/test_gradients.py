"""From gradients to a step: float16's scaler skips it everywhere or nowhere, and without one nothing changes."""

import copy

import pytest
import torch
from torch.nn.utils import clip_grad_norm_
from transformers import GPT2Config, GPT2LMHeadModel

from samizdat.optimization.gradients import make_scaler, take_step
from samizdat.optimization.optimizers import make_optimizers
from samizdat.records.io import read_document
from samizdat.records.models import ModelSummary
from support.small_training import log_of, run


class Learner:
    """A small GPT-2 with the optimisers of training, and a scaler for a number format."""

    def __init__(self, dtype: torch.dtype, optimizer: str = "muon"):
        torch.manual_seed(1)
        config = GPT2Config(
            vocab_size=40, n_positions=8, n_embd=16, n_layer=2, n_head=2, bos_token_id=0, eos_token_id=0
        )
        self.model = GPT2LMHeadModel(config)
        self.parameters = list(self.model.parameters())
        self.optimizers = make_optimizers(
            self.model, optimizer=optimizer, matrix_learning_rate=0.02, learning_rate=0.01, weight_decay=0.1,
            dtype=torch.float32,
        )  # fmt: skip
        self.scaler = make_scaler("cpu", dtype)

    def differentiate(self, seed: int) -> None:
        """Give every parameter a gradient, of a loss that the scaler has scaled."""
        random = torch.Generator().manual_seed(seed)
        scale = self.scaler.scale(torch.ones(()))
        for parameter in self.parameters:
            parameter.grad = torch.randn(parameter.shape, generator=random) * scale

    def step(self, gradient_clip: float = 1.0) -> torch.Tensor:
        return take_step(self.parameters, self.optimizers, self.scaler, gradient_clip)

    def everything(self) -> dict[str, torch.Tensor]:
        """Copies of the weights and of all that the optimisers remember."""
        found = {name: parameter.detach().clone() for name, parameter in self.model.named_parameters()}
        for number, optimizer in enumerate(self.optimizers):
            for index, state in optimizer.state_dict()["state"].items():
                found |= {f"{number}.{index}.{key}": value.clone() for key, value in state.items()}
        return found


def same(left: dict[str, torch.Tensor], right: dict[str, torch.Tensor]) -> bool:
    return left.keys() == right.keys() and all(torch.equal(value, right[name]) for name, value in left.items())


@pytest.mark.parametrize("optimizer", ["muon", "adamw"])
@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan")])
@pytest.mark.parametrize(
    "where", ["transformer.h.1.mlp.c_fc.weight", "transformer.wpe.weight", "transformer.ln_f.bias"]
)
def test_an_overflow_anywhere_skips_the_step_everywhere(where, value, optimizer):
    learner = Learner(torch.float16, optimizer)
    learner.differentiate(1)
    learner.step()
    before, scale = learner.everything(), learner.scaler.get_scale()
    learner.differentiate(2)
    dict(learner.model.named_parameters())[where].grad.view(-1)[3] = value
    assert not learner.step().isfinite()
    assert same(learner.everything(), before)
    assert learner.scaler.get_scale() == scale / 2
    learner.differentiate(3)
    assert learner.step().isfinite()
    assert not any(torch.equal(value, before[name]) for name, value in learner.everything().items())
    assert all(value.isfinite().all() for value in learner.everything().values())


@pytest.mark.parametrize("optimizer", ["muon", "adamw"])
@pytest.mark.parametrize("gradient_clip", [0.1, 1e6])
def test_a_scaled_step_is_an_unscaled_one(optimizer, gradient_clip):
    """The scale is a power of two; what is left is the order of a few products."""
    plain, scaled = Learner(torch.float32, optimizer), Learner(torch.float16, optimizer)
    for seed in (1, 2):
        norms = []
        for learner in (plain, scaled):
            learner.differentiate(seed)
            norms.append(learner.step(gradient_clip))
        torch.testing.assert_close(*norms)
    wanted = plain.everything()
    for name, value in scaled.everything().items():
        torch.testing.assert_close(value, wanted[name], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("gradient_clip", [0.1, 1e6])
def test_without_a_scale_a_step_is_clipping_and_the_optimisers_own(dtype, gradient_clip):
    ours, theirs = Learner(dtype), Learner(dtype)
    for seed in (1, 2):
        ours.differentiate(seed)
        norm = ours.step(gradient_clip)
        theirs.differentiate(seed)
        expected = clip_grad_norm_(theirs.parameters, gradient_clip)
        for optimizer in theirs.optimizers:
            optimizer.step()
        assert torch.equal(norm, expected)
    assert same(ours.everything(), theirs.everything())


def test_a_scaler_goes_on_from_its_state():
    learner = Learner(torch.float16)
    learner.differentiate(1)
    learner.parameters[0].grad[0, 0] = torch.inf
    learner.step()
    learner.differentiate(2)
    learner.step()
    again = make_scaler("cpu", torch.float16)
    again.load_state_dict(copy.deepcopy(learner.scaler.state_dict()))
    assert again.state_dict() == learner.scaler.state_dict()
    assert again.state_dict()["scale"] == 2**15 and again.state_dict()["_growth_tracker"] == 1


@pytest.mark.parametrize("optimizer", ["muon", "adamw"])
def test_float16_learns_what_float32_does(tokenizer, tmp_path, optimizer):
    _, plain = run(tokenizer, tmp_path / "plain", dropout=0.0, optimizer=optimizer)
    _, half = run(tokenizer, tmp_path / "half", dropout=0.0, optimizer=optimizer, precision="float16")
    assert read_document(ModelSummary, half / "summary.json").compute_dtype == "float16"
    losses = [[row["validation_loss"] for row in log_of(out)] for out in (plain, half)]
    assert losses[1] == pytest.approx(losses[0], rel=0.005) and losses[1] != losses[0]
    norms = [[row["gradient_norm"] for row in log_of(out)[1:]] for out in (plain, half)]
    assert norms[1] == pytest.approx(norms[0], rel=0.05)

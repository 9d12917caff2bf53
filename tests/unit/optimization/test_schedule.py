"""The learning rate over the steps of a training."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samizdat.optimization.schedule import LearningRateSchedule


@pytest.mark.parametrize(
    ("step", "schedule", "scale"),
    [
        (0, "warmup-stable-decay", 1 / 11), (9, "warmup-stable-decay", 10 / 11), (10, "warmup-stable-decay", 1),
        (60, "warmup-stable-decay", 1), (80, "warmup-stable-decay", 0.5), (99, "warmup-stable-decay", 0.025),
        (0, "linear", 1 / 11), (10, "linear", 1), (55, "linear", 0.5), (99, "linear", 1 / 90),
        (0, "cosine", 1 / 11), (10, "cosine", 1), (55, "cosine", 0.55), (100, "cosine", 0.1),
    ],
)  # fmt: skip
def test_the_learning_rate_rises_stays_and_falls(step, schedule, scale):
    assert LearningRateSchedule(schedule, 100, 0.1, 0.4).scale(step) == pytest.approx(scale)


@given(
    st.sampled_from(["warmup-stable-decay", "linear", "cosine"]),
    st.integers(1, 10_000),
    st.floats(0, 1),
    st.data(),
)
def test_no_share_is_beyond_the_peak(name, steps, warmup_share, data):
    decay_share = data.draw(st.floats(0, 1 - warmup_share))
    step = data.draw(st.integers(0, steps - 1))
    assert 0 < LearningRateSchedule(name, steps, warmup_share, decay_share).scale(step) <= 1


@given(st.integers(1, 10_000), st.floats(0, 1), st.data())
def test_linear_is_the_usual_formula_to_the_last_bit(steps, warmup_share, data):
    step = data.draw(st.integers(0, steps - 1))
    warmup = warmup_share * steps
    wanted = (step + 1) / (warmup + 1) if step < warmup else (steps - step) / max(steps - warmup, 1)
    assert LearningRateSchedule("linear", steps, warmup_share).scale(step) == wanted

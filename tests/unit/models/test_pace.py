"""The speed of a training: the whole of it, and without evaluations and what precedes the first."""

import pytest

from samizdat.models import pace


@pytest.fixture
def clock(monkeypatch):
    """A clock that is set by hand."""
    now = [0.0]
    monkeypatch.setattr(pace.time, "monotonic", lambda: now[0])

    def set_to(seconds):
        now[0] = seconds

    return set_to


def test_evaluations_and_what_precedes_the_first_are_left_out_of_the_warm_speed(clock):
    found = pace.Pace(1000)
    for begins, ends, tokens in ((50, 60, 1100), (70, 75, 1300), (85, 95, 1500)):
        clock(begins)
        with found.paused(tokens):
            clock(ends)
    clock(100)
    assert found.warm_tokens_per_second == 400 / 20 and found.tokens_per_second(1500) == 500 / 100


def test_one_evaluation_gives_no_warm_speed(clock):
    found = pace.Pace(0)
    clock(5)
    with found.paused(10):
        clock(6)
    assert found.warm_tokens_per_second is None


def test_how_long_the_rest_takes_is_said_when_the_speed_is_known_and_again_when_it_is_another(clock):
    found = pace.Pace(1000)
    clock(40)  # the first step compiles, which says nothing of the others
    assert found.seconds_left(1100, 5000) is None
    clock(40 + pace.MEASURED_SECONDS - 1)
    assert found.seconds_left(1300, 5000) is None
    clock(60)
    assert found.seconds_left(1500, 5000) == 3500 / (400 / 20)
    clock(60 + pace.AGAIN_SECONDS - 1)
    assert found.seconds_left(1600, 5000) is None, "175 seconds were said, and not a minute is over"
    clock(120)
    assert found.seconds_left(2700, 5000) is None, "as was said: 115 seconds at 20 a second"
    clock(180)
    assert found.seconds_left(4700, 50_000) == 45_300 / (2000 / 60), "the training is longer than was thought"
    clock(240)
    assert found.seconds_left(24_700, 50_000) == 25_300 / (20_000 / 60), "it is ten times as fast"


def test_of_a_training_that_is_over_nothing_is_left_to_say(clock):
    found = pace.Pace(0)
    assert found.seconds_left(50, 100) is None
    clock(20)
    assert found.seconds_left(100, 100) is None

"""Say whether the corpus has the size that courses ask for."""

from samizdat.base import course_limits
from samizdat.base.language import message, say
from samizdat.reporting.run import Run
from samizdat.reporting.words import count


def limits(run: Run) -> str:
    """Say whether the corpus has the usual size of a course's, in texts and, where counted, in tokens."""
    if not run.config["course"]:
        return ""
    texts = _within(message("{low} to {high} texts (here: {number}, {verdict})"), run.corpus.texts, course_limits.TEXTS)
    gpt2 = [item["name"] for item in run.config["tokenizers"] if item["source"] == "gpt2"]
    if not gpt2:
        return say(
            "Usual limits of a course are {texts}; GPT-2’s own tokens, which have limits too, were not counted in this "
            "run.",
            texts=texts,
        )
    # Each text has one boundary token, which is not counted here.
    number = sum(run.tokenizers[gpt2[0]].tokens.values()) - run.corpus.texts
    compared = message("{low} to {high} GPT-2 tokens (here: {number}, {verdict})")
    tokens = _within(compared, number, course_limits.GPT2_TOKENS)
    return say("Usual limits of a course are {texts} and {tokens}.", texts=texts, tokens=tokens)


def _within(words: str, number: int, limits: tuple[int, int]) -> str:
    """Compare a number with its limits, in words."""
    low, high = map(count, limits)
    verdict = say(course_limits.verdict(number, limits))
    return say(words, low=low, high=high, number=count(number), verdict=verdict)

"""The size that courses ask of a corpus."""

from samizdat.base.language import message

TEXTS = (1_000, 50_000)  # at least, at most
GPT2_TOKENS = (200_000, 2_000_000)


def verdict(number: int, limits: tuple[int, int]) -> str:
    """Say whether a number is within its limits."""
    low, high = limits
    return message("too few") if number < low else message("too many") if number > high else message("within bounds")


def in_words(texts: int, gpt2_tokens: int) -> tuple[bool, str]:
    """Compare a corpus with the usual limits of a course; return whether it keeps both, and a sentence with numbers."""
    sizes = ((texts, TEXTS, "texts"), (gpt2_tokens, GPT2_TOKENS, "GPT-2 tokens"))
    said = [
        f"{number:,} {unit} ({limits[0]:,} to {limits[1]:,}: {verdict(number, limits)})"
        for number, limits, unit in sizes
    ]
    kept = all(limits[0] <= number <= limits[1] for number, limits, _ in sizes)
    return kept, f"usual limits of a course are {'' if kept else 'not '}kept: {' and '.join(said)}"

"""Sentiment labels from people's ratings."""

# Mean ratings from -NEUTRAL to NEUTRAL, on a scale from -4 to 4, are neutral.
NEUTRAL = 0.5


def sentiment(mean: float) -> str:
    """Return the sentiment label of a mean rating."""
    return "neutral" if abs(mean) <= NEUTRAL else "positive" if mean > 0 else "negative"

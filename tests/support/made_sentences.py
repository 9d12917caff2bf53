"""Made-up sentences, for tests of measures of texts."""

import numpy as np

NOUNS = ("house", "river", "letter", "winter", "teacher", "garden", "engine", "market", "window", "soldier", "island")
VERBS = ("sees", "forgets", "follows", "paints", "sells", "remembers", "breaks", "finds", "hides", "opens", "loses")


def sentences(number, seed):
    """Sentences of one grammar; two seeds give two sets that differ in nothing else."""
    random = np.random.default_rng(seed)

    def clause():
        return f"the {random.choice(NOUNS)} {random.choice(VERBS)} a {random.choice(NOUNS)}"

    return [f"{clause()} and {clause()}, number {random.integers(10**6)}." for _ in range(number)]


def shuffled(text, seed):
    words = text.split()
    np.random.default_rng(seed).shuffle(words)
    return " ".join(words)

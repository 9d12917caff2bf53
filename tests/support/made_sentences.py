"""Sentences of one grammar, and samples of a model that wrote them."""

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


def sample_rows(texts, model, kind="unprompted", prompt="", percent=100):
    return [
        {
            "id": f"{model}-{percent}-{kind}-{number}", "model": model, "percent": percent, "step": percent,
            "prompt_kind": kind, "prompt": prompt, "prompt_text_id": None, "temperature": 1.0, "top_k": 0,
            "top_p": 0.95, "repetition_penalty": 1.1, "no_repeat_ngram": 0, "seed": number, "text": prompt + text,
            "new_tokens": 9, "finished": True,
        }
        for number, text in enumerate(texts)
    ]  # fmt: skip

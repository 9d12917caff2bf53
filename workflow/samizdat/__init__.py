"""Samizdat: from a corpus to a trained GPT-2, its samples, their classification and a published report."""

import gc

__version__ = "0.1.0"

# Importing torch and transformers makes a million objects that stay; searching them for garbage after every 700
# new ones takes a fifth of a stage's start.
gc.set_threshold(100_000, 20, 50)

"""Models and tokenizers as others publish them: where a checkpoint comes from, and how texts become its input.

Imports `base`.
"""

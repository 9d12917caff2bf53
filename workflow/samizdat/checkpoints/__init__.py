"""Published models and tokenizers: where a checkpoint comes from, and how texts become the input of a model.

Imports `base`.
"""

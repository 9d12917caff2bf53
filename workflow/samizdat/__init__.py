"""Samizdat: from a corpus to a trained GPT-2, its samples, their classification and a published report."""

__version__ = "0.1.0"

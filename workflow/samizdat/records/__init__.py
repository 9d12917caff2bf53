"""The schema of every file between steps, and the only functions that write and read one.

Imports `base`; no torch, transformers or datasets.
"""

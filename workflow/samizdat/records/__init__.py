"""The schemas of all files between steps, and the only functions that write and read these files.

Imports `base`; no torch, transformers or datasets.
"""

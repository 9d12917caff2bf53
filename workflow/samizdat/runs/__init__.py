"""Handle a run as a whole: its manifest and provenance, and `samizdat plan`, `verify`, `bundle`, `keep` and `clean`.

Imports `base`, `checkpoints` and `records`.
"""

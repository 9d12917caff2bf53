"""What every step is built on: errors, files, seeds, escaping, config, the frame of a stage, devices, code digests.

Imports nothing of samizdat outside this room, and no torch, transformers or datasets when it is imported.
"""

"""What every step uses: errors, files, random seeds, escaping, the config, the frame of a stage, devices, code digests.

Imports no other room of samizdat, and no torch, transformers or datasets when it is imported.
"""

"""How weights are updated: gradients, optimisers, learning rates. Every training loop uses it.

Imports no other room of samizdat.
"""

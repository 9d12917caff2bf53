"""How weights are updated: gradients, optimizers, learning rates. Used by every training loop.

Imports `base`.
"""

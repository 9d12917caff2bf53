"""Samizdat: from a corpus to a trained GPT-2, its samples, their classification and a published report."""

import gc
import os

__version__ = "1.0.0"

# Importing torch and transformers makes a million objects that stay; searching them for garbage after every 700
# new ones takes a fifth of a stage's start.
gc.set_threshold(100_000, 20, 50)

if "SAMIZDAT_PARENT" in os.environ:  # a step of a run; the check must not wait for the imports of its module
    from samizdat.base.parent import begin_step

    begin_step()

"""The environment that everything runs in: install the packages of `.venv`, check and repair it.

Imports `base`. `install` runs in a bare Python: the standard library and nothing else.
"""

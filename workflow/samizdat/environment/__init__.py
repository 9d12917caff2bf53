"""The environment that everything runs in: `.venv`, its installation and its checks.

Imports `base`. `install` runs in a bare Python: the standard library and nothing else.
"""

"""What a test needs of the machine that it runs on; a test is skipped, with the reason, where that is missing."""

import pytest

from samizdat.environment.system import cpp_compiler

needs_compiler = pytest.mark.skipif(cpp_compiler() is None, reason="needs a C++ compiler and Python's headers")

"""The conformance kit: what every component of a kind must hold, for other packages too.

A test file of one line runs it over the whole catalogue, the components of every installed package
included; `pytest -k mine` keeps those of one name:

    from ablate.testing.contracts import *

It needs pytest.
"""

import pytest

for part in ("compiled", "every_kind", "kinds", "methods"):
    pytest.register_assert_rewrite(f"ablate.testing.{part}")

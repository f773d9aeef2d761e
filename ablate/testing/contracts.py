"""The conformance kit: every contract, over every component that the catalogue holds.

A new file under `variants/`, or of an installed package, is tested without an edit: a test module
of one line, `from ablate.testing.contracts import *`, runs it.
"""

from ablate.testing.compiled import *  # noqa: F403
from ablate.testing.every_kind import *  # noqa: F403
from ablate.testing.kinds import *  # noqa: F403
from ablate.testing.methods import *  # noqa: F403

"""How much of what takes minutes is run: all of it by hand, a part in `.ci/run`, which has 20 minutes.

`dev.py test -m slow` kills fifty times and storms for a minute. With MIZAN_PART=1 the same tests do so less often.
"""

import os
from typing import TypeVar

import pytest

PART = os.environ.get("MIZAN_PART") == "1"
Some = TypeVar("Some")


by_hand = pytest.mark.skipif(PART, reason="asked in full by hand: `python3 dev.py test -m slow`")


def times(whole: Some, part: Some) -> Some:
    """`whole` by hand, `part` in CI: how often, or which."""
    return part if PART else whole

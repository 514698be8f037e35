"""Programs that tests need beside Python: without one a test says so and is left out, but where CI=true it fails."""

import os

import pytest

IN_CI = os.environ.get("CI") == "true" or os.environ.get("REQUIRE_PROGRAMS") == "1"  # the second: .ci/run


def needs(program: str, *, there: object, package: str):
    """A mark for tests, or for `pytestmark`. In CI they run all the same, and fail by what they miss."""
    missing = not there and not IN_CI
    return pytest.mark.skipif(missing, reason=f"{program} is not installed (apt-get install {package})")


def missing(what: str, *, package: str):
    """The same in the middle of a test."""
    said = f"{what} is not on this machine (apt-get install {package})"
    pytest.fail(said) if IN_CI else pytest.skip(said)

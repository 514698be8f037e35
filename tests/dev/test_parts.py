"""The list of parts, and that none is older than what is known to be safe."""

import json
import subprocess
import sys
from importlib.metadata import distributions

import pytest

from compliance.embedded import sbom
from compliance.embedded.environment import ROOT

# Below these an advisory stands open (Django 5.2.17: five of August 2026; allauth 65.14.2: a forged address passed the
# limits; celery 5.2.2: CVE-2021-23727; Pillow 12.3: fourteen of 2026; gunicorn 23: request smuggling).
FLOORS = {
    "django": "5.2.17",
    "django-allauth": "65.14.2",
    "django-guardian": "3.0.0",
    "celery": "5.2.2",
    "pillow": "12.3.0",
    "gunicorn": "23.0.0",
    "cryptography": "44.0.1",
    "pyjwt": "2.10.1",
    "lxml": "5.0.0",
    "requests": "2.32.4",
}


def pinned(lock):
    """Versions by name: there may be one for each version of Python."""
    found = {}
    for name, version, _files in sbom.parts((ROOT / "requirements" / lock).read_text()):
        found.setdefault(name, set()).add(version)
    return found


def number(version):
    return tuple(int(part) for part in version.split(".")[:3] if part.isdigit())


@pytest.mark.parametrize("lock", ["app.txt", "server.txt", "dev.txt"])
def test_nothing_is_older_than_what_is_safe(lock):
    found = pinned(lock)
    assert {n: found[n] for n, floor in FLOORS.items() if min(map(number, found.get(n, {floor}))) < number(floor)} == {}


def test_every_floor_stands_under_something():
    assert sorted(set(FLOORS) - set(pinned("server.txt"))) == [], "a part that is gone: remove its floor"


def test_what_must_not_be_there_is_not():
    """A parser of PDF files in the web's process; pickles as messages need no package, a test of the broker asks."""
    assert not {"pypdf", "pypdf2", "defusedxml-lxml"} & set(pinned("server.txt"))


def test_the_bill_names_exactly_what_is_installed():
    """Nothing beside the lock, nothing missing of it, in this very environment."""
    here = {sbom.normal(each.metadata["Name"]): each.version for each in distributions()}
    tools = {"pip", "setuptools", "wheel", "uv"}
    locked = pinned("dev.txt")
    assert {name: at for name, at in here.items() if name not in tools and at not in locked.get(name, ())} == {}
    assert set(pinned("dev.txt")) - set(here) <= ABSENT_HERE


# Pinned for other systems, or other versions of Python.
ABSENT_HERE = {"colorama", "tzdata", "exceptiongroup", "pywin32", "async-timeout", "tomli", "importlib-metadata"}


def test_the_command_writes_cyclonedx_and_twice_the_same():
    runs = [
        subprocess.run(
            [sys.executable, "dev.py", "sbom", "--lock", "app.txt"], cwd=ROOT, capture_output=True, check=True
        )
        for _twice in range(2)
    ]
    assert runs[0].stdout == runs[1].stdout
    bill = json.loads(runs[0].stdout)
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    named = {(one["name"], one["version"]) for one in bill["components"]}
    assert named == {(name, version) for name, versions in pinned("app.txt").items() for version in versions}
    assert all(one["purl"].startswith("pkg:pypi/") and one["properties"] for one in bill["components"])

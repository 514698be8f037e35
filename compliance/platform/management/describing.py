"""`platform openapi`: the description of the API, as it is and as it was written down."""

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.utils import translation

from compliance.platform.describing.changes import breaking, changed
from compliance.platform.describing.lint import faults_of
from compliance.platform.describing.types import types_of
from compliance.platform.versions import VERSIONS

SNAPSHOT = settings.BASE_DIR / "docs" / "reference" / "openapi.json"
TYPES = settings.BASE_DIR / "clients" / "python" / "mizan_client" / "types.py"
REFRESH = "python3 dev.py manage platform openapi --write"


def describe(api: Any) -> dict[str, Any]:
    """The description, the same on every machine: without the address of this one."""
    with translation.override("en"):
        document = json.loads(json.dumps(api.get_openapi_schema(path_prefix="/api/v1/"), default=str))
    document.pop("servers", None)
    document["info"]["x-versions"] = list(VERSIONS)
    found: dict[str, Any] = document
    return found


def _written() -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(SNAPSHOT.read_text())
    except ValueError:
        words = f"{SNAPSHOT.name} is no JSON, as after a merge: take one side of it (git checkout --ours), then again."
        raise CommandError(words, returncode=2) from None
    return found


def differences(document: dict[str, Any]) -> list[str]:
    """What is not as it was written down: breaking changes first, then the others, each a line."""
    if not SNAPSHOT.exists():
        return ["nothing was written down yet"]
    before = _written()
    found = [f"BREAKING {line}" for line in breaking(before, document)] + changed(before, document)
    if not found and before != document:
        found = ["words or examples"]
    if not TYPES.exists() or TYPES.read_text() != types_of(document):
        found.append("types of the Python client")
    return found


def write(document: dict[str, Any], *, break_it: bool) -> list[Path]:
    """Write it down, and the client's types. Refuses what breaks a platform unless a new version of the API says so."""
    if faults := faults_of(document):
        raise CommandError("\n".join(faults), returncode=1)
    before = _written() if SNAPSHOT.exists() else None
    if before is not None and (broken := breaking(before, document)):
        newer = document["info"]["x-versions"][-1] not in before["info"].get("x-versions", VERSIONS)
        if not (break_it and newer):
            words = "This breaks platforms: give it a version (compliance/platform/versions.py), then --break."
            raise CommandError("\n".join([*broken, words]), returncode=1)
    SNAPSHOT.write_text(json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
    TYPES.write_text(types_of(document))
    return [SNAPSHOT, TYPES]

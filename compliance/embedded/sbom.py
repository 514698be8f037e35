"""The parts of the product as CycloneDX 1.6 JSON, from a lock: the same lock gives the same bytes.

`python3 dev.py sbom > mizan.cdx.json`; `--lock dev.txt` names another lock of `requirements/`.
"""

import json
import re
import uuid
from hashlib import sha256
from pathlib import Path
from typing import Any

_PINNED = re.compile(r"^([A-Za-z0-9_.-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", re.MULTILINE)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def parts(lock: str) -> list[tuple[str, str, list[str]]]:
    """(name, version, SHA-256 of each of its files) of every package that a lock pins, by name."""
    found = []
    for block in re.split(r"\n(?=[A-Za-z0-9])", lock):
        if pinned := _PINNED.match(block):
            found.append((normal(pinned[1]), pinned[2], sorted(_HASH.findall(block))))
    return sorted(found)


def normal(name: str) -> str:
    """As package indexes compare names (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def bill(lock: Path, *, version: str) -> dict[str, Any]:
    """The document: one component for each package, with what proves its files."""
    text = lock.read_text(encoding="utf-8")
    serial = uuid.uuid5(uuid.NAMESPACE_URL, f"mizan {version} {sha256(text.encode()).hexdigest()}")
    product = {"type": "application", "bom-ref": "mizan", "name": "mizan", "version": version}
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {"component": product},
        "components": [_component(*part) for part in parts(text)],
        "dependencies": [{"ref": "mizan", "dependsOn": [_purl(name, at) for name, at, _files in parts(text)]}],
    }


def _component(name: str, version: str, files: list[str]) -> dict[str, Any]:
    return {
        "type": "library",
        "bom-ref": _purl(name, version),
        "name": name,
        "version": version,
        "purl": _purl(name, version),
        # Of each file that may be installed; a component's own `hashes` would be of one file.
        "properties": [{"name": "mizan:file:sha256", "value": one} for one in files],
    }


def _purl(name: str, version: str) -> str:
    return f"pkg:pypi/{name}@{version}"


def dump(lock: Path, *, version: str) -> str:
    return json.dumps(bill(lock, version=version), indent=1, sort_keys=True)

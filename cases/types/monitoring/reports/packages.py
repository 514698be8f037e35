"""Reports that are typed into an authority's own form: a package with the form's fields in its order, and the evidence.

A ZIP without times or names of ours, so that the same report gives the same bytes.
"""

import io
import json
import zipfile
from collections.abc import Sequence
from typing import Any

from cases.types.monitoring.reports.content import LABELS, PARTS, Content
from cases.types.monitoring.reports.profiles import Profile, Version

STAMP = (1980, 1, 1, 0, 0, 0)


def package(
    profile: Profile,
    version: Version,
    content: Content,
    *,
    facts: dict[str, str],
    evidence: Sequence[tuple[str, str, bytes | None]],
) -> bytes:
    """form.txt for people, form.json for machines, the files of the evidence, and a list with the SHA-256 of each.

    `evidence` are title, digest and, of a file of ours, its bytes. `facts` are our reference, kind and days.
    """
    files: dict[str, bytes] = {
        "form.txt": _words(profile, version, content, facts).encode(),
        "form.json": json.dumps(_fields(profile, version, content, facts), ensure_ascii=False, indent=2).encode(),
    }
    listed = []
    for place, (title, digest, data) in enumerate(evidence, start=1):
        name = f"evidence/{place:02d}" if data is not None else ""
        listed.append(f"{digest}  {name or '-'}  {title}")
        if data is not None:
            files[name] = data
    files["evidence.txt"] = ("\n".join(listed) + "\n").encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, data in files.items():
            bundle.writestr(zipfile.ZipInfo(name, STAMP), data)
    return out.getvalue()


def _fields(profile: Profile, version: Version, content: Content, facts: dict[str, str]) -> dict[str, Any]:
    return {
        "profile": version.id,
        "authority": profile.authority,
        **facts,
        **{path: content.value(path) for path in version.required},
        "action": content.action,
    }


def _words(profile: Profile, version: Version, content: Content, facts: dict[str, str]) -> str:
    lines = [profile.authority, ""]
    lines += [f"{name}: {value}" for name, value in facts.items() if value]
    shown = [path for path in version.required if not path.startswith("narrative.")]
    lines += [f"{LABELS[path]}: {content.value(path)}" for path in shown]
    if content.indicators:
        named = [version.indicators.get(code, {}).get("tr", code) for code in content.indicators]
        lines.append(", ".join(named))
    for part, label in PARTS.items():
        if said := content.narrative.get(part, "").strip():
            lines += ["", f"{label}", said]
    if content.action:
        lines += ["", content.action]
    return "\n".join(lines) + "\n"

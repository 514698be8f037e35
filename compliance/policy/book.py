"""All policies of an installation, read once from compliance/policy/jurisdictions/*.toml and frozen."""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from compliance.policy.errors import PolicyBroken, PolicyMissing
from compliance.policy.records import Table
from compliance.policy.schema import Policy

FOLDER = Path(__file__).parent / "jurisdictions"

FIXES = {
    "extra_forbidden": "Correct the name or remove it; docs/reference/policy.md lists what is known.",
    "missing": "Add it.",
}


@dataclass(frozen=True, slots=True)
class Book:
    """Versions by id, and each jurisdiction's versions from the oldest to the newest."""

    versions: Mapping[str, Policy]
    by_jurisdiction: Mapping[str, tuple[Policy, ...]]

    @classmethod
    def of(cls, policies: Iterable[Policy]) -> "Book":
        ordered = sorted(policies, key=lambda policy: (policy.jurisdiction, policy.effective_from))
        jurisdictions = sorted({policy.jurisdiction for policy in ordered})
        return cls(
            versions=Table({policy.version: policy for policy in ordered}),
            by_jurisdiction=Table(
                {name: tuple(policy for policy in ordered if policy.jurisdiction == name) for name in jurisdictions}
            ),
        )

    def policy_for(self, jurisdiction: str, *, on: date) -> Policy:
        if isinstance(on, datetime):
            raise TypeError("on: pass the licensee's day (a date), not a moment.")
        versions = self.by_jurisdiction.get(jurisdiction)
        if versions is None:
            known = ", ".join(sorted(self.by_jurisdiction))
            raise PolicyMissing(
                f"No policy for the jurisdiction {jurisdiction!r}. Known: {known}. "
                f"Add compliance/policy/jurisdictions/{jurisdiction.lower()}.toml."
            )
        in_force = [policy for policy in versions if policy.effective_from <= on]
        if not in_force:
            raise PolicyMissing(
                f"No policy for the jurisdiction {jurisdiction!r} on {on}: the first is {versions[0].version}."
            )
        return in_force[-1]

    def policy_at(self, version: str) -> Policy:
        try:
            return self.versions[version]
        except KeyError:
            raise PolicyMissing(f"No policy of the version {version!r}. Known: {', '.join(self.versions)}.") from None


def policy_for(jurisdiction: str, *, on: date) -> Policy:
    """The policy in force in `jurisdiction` (ISO 3166-1, such as "TR") on the licensee's day `on`, or PolicyMissing."""
    return book().policy_for(jurisdiction, on=on)


def policy_at(version: str) -> Policy:
    """The policy that a case pinned when it was opened, such as "TR-2026-02-01"; PolicyMissing when there is none."""
    return book().policy_at(version)


@cache
def book() -> Book:
    return read(FOLDER)


def read(folder: Path) -> Book:
    """All files of a folder; PolicyBroken with every problem found, each naming file, key and fix."""
    problems: list[str] = []
    policies: list[Policy] = []
    for file in sorted(folder.glob("*.toml")):
        try:
            policies += _read_file(file)
        except PolicyBroken as broken:
            problems += broken.problems
    problems += _clashes(policies)
    if not policies and not problems:
        problems.append(f"{folder}: no *.toml in this folder. Add one per jurisdiction.")
    if problems:
        raise PolicyBroken(problems)
    return Book.of(policies)


def _clashes(policies: list[Policy]) -> Iterator[str]:
    seen: set[str] = set()
    for policy in policies:
        if policy.version in seen:
            file = f"{policy.jurisdiction.lower()}.toml"
            yield f"{file}, version {policy.version}: is there twice. Give one another effective_from."
        seen.add(policy.version)


def _read_file(file: Path) -> list[Policy]:
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PolicyBroken([f"{file.name}: not TOML: {error}. Correct the file."]) from error
    versions = content.pop("version", [])
    shared = {"jurisdiction": content.pop("jurisdiction", None), "name": content.pop("name", None)}
    shared["sources"] = content.pop("sources", {})
    problems = [f"{file.name}, {key}: not known here. {FIXES['extra_forbidden']}" for key in content]
    if shared["jurisdiction"] != file.stem.upper():
        problems.append(f'{file.name}, jurisdiction: must be "{file.stem.upper()}", like the file\'s name.')
    if not versions or not isinstance(versions, list) or not all(isinstance(each, dict) for each in versions):
        problems.append(f"{file.name}, version: write each as [[version]], at least one.")
    if problems:
        raise PolicyBroken(problems)
    return _versions(file.name, versions, shared)


def _versions(file: str, versions: list[dict[str, Any]], shared: Mapping[str, Any]) -> list[Policy]:
    whole: dict[str, dict[str, Any]] = {}
    problems: list[str] = []
    policies: list[Policy] = []
    for said in versions:
        name = str(said.get("id", "without an id"))
        try:
            whole[name] = _completed(said, whole)
            fixed = {**shared, "version": name}
            if misplaced := sorted(fixed.keys() & whole[name].keys()):
                raise KeyError(f"{misplaced[0]}: belongs to the head of the file. Remove it here.")
            policies.append(Policy(**fixed, **_with_included_levels(whole[name])))
        except ValidationError as error:
            problems += [f"{file}, version {name}, {_words(fault)}" for fault in error.errors()]
        except KeyError as error:
            problems.append(f"{file}, version {name}, {error.args[0]}")
    if problems:
        raise PolicyBroken(problems)
    return policies


def _completed(said: Mapping[str, Any], earlier: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """What the version says, laid over the one it is `based_on`, minus what it goes `without`."""
    said = {key: value for key, value in said.items() if key != "id"}
    base, dropped = said.pop("based_on", None), said.pop("without", [])
    if not isinstance(dropped, list) or not all(isinstance(path, str) for path in dropped):
        raise KeyError('without: write a list of paths, such as ["thresholds.transaction"].')
    if base is not None and str(base) not in earlier:
        raise KeyError(f"based_on: {base!r} is not an earlier version of this file. Correct the id.")
    inherited = dict(earlier.get(str(base), {}))
    inherited.pop("note", None)
    for path in dropped:
        inherited = _without(inherited, path.split("."), path)
    laid: dict[str, Any] = _laid_over(inherited, said)
    return laid


def _laid_over(old: Any, new: Any) -> Any:
    """Tables are merged; a rule (it has a modality) is replaced whole, so that no new value keeps an old source."""
    if not isinstance(old, dict) or not isinstance(new, dict) or "modality" in old:
        return new
    return old | {key: _laid_over(old[key], value) if key in old else value for key, value in new.items()}


def _without(part: Any, steps: list[str], path: str) -> dict[str, Any]:
    if not isinstance(part, dict) or steps[0] not in part:
        raise KeyError(f"without: {path!r} is not in the version it is based on. Remove it.")
    rest = {key: value for key, value in part.items() if key != steps[0]}
    return rest if len(steps) == 1 else part | {steps[0]: _without(part[steps[0]], steps[1:], path)}


def _with_included_levels(said: Mapping[str, Any]) -> dict[str, Any]:
    """In a file a level that `includes` another lists only what it adds; in a policy it holds everything."""
    verification = said.get("verification")
    levels = verification.get("levels") if isinstance(verification, dict) else None
    if not isinstance(levels, dict):
        return dict(said)  # the schema says what is wrong
    whole: dict[str, Any] = {}
    for name, level in levels.items():
        whole[name] = level
        if isinstance(level, dict) and "includes" in level:
            included, added = whole.get(str(level["includes"])), level.get("required", [])
            if included is None or level["includes"] == name:
                path = f"verification.levels.{name}.includes"
                raise KeyError(f"{path}: {level['includes']!r} is not an earlier level. Correct the name.")
            own = {key: value for key, value in level.items() if key != "includes"}
            inherited = included.get("required") if isinstance(included, dict) else None
            if isinstance(inherited, list) and isinstance(added, list):
                added = [*inherited, *added]
            whole[name] = own | {"required": added}
    return dict(said) | {"verification": {**(verification or {}), "levels": whole}}


def _words(fault: Mapping[str, Any]) -> str:
    key = ".".join(str(step) for step in fault["loc"]) or "as a whole"
    message = str(fault["msg"]).removeprefix("Value error, ")
    return f"{key}: {message}. {FIXES.get(str(fault['type']), 'Correct the value.')}"

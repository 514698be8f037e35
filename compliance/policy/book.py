"""All policies of an installation, read once from compliance/policy/jurisdictions/*.toml and frozen.

`op.toml` is no jurisdiction: it holds what the operator chose where no law says it, for the others to be based on.
"""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from compliance.policy.errors import PolicyBroken, PolicyMissing
from compliance.policy.records import Table
from compliance.policy.schema import Policy
from compliance.policy.strictest import Incomparable, strictest

FOLDER = Path(__file__).parent / "jurisdictions"
HOUSE = "OP"
TOGETHER = "+"

FIXES = {
    "extra_forbidden": "Correct the name or remove it; docs/reference/policy.md lists what is known.",
    "missing": "Add it.",
}


@dataclass(frozen=True, slots=True)
class Book:
    """Versions by id, and each jurisdiction's versions from the oldest to the newest."""

    versions: Mapping[str, Policy]
    by_jurisdiction: Mapping[str, tuple[Policy, ...]]
    made: dict[tuple[str, ...], Policy] = field(default_factory=dict, compare=False)

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
        """The jurisdiction's own version together with those of the unions whose law holds there as well."""
        own = self.in_force(jurisdiction, on=on)
        unions = [union for union in own.also if self.by_jurisdiction[union][0].effective_from <= on]
        return self.together((own.version, *(self.in_force(union, on=on).version for union in unions)))

    def together(self, versions: tuple[str, ...]) -> Policy:
        """Several versions as one policy, in which of each rule the most protective holds. Made once each."""
        if len(versions) == 1:
            return self.versions[versions[0]]
        if versions not in self.made:
            self.made[versions] = strictest([self.versions[version] for version in versions])
        return self.made[versions]

    def in_force(self, jurisdiction: str, *, on: date) -> Policy:
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
        """`version` as policy_for's answer names it: one id, or several joined by a plus sign."""
        try:
            return self.together(tuple(version.split(TOGETHER)))
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
    house = _read_house(folder / f"{HOUSE.lower()}.toml")
    for file in sorted(folder.glob("*.toml")):
        try:
            policies += _read_file(file, house) if file.stem.upper() != HOUSE else ()
        except PolicyBroken as broken:
            problems += broken.problems
    problems += _clashes(policies)
    if not policies and not problems:
        problems.append(f"{folder}: no *.toml in this folder. Add one per jurisdiction.")
    if not problems:
        problems += _unions_that_do_not_fit(Book.of(policies))
    if problems:
        raise PolicyBroken(problems)
    return Book.of(policies)


def _unions_that_do_not_fit(known: Book) -> Iterator[str]:
    """Tries every day on which something begins, so that nobody meets a clash when a case opens."""
    days = sorted({policy.effective_from for policy in known.versions.values()})
    for jurisdiction, versions in known.by_jurisdiction.items():
        file = f"{jurisdiction.lower()}.toml"
        missing = sorted({union for policy in versions for union in policy.also} - known.by_jurisdiction.keys())
        if missing:
            yield f"{file}, also: there is no {missing[0].lower()}.toml. Add it or correct the name."
            continue
        for day in days:
            try:
                if versions[0].effective_from <= day:
                    known.policy_for(jurisdiction, on=day)
            except Incomparable as error:
                yield f"{file}, from {day}: {error}"


@dataclass(frozen=True, slots=True)
class House:
    """The operator's own choices: content by version id, and the sources they name."""

    versions: Mapping[str, dict[str, Any]]
    sources: Mapping[str, str]


NOTHING = House({}, {})


def _read_house(file: Path) -> House:
    """Read as a jurisdiction of its own, so that what is wrong with it is said of it."""
    if not file.is_file():
        return NOTHING
    _read_file(file, NOTHING)
    content = _toml(file)
    whole: dict[str, dict[str, Any]] = {}
    for said in content["version"]:
        whole[said["id"]] = {key: part for key, part in _completed(said, whole).items() if key != "effective_from"}
    return House(whole, content["sources"])


def _toml(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise PolicyBroken([f"{file.name}: not TOML: {error}. Correct the file."]) from error


def _clashes(policies: list[Policy]) -> Iterator[str]:
    seen: set[str] = set()
    for policy in policies:
        if policy.version in seen:
            file = f"{policy.jurisdiction.lower()}.toml"
            yield f"{file}, version {policy.version}: is there twice. Give one another effective_from."
        seen.add(policy.version)


def _read_file(file: Path, house: House) -> list[Policy]:
    content = _toml(file)
    versions = content.pop("version", [])
    shared = {key: content.pop(key, None) for key in ("jurisdiction", "name")}
    shared["also"] = content.pop("also", ())
    shared["sources"] = {**house.sources, **content.pop("sources", {})}
    problems = [f"{file.name}, {key}: not known here. {FIXES['extra_forbidden']}" for key in content]
    if shared["jurisdiction"] != file.stem.upper():
        problems.append(f'{file.name}, jurisdiction: must be "{file.stem.upper()}", like the file\'s name.')
    if not versions or not isinstance(versions, list) or not all(isinstance(each, dict) for each in versions):
        problems.append(f"{file.name}, version: write each as [[version]], at least one.")
    if problems:
        raise PolicyBroken(problems)
    return _versions(file.name, versions, shared, house)


def _versions(file: str, versions: list[dict[str, Any]], shared: Mapping[str, Any], house: House) -> list[Policy]:
    whole: dict[str, dict[str, Any]] = dict(house.versions)
    problems: list[str] = []
    policies: list[Policy] = []
    for said in versions:
        name = str(said.get("id", "without an id"))
        try:
            whole[name] = _completed(said, whole)
            # A version names what it read besides: what its file named before is part of the older versions.
            if not isinstance(whole[name].get("sources", {}), dict):
                raise KeyError("sources: write it as a table, [version.sources].")
            read = {**shared["sources"], **whole[name].get("sources", {})}
            content = {key: part for key, part in whole[name].items() if key != "sources"}
            fixed = {**shared, "version": name, "sources": read}
            if misplaced := sorted(fixed.keys() & content.keys()):
                raise KeyError(f"{misplaced[0]}: belongs to the head of the file. Remove it here.")
            policies.append(Policy(**fixed, **_with_included_levels(content)))
        except ValidationError as error:
            problems += [f"{file}, version {name}, {_words(fault)}" for fault in error.errors()]
        except KeyError as error:
            problems.append(f"{file}, version {name}, {error.args[0]}")
    if problems:
        raise PolicyBroken(problems)
    return policies


def _completed(said: Mapping[str, Any], earlier: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """What the version says, laid over those it is `based_on` (one, or several from the least to the most particular),
    minus what it goes `without`.
    """
    said = {key: value for key, value in said.items() if key != "id"}
    base, dropped = said.pop("based_on", None), said.pop("without", [])
    if not isinstance(dropped, list) or not all(isinstance(path, str) for path in dropped):
        raise KeyError('without: write a list of paths, such as ["thresholds.transaction"].')
    inherited: dict[str, Any] = {}
    for name in base if isinstance(base, list) else [base] if base is not None else []:
        if str(name) not in earlier:
            raise KeyError(
                f"based_on: {name!r} is not an earlier version of this file, nor of {HOUSE.lower()}.toml."
                " Correct the id."
            )
        inherited = _laid_over(inherited, earlier[str(name)], of_house=True)
    inherited.pop("note", None)
    for path in dropped:
        inherited = _without(inherited, path.split("."), path)
    laid: dict[str, Any] = _laid_over(inherited, said)
    return laid


def _laid_over(old: Any, new: Any, *, of_house: bool = False) -> Any:
    """Tables are merged; a rule (it has a modality) is replaced whole, so that no new value keeps an old source.

    Of what a level requires, an item of the same purpose is replaced, another one added. `of_house`: a rule of the
    house stays as the base that is named first has it, and is not turned back by an older one that inherited it.
    """
    if of_house and _is_same_of_house(old, new):
        return old
    if isinstance(old, list) and isinstance(new, list) and all(isinstance(item, dict) for item in (*old, *new)):
        again = {str(item.get("purpose")): item for item in new}
        if len(again) < len(new):
            return [*old, *new]  # the schema says what is there twice
        kept = [_laid_over(item, again.pop(str(item.get("purpose")), item), of_house=of_house) for item in old]
        return [*kept, *again.values()]
    if not isinstance(old, dict) or not isinstance(new, dict) or "modality" in old:
        return new
    both = {key: _laid_over(old[key], value, of_house=of_house) for key, value in new.items() if key in old}
    return old | new | both


def _is_same_of_house(old: Any, new: Any) -> bool:
    rules = isinstance(old, dict) and isinstance(new, dict) and "modality" in old and "modality" in new
    return rules and old.get("id") == new.get("id") and str(old.get("id")).startswith(f"{HOUSE}.")


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

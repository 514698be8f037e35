"""The shape of a policy version. Each field here is described in docs/reference/policy.md; a test compares the two."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, Self

from pydantic import BaseModel, Field, StrictInt, model_validator

from compliance.policy.errors import PolicyMissing
from compliance.policy.records import Frozen, FrozenTable, Period, Provenance, Rule, Section, Threshold, Words

RISKS = ("low", "medium", "high")
PURPOSES = ("identity_front", "identity_back", "selfie", "address", "funds", "wealth", "payment_ownership")
DOCUMENTS = (
    "national_id",
    "passport",
    "driving_licence",
    "residence_permit",
    "selfie_photo",
    "utility_bill",
    "bank_statement",
    "government_letter",
    "residence_certificate",
    "masked_card_photo",
    "ewallet_statement",
    "payslip",
    "tax_return",
    "pension_statement",
    "sale_contract",
)
EFFECTS = ("sign_in", "deposit", "play", "withdraw", "marketing")
ENDINGS = ("lapsed", "withdrawn", "underage", "deceased", "impersonated")
Purpose = Literal[PURPOSES]  # type: ignore[valid-type]
DocumentType = Literal[DOCUMENTS]  # type: ignore[valid-type]
Effect = Literal[EFFECTS]  # type: ignore[valid-type]


class EvidenceRule(Provenance):
    """One thing a level asks for: a purpose and the documents that may prove it.

    `sides` name what must be visible. `max_age_days` counts from issue to receipt; None: no limit.
    `waived_by` are documents that make this item unnecessary when they proved another one (a passport has no back).
    `good_for_days` counts from acceptance; then the item is asked for anew. None: as long as the document.
    """

    purpose: Purpose
    any_of: tuple[DocumentType, ...] = Field(min_length=1)
    sides: tuple[Literal["front", "back"], ...] = ()
    max_age_days: StrictInt | None = Field(default=None, gt=0)
    waived_by: tuple[DocumentType, ...] = ()
    good_for_days: StrictInt | None = Field(default=None, gt=0)


class Level(Frozen):
    """How sure we are of a customer, and what evidence carries it. Levels are listed from the least to the most."""

    title: Words
    required: tuple[EvidenceRule, ...]

    @model_validator(mode="after")
    def _one_item_per_purpose(self) -> Self:
        purposes = [item.purpose for item in self.required]
        if twice := {purpose for purpose in purposes if purposes.count(purpose) > 1}:
            raise ValueError(f"required twice: {', '.join(sorted(twice))}")
        return self


class Age(Section):
    minimum: Rule[StrictInt] | None = None


class Verification(Section):
    """Levels, what may be done at which, and the clocks. Hours and days here are elapsed time, not working time."""

    levels: FrozenTable[Level] = Field(min_length=1)
    play_needs: Rule[str] | None = None
    before_service: Rule[tuple[str, ...]] | None = None
    review_hours: Rule[StrictInt] | None = None
    answer_days: Rule[StrictInt] | None = None
    when_unanswered: Rule[Literal["lapse"]] | None = None
    stops: FrozenTable[Rule[tuple[Effect, ...]]]
    objection_days: Rule[StrictInt] | None = None

    def level(self, name: str) -> Level:
        try:
            return self.levels[name]
        except KeyError:
            raise PolicyMissing(f"level {name!r} is not in this policy. Known: {', '.join(self.levels)}.") from None


class Thresholds(Section):
    """Amounts that trigger due diligence or a check."""

    transaction: Rule[Threshold] | None = None
    transfer: Rule[Threshold] | None = None
    financial_vulnerability: Rule[Threshold] | None = None


class Review(Section):
    """How often a customer's data is looked at again, in months, by risk."""

    months: FrozenTable[Rule[StrictInt]] = Field(min_length=1)


class Retention(Section):
    """How long a class of records is kept at least, and how often what is no longer kept must be destroyed.

    What hangs on a customer's key counts from the later of two days: the end of the relationship, the last record.
    """

    identity_documents: Rule[Period] | None = None
    transactions: Rule[Period] | None = None
    books: Rule[Period] | None = None
    erasure_log: Rule[Period] | None = None
    destruction_interval: Rule[Period] | None = None
    log: Rule[Period] | None = None


@dataclass(frozen=True, slots=True)
class Need:
    """Whether an act needs two persons; `why` in words for the page, `rule` and `version` for the record."""

    two: bool
    why: str
    rule: str
    version: str


class Condition(Frozen):
    """One circumstance: a fact of the act is one of these names, or a number above this one."""

    fact: str
    one_of: tuple[str, ...] = ()
    above: StrictInt | None = None
    why: Words

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if bool(self.one_of) == (self.above is not None):
            raise ValueError('say either "one_of" or "above"')
        return self

    def reason(self, facts: Mapping[str, Any]) -> str | None:
        """Why the act needs two persons, or None. A fact that nobody stated counts as reached: in doubt two."""
        fact = facts.get(self.fact)
        if fact is None:
            return str(_NOT_STATED).format(fact=self.fact)
        reached = fact > self.above if self.above is not None else str(fact) in self.one_of
        return str(self.why) if reached else None


class TwoPersons(Provenance):
    """An act that needs a second person: always, or when any of `when` holds."""

    text: Words
    when: tuple[Condition, ...] = ()


class OnePerson(Provenance):
    """An act that never waits for a second person, because it protects somebody."""

    text: Words


class FourEyes(Frozen):
    """`acts` may need two persons, `alone` never do. An act in neither needs two."""

    acts: FrozenTable[TwoPersons]
    alone: FrozenTable[OnePerson]

    @model_validator(mode="after")
    def _in_one_list(self) -> Self:
        if both := self.acts.keys() & self.alone.keys():
            raise ValueError(f"in acts and in alone: {', '.join(sorted(both))}")
        return self


class Policy(Frozen):
    """What one jurisdiction asks from one day on."""

    version: str = Field(pattern=r"^[A-Z]{2}-\d{4}-\d{2}-\d{2}$")
    jurisdiction: str = Field(pattern=r"^[A-Z]{2}$")
    name: str
    effective_from: date
    note: str = ""
    sources: FrozenTable[str]
    age: Age
    verification: Verification
    thresholds: Thresholds
    review: Review
    retention: Retention
    four_eyes: FourEyes

    @model_validator(mode="after")
    def _agrees_with_itself(self) -> Self:
        wrong = [*self._wrong_names(), *self._wrong_origins()]
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    def _wrong_names(self) -> Iterator[str]:
        if self.version != f"{self.jurisdiction}-{self.effective_from}":
            yield f"id {self.version} must be {self.jurisdiction}-{self.effective_from}, from effective_from"
        levels, play = self.verification.levels, self.verification.__dict__["play_needs"]
        if play is not None and play.value not in levels:
            yield f"verification.play_needs names the unknown level {play.value}"
        if set(self.verification.stops) != set(ENDINGS):
            yield f"verification.stops must name {', '.join(ENDINGS)}"
        if set(self.review.months) != set(RISKS):
            yield f"review.months must name {', '.join(RISKS)}"
        known = {"level": set(levels), "risk": set(RISKS)}
        for act, rule in self.four_eyes.acts.items():
            for condition in rule.when:
                if unknown := set(condition.one_of) - known.get(condition.fact, set(condition.one_of)):
                    yield f"four_eyes.acts.{act} names the unknown {condition.fact} {', '.join(sorted(unknown))}"

    def _wrong_origins(self) -> Iterator[str]:
        seen: dict[str, Provenance] = {}
        for path, rule in self.rules():
            if rule.source not in self.sources:
                yield f"{path}.source {rule.source} is not in [sources]"
            # A level repeats what it includes; another rule under the same id is a slip.
            if seen.setdefault(rule.id, rule) != rule:
                yield f"{path}.id {rule.id} is used twice"

    def rules(self) -> Iterator[tuple[str, Provenance]]:
        """Every rule with its path, such as ("age.minimum", Rule(...))."""
        return _walk(self, "")

    @property
    def digest(self) -> str:
        """SHA-256 over the whole content, in hex: equal digests mean equal policies."""
        content = json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(content.encode()).hexdigest()

    def need_two(self, act: str, **facts: Any) -> Need:
        """Whether `act` needs two persons: `need_two("verification.approve", level="L2", risk="high")`."""
        if alone := self.four_eyes.alone.get(act):
            return Need(False, str(alone.text), alone.id, self.version)
        rule = self.four_eyes.acts.get(act)
        if rule is None:
            return Need(True, str(_UNNAMED), f"{self.jurisdiction}.FOUR_EYES.UNNAMED", self.version)
        if not rule.when:
            return Need(True, str(rule.text), rule.id, self.version)
        reasons = [reason for condition in rule.when if (reason := condition.reason(facts))]
        return Need(bool(reasons), reasons[0] if reasons else "", rule.id, self.version)


_UNNAMED = Words(
    en="The policy does not name this act; in doubt two persons decide.",
    tr="Kural bu işlemi belirtmiyor; kuşkuda iki kişi karar verir.",
)
_NOT_STATED = Words(
    en="Two persons are needed because {fact} is not stated.",
    tr="İki kişi gerekiyor, çünkü şu bilgi belirtilmedi: {fact}.",
)


def _walk(part: Any, path: str) -> Iterator[tuple[str, Provenance]]:
    if isinstance(part, Provenance):
        yield path, part
    elif isinstance(part, BaseModel):
        for name, value in part.__dict__.items():
            yield from _walk(value, f"{path}.{name}" if path else name)
    elif isinstance(part, Mapping):
        for name, value in part.items():
            yield from _walk(value, f"{path}.{name}")
    elif isinstance(part, tuple):
        for place, value in enumerate(part):
            yield from _walk(value, f"{path}[{place}]")

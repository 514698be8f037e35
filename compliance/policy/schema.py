"""The shape of a policy version. Each field here is described in docs/reference/policy.md; a test compares the two."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal, Self, cast

from pydantic import AfterValidator, BaseModel, Field, StrictBool, StrictInt, model_validator

from compliance.policy.errors import PolicyMissing
from compliance.policy.limits import MEASURES as LIMITED
from compliance.policy.limits import Limits
from compliance.policy.records import Frozen, FrozenTable, Period, Provenance, Rule, Section, Table, Threshold, Words

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
    "inheritance_document",
    "dividend_statement",
    "winnings_statement",
)
EFFECTS = ("sign_in", "deposit", "play", "withdraw", "marketing")
ENDINGS = ("lapsed", "withdrawn", "underage", "deceased", "impersonated")
TRIGGERS = (
    "pep",
    "close_to_pep",
    "possible_sanctions_match",
    "high_risk_country",
    "call_for_action_country",
    "amount_above_tier",
    "funds_do_not_match",
    "unusually_complex",
    "unusually_large",
    "vip",
    "adverse_media",
    "law_enforcement_request",
    "third_party_payment",
    "anonymous_payment",
    "dormant_reactivated",
)
MEASURES = ("senior_management_approval", "source_of_funds", "source_of_wealth", "closer_monitoring")
LATE = ("end", "decide_on_balance")
Late = Literal[LATE]  # type: ignore[valid-type]
NOT_SIMPLIFIED = ("foreign_pep", "risky_transaction")
NotSimplified = Literal[NOT_SIMPLIFIED]  # type: ignore[valid-type]
ELECTRONIC = ("population_register", "verification_transfer", "idv")
DUTIES = ("must", "should")
Purpose = Literal[PURPOSES]  # type: ignore[valid-type]
DocumentType = Literal[DOCUMENTS]  # type: ignore[valid-type]
Effect = Literal[EFFECTS]  # type: ignore[valid-type]
Trigger = Literal[TRIGGERS]  # type: ignore[valid-type]
Measure = Literal[MEASURES]  # type: ignore[valid-type]
Electronic = Literal[ELECTRONIC]  # type: ignore[valid-type]


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


def _once_each(items: tuple[EvidenceRule, ...]) -> tuple[EvidenceRule, ...]:
    purposes = [item.purpose for item in items]
    if twice := {purpose for purpose in purposes if purposes.count(purpose) > 1}:
        raise ValueError(f"required twice: {', '.join(sorted(twice))}")
    return items


Required = Annotated[tuple[EvidenceRule, ...], AfterValidator(_once_each)]


class Level(Frozen):
    """How sure we are of a customer, and what evidence carries it. Levels are listed from the least to the most."""

    title: Words
    required: Required


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
    complete_within: Rule[Period] | None = None
    when_late: Rule[tuple[Late, ...]] | None = None
    no_withdrawal_trap: Rule[StrictBool] | None = None
    told_before_deposit: Rule[StrictBool] | None = None
    no_simplified: Rule[tuple[NotSimplified, ...]] | None = None
    instead: FrozenTable[Rule[tuple[Electronic, ...]]] = Table()

    def instead_of(self, item: EvidenceRule) -> tuple[str, ...]:
        """Electronic checks of which one, confirmed, meets the item without a document.

        What the law asks to be shown by documents only a rule of the law replaces, never the operator's choice.
        """
        rule = self.instead.get(item.purpose)
        if rule is None or (item.modality in DUTIES and rule.modality == "operator_default"):
            return ()
        return rule.value

    def level(self, name: str) -> Level:
        try:
            return self.levels[name]
        except KeyError:
            raise PolicyMissing(f"level {name!r} is not in this policy. Known: {', '.join(self.levels)}.") from None


class Thresholds(Section):
    """Amounts that trigger due diligence or a check, to which level, and which transactions count as linked."""

    transaction: Rule[Threshold] | None = None
    transfer: Rule[Threshold] | None = None
    financial_vulnerability: Rule[Threshold] | None = None
    deposits: Rule[tuple[Threshold, ...]] | None = None
    level: Rule[str] | None = None
    linked_within: Rule[Period] | None = None


class Enhanced(Section):
    """What calls for enhanced due diligence, by law and by the operator's choice, and what it is made of.

    `required` is the evidence that it asks for, whatever the level asks for; of a purpose that both name, the level's.
    """

    triggers: Rule[tuple[Trigger, ...]] | None = None
    further_triggers: Rule[tuple[Trigger, ...]] | None = None
    measures: Rule[tuple[Measure, ...]] | None = None
    required: Required = ()
    after_office: Rule[Period] | None = None
    family_and_associates: Rule[StrictBool] | None = None


class Review(Section):
    """How often a customer's data is looked at again, in months, by risk."""

    months: FrozenTable[Rule[StrictInt]] = Field(min_length=1)
    on_new_fact: Rule[Literal["at_once"]] | None = None


class Quality(Section):
    """How the operator checks its own decisions: of closed cases, how many in a hundred somebody looks at again."""

    second_look_percent: Rule[Annotated[StrictInt, Field(ge=0, le=100)]] | None = None


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
    backups: Rule[Period] | None = None


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


REGISTERS = ("GAMSTOP", "OASIS", "SPELPAUS", "CRUKS", "ROFUS", "RGIAJ", "RUA")
CHANNELS = ("phone", "in_person", "written", "online")
ENDED_NOW = ("sessions", "scheduled_deposits", "bonuses", "open_bets")
Register = Literal[REGISTERS]  # type: ignore[valid-type]
Channel = Literal[CHANNELS]  # type: ignore[valid-type]
EndedNow = Literal[ENDED_NOW]  # type: ignore[valid-type]


class Exclusions(Section):
    """Time-outs and self-exclusions: what may be chosen, when it may end and how, what stops, which registers count."""

    time_outs: Rule[tuple[Period, ...]] | None = None
    time_out_longest: Rule[Period] | None = None
    terms: Rule[tuple[Period, ...]] | None = None
    least: Rule[Period] | None = None
    least_third_party: Rule[Period] | None = None
    longest_first: Rule[Period] | None = None
    extend_least: Rule[Period] | None = None
    open_ended: Rule[StrictBool] | None = None
    open_least: Rule[Period] | None = None
    ends: Rule[Literal["by_itself", "on_request", "by_register"]] | None = None
    persists: Rule[Period] | None = None
    early_return: Rule[StrictBool] | None = None
    leave_after: Rule[Period] | None = None
    return_channels: Rule[tuple[Channel, ...]] | None = None
    decision_within: Rule[Period] | None = None
    reflection: Rule[Period] | None = None
    reflection_open: Rule[Period] | None = None
    reflection_third_party: Rule[Period] | None = None
    confirm_from: Rule[Period] | None = None
    confirm_until: Rule[Period] | None = None
    stops: Rule[tuple[Effect, ...]] | None = None
    ended_now: Rule[tuple[EndedNow, ...]] | None = None
    withdrawals: Rule[StrictBool] | None = None
    confirm_within: Rule[Period] | None = None
    marketing_stop: Rule[Period] | None = None
    marketing_after: Rule[Literal["opt_in", "never"]] | None = None
    scopes: Rule[tuple[Literal["group", "licensee"], ...]] | None = None
    registers: Rule[tuple[Register, ...]] | None = None
    register_age: Rule[Period] | None = None

    @model_validator(mode="after")
    def _pays_out(self) -> Self:
        """Nobody's money is kept back because they are kept out, unless a law says so by name."""
        pays = self.__dict__["withdrawals"]
        if pays is not None and not pays.value:
            raise ValueError('withdrawals: write true, or leave it out and name withdraw in "stops"')
        return self


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
    also: tuple[str, ...] = ()
    effective_from: date
    note: str = ""
    sources: FrozenTable[str]
    age: Age
    verification: Verification
    thresholds: Thresholds
    enhanced: Enhanced
    review: Review
    quality: Quality = Quality()
    exclusions: Exclusions = Exclusions()
    limits: Limits = Limits()
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
        level = self.thresholds.__dict__["level"]
        if level is not None and level.value not in levels:
            yield f"thresholds.level names the unknown level {level.value}"
        if set(self.verification.stops) != set(ENDINGS):
            yield f"verification.stops must name {', '.join(ENDINGS)}"
        if set(self.review.months) != set(RISKS):
            yield f"review.months must name {', '.join(RISKS)}"
        if unknown := set(self.verification.instead) - set(PURPOSES):
            yield f"verification.instead names the unknown purpose {', '.join(sorted(unknown))}"
        if unknown := set(self.limits.windows) - set(LIMITED):
            yield f"limits.windows names the unknown measure {', '.join(sorted(unknown))}"
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

    def replaced(self, by: Callable[[str, Provenance], Provenance]) -> "Policy":
        """A copy in which every rule is what `by(path, rule)` makes of it."""
        return cast(Policy, _mapped(self, "", by))

    @property
    def digest(self) -> str:
        """SHA-256 over the whole content, in hex: equal digests mean equal policies.

        What a file does not say is no part of it, so a kind of rule that is new to the product changes no old digest.
        """
        said = self.model_dump(mode="json", exclude_defaults=True)
        content = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
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


def _mapped(part: Any, path: str, by: Callable[[str, Provenance], Provenance]) -> Any:
    if isinstance(part, Provenance):
        return by(path, part)
    if isinstance(part, BaseModel):
        fields = part.__dict__.items()
        return part.model_copy(
            update={name: _mapped(value, f"{path}.{name}" if path else name, by) for name, value in fields}
        )
    if isinstance(part, Mapping):
        return Table({name: _mapped(value, f"{path}.{name}", by) for name, value in part.items()})
    if isinstance(part, tuple):
        return tuple(_mapped(value, f"{path}[{place}]", by) for place, value in enumerate(part))
    return part


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

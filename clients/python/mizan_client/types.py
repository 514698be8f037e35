"""What the API takes and answers. Made by `manage.py platform openapi --write`: not to be changed by hand."""

from typing import Any, Literal, NotRequired, TypedDict

__all__ = [
    "AccountIn",
    "AccountOut",
    "AccountPage",
    "AccountRead",
    "BoundOut",
    "BrandOut",
    "BrandPage",
    "CaseOut",
    "CasePage",
    "CaseRead",
    "CheckIn",
    "CheckOut",
    "Closed",
    "Compared",
    "Comparison",
    "ConfirmationIn",
    "ContactIn",
    "ContactOut",
    "ContactPage",
    "Continuation",
    "CountOut",
    "CountPage",
    "CustomerIn",
    "CustomerOut",
    "CustomerPage",
    "CustomerRead",
    "DailyCounts",
    "EventIn",
    "EventOut",
    "EventPage",
    "EventsIn",
    "EventsOut",
    "EvidenceOut",
    "EvidencePage",
    "ExclusionIn",
    "ExclusionOut",
    "Exclusions",
    "FileOut",
    "FilePage",
    "Gate",
    "HeardOut",
    "Held",
    "Inclusion",
    "Item",
    "Leaver",
    "LevelOut",
    "LicenseeOut",
    "LicenseePage",
    "LimitIn",
    "LimitOut",
    "LimitsOut",
    "LinkOut",
    "OfferOut",
    "PeriodIn",
    "Permission",
    "PersonRead",
    "PolicyOut",
    "PolicyPage",
    "Pong",
    "Problem",
    "ProposalOut",
    "ProposalPage",
    "ReasonOut",
    "Released",
    "RequiredOut",
    "Restricted",
    "RestrictedAccount",
    "RestrictedPage",
    "ReturnIn",
    "Signed",
    "StopOrderOut",
    "TraitIn",
    "TransactionList",
    "TransactionOut",
    "TransactionsIn",
    "TransactionsOut",
    "VerificationIn",
]


class AccountIn(TypedDict):
    customer: str
    brand: str
    reference: str
    email: NotRequired[str]
    phone: NotRequired[str | None]
    language: NotRequired[str]
    time_zone: NotRequired[str]


class AccountOut(TypedDict):
    reference: str
    brand: str
    customer: str


class AccountPage(TypedDict):
    items: list["AccountRead"]
    next: str | None


class AccountRead(TypedDict):
    reference: str
    brand: str
    customer: str
    opened_at: str
    contact_version: str
    level: NotRequired[str | None]


class BoundOut(TypedDict):
    source: Literal["player", "operator", "law"]
    ref: str
    measure: Literal["deposit", "loss", "wager", "session"]
    span: Literal["day", "week", "month"]
    window: Literal["fixed", "rolling", "calendar"]
    basis: Literal["gross", "net"]
    limit: int
    used: int
    reserved: int
    left: int
    since: str
    until: str | None


class BrandOut(TypedDict):
    slug: str
    name: str


class BrandPage(TypedDict):
    items: list["BrandOut"]


class CaseOut(TypedDict):
    number: str
    kind: str
    state: Literal["received", "in_review", "need_something", "finished"]
    account: str
    opened_at: str
    closed_at: str | None
    items: list["Item"]


class CasePage(TypedDict):
    items: list["CaseRead"]
    next: str | None


class CaseRead(TypedDict):
    number: str
    kind: str
    state: Literal["received", "in_review", "need_something", "finished"]
    account: str
    opened_at: str
    closed_at: str | None
    items: list["Item"]
    documents: NotRequired[list["FileOut"] | None]


class CheckIn(TypedDict):
    act: Literal["deposit", "wager"]
    currency: str
    amount: NotRequired[int | None]
    reserve: NotRequired[bool]
    source_id: NotRequired[str | None]


class CheckOut(TypedDict):
    account: str
    act: Literal["deposit", "wager"]
    currency: str
    allowed: int | None
    code: str | None
    fits: bool | None
    why: list["BoundOut"]
    reservation: "Held | None"
    policy: str
    at: str


class Closed(TypedDict):
    active: bool


class Compared(TypedDict):
    thing: str
    theirs: int
    ours: int
    missing: list[str]
    extra: list[str]


class Comparison(TypedDict):
    day: str
    agrees: bool
    counts: list["Compared"]


class ConfirmationIn(TypedDict):
    done: list[str]


class ContactIn(TypedDict):
    email: NotRequired[str]
    phone: NotRequired[str]
    language: NotRequired[str]
    time_zone: NotRequired[str]


class ContactOut(TypedDict):
    id: str
    case: str
    account: str
    channel: str
    direction: Literal["in", "out"]
    category: str
    outcome: str
    language: str
    solved_at_once: bool
    contacted_at: str


class ContactPage(TypedDict):
    items: list["ContactOut"]
    next: str | None


class Continuation(TypedDict):
    old: int
    size: int
    proof: str


class CountOut(TypedDict):
    thing: str
    theirs: int
    ours: int
    missing: list[str]
    extra: list[str]
    day: str
    agrees: bool
    reported_at: str


class CountPage(TypedDict):
    items: list["CountOut"]
    next: str | None


class CustomerIn(TypedDict):
    full_name: str
    birth_date: str
    nationality: str
    national_id: NotRequired[str | None]
    address: NotRequired[str]
    residence: NotRequired[str]


class CustomerOut(TypedDict):
    id: str
    level: str


class CustomerPage(TypedDict):
    items: list["CustomerRead"]
    next: str | None


class CustomerRead(TypedDict):
    id: str
    person: str
    level: str
    registered_at: str
    accounts: NotRequired[list[str] | None]


class DailyCounts(TypedDict):
    day: str
    counts: dict[str, int]
    references: NotRequired[dict[str, list[str]]]


class EventIn(TypedDict):
    source_id: str
    kind: Literal["deposit", "withdrawal", "withdrawal_cancelled", "bet", "bet_void", "win", "session"]
    amount: int
    at: str


class EventOut(TypedDict):
    id: str
    type: str
    timestamp: str
    licensee: str
    data: dict[str, Any]


class EventPage(TypedDict):
    items: list["EventOut"]
    has_more: bool
    next: str | None


class EventsIn(TypedDict):
    currency: str
    events: list["EventIn"]


class EventsOut(TypedDict):
    taken: int
    known: int


class EvidenceOut(TypedDict):
    id: str
    purpose: str
    document_type: str
    status: Literal["pending", "accepted", "returned", "rejected", "superseded", "expired"]
    reasons: list["ReasonOut"]
    decided_at: str | None
    issued_on: str | None
    valid_until: str | None
    good_until: str | None


class EvidencePage(TypedDict):
    items: list["EvidenceOut"]
    next: str | None


class ExclusionIn(TypedDict):
    kind: Literal["time_out", "self_exclusion"]
    period: NotRequired["PeriodIn | None"]
    scope: NotRequired[Literal["group", "licensee"] | None]


class ExclusionOut(TypedDict):
    id: str
    kind: str
    state: str
    starts_at: str
    term_ends_at: str | None
    ends_at: str | None
    return_from: str | None
    confirm_from: str | None
    confirm_until: str | None
    number: str | None


class Exclusions(TypedDict):
    account: str
    running: list["ExclusionOut"]
    offers: list["OfferOut"]


class FileOut(TypedDict):
    id: str
    purpose: str
    document_type: str
    status: str


class FilePage(TypedDict):
    items: list["FileOut"]


class Gate(TypedDict):
    account: str
    stop: bool
    sign_in: "Permission"
    deposit: "Permission"
    play: "Permission"
    withdraw: "Permission"
    marketing: "Permission"


class HeardOut(TypedDict):
    register: str
    answer: Literal["clear", "listed", "away"]
    good_until: str | None


class Held(TypedDict):
    source_id: str
    amount: int
    expires_at: str


class Inclusion(TypedDict):
    index: int
    size: int
    proof: str


class Item(TypedDict):
    purpose: str
    status: Literal["missing", "pending", "accepted", "returned", "rejected", "expired"]


class Leaver(TypedDict):
    email: str


class LevelOut(TypedDict):
    name: str
    required: list["RequiredOut"]


class LicenseeOut(TypedDict):
    slug: str
    name: str
    jurisdiction: str
    time_zone: str
    test: bool


class LicenseePage(TypedDict):
    items: list["LicenseeOut"]


class LimitIn(TypedDict):
    measure: Literal["deposit", "loss", "wager", "session"]
    span: Literal["day", "week", "month"]
    amount: int | None
    currency: NotRequired[str]
    window: NotRequired[Literal["fixed", "rolling", "calendar"] | None]


class LimitOut(TypedDict):
    receipt: str
    measure: Literal["deposit", "loss", "wager", "session"]
    span: Literal["day", "week", "month"]
    window: Literal["fixed", "rolling", "calendar"]
    basis: Literal["gross", "net"]
    amount: int | None
    currency: str
    source: Literal["player", "operator"]
    raises: bool
    state: Literal["requested", "waiting", "confirmable", "effective", "superseded", "lapsed", "cancelled", "blocked"]
    requested_at: str
    confirmable_at: str | None
    lapses_at: str | None
    effective_at: str | None
    requires: str


class LimitsOut(TypedDict):
    account: str
    in_force: list["LimitOut"]
    asked: list["LimitOut"]


class LinkOut(TypedDict):
    url: str
    seconds: int


class OfferOut(TypedDict):
    code: str
    kind: str
    period: "PeriodIn | None"


class PeriodIn(TypedDict):
    amount: int
    unit: Literal["hour", "calendar_day", "month", "year"]


class Permission(TypedDict):
    allowed: bool
    code: str | None
    until: str | None


class PersonRead(TypedDict):
    id: str
    customers: list[str]


class PolicyOut(TypedDict):
    version: str
    jurisdiction: str
    effective_from: str
    in_force: bool
    minimum_age: int | None
    play_needs: str | None
    levels: list["LevelOut"]


class PolicyPage(TypedDict):
    items: list["PolicyOut"]


class Pong(TypedDict):
    key: str
    licensee: str
    scopes: list[str]
    test: bool
    version: str


class Problem(TypedDict):
    type: str
    title: str
    status: int
    detail: str
    instance: str
    request_id: str
    code: str
    errors: NotRequired[list[dict[str, Any]]]


class ProposalOut(TypedDict):
    id: str
    act: str
    case: str
    state: Literal["parked", "performed", "returned", "withdrawn", "voided", "expired"]
    proposed_at: str
    expires_at: str
    decided_at: str | None


class ProposalPage(TypedDict):
    items: list["ProposalOut"]
    next: str | None


class ReasonOut(TypedDict):
    code: str | None
    text: str


class Released(TypedDict):
    released: bool


class RequiredOut(TypedDict):
    purpose: str
    any_of: list[str]
    max_age_days: int | None


class Restricted(TypedDict):
    effect: Literal["sign_in", "deposit", "play", "withdraw", "marketing"]
    code: str
    until: str | None


class RestrictedAccount(TypedDict):
    account: str
    brand: str
    stop: bool
    restrictions: list["Restricted"]


class RestrictedPage(TypedDict):
    items: list["RestrictedAccount"]
    next: str | None


class ReturnIn(TypedDict):
    words: NotRequired[str]


class Signed(TypedDict):
    size: int
    note: str
    vkey: str


class StopOrderOut(TypedDict):
    id: str
    account: str
    brand: str
    ends: list[str]
    done: list[str]
    made_at: str
    due_at: str


class TraitIn(TypedDict):
    what: str
    value: str


class TransactionList(TypedDict):
    items: list["TransactionOut"]
    missing: list[str]


class TransactionOut(TypedDict):
    source_id: str
    account: str
    kind: str
    amount: int
    currency: str
    at: str


class TransactionsIn(TypedDict):
    transactions: list[dict[str, str | int | bool | None]]


class TransactionsOut(TypedDict):
    accepted: int
    known: int


class VerificationIn(TypedDict):
    account: str
    level: str
    because: NotRequired[Literal["application", "threshold", "withdrawal", "new_fact"]]
    crossed_at: NotRequired[str | None]
    knowable_at: NotRequired[str | None]

"""Demo data: a licensee, staff of each role, players with drawn papers, a case in each state.

Everything goes through the product's own acts, so the log holds it as it happened: today, never backdated.
Dates are relative to now.
"""

import io
import secrets
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from django.db import transaction
from django.utils import timezone

from audit.actors import system
from cases import services as engine
from cases.demo import specimen
from cases.models import Evidence
from cases.queues import open_queue
from cases.types.gaming.models import KIND as GAMING
from cases.types.monitoring.rules.services import ship
from cases.types.verification import services as verification
from cases.types.verification.checks import adapters
from cases.types.verification.checks import services as check_services
from cases.types.verification.models import KIND, Verification
from compliance.people.models import Account, Brand, Licensee, Team, User
from compliance.people.services import (
    create_brand,
    create_licensee,
    create_team,
    create_user,
    join,
    open_account,
    register_customer,
)
from compliance.people.suspicions import services as suspicions
from compliance.proposals.services import confirm, propose
from documents.inspection import inspect_now
from documents.uploads import seal_file


@dataclass(frozen=True, slots=True)
class SignIn:
    role: str
    email: str
    password: str


LICENSEE, TEAM = "anadolu", "dogrulama"
TRIAL = "deneme"  # a test licensee: its players are the simulator's
STAFF = [
    ("ayse", "Ayşe Kaya", "agent", "tr"),
    ("mehmet", "Mehmet Demir", "officer", "tr"),
    ("elif", "Elif Şahin", "officer", "en"),
    ("derya", "Derya Aksoy", "rg_officer", "tr"),
    ("deniz", "Deniz Marlow", "auditor", "en"),
    ("selin", "Selin Öztürk", "mlro", "tr"),
    ("zeynep", "Zeynep Aydın", "admin", "en"),
]
PLAYERS = [
    ("Işıl", "Yıldırım", date(1991, 3, 14), "tr", "open"),
    ("Gökçe", "Toprak", date(1987, 7, 2), "tr", "to_judge"),
    ("Şule", "Dağ", date(1995, 11, 30), "tr", "asked_again"),
    ("Oğuz", "Bulut", date(1979, 1, 9), "tr", "complete"),
    ("Çağrı", "Öz", date(1990, 5, 21), "tr", "proposed"),
    ("İnci", "Kurt", date(1984, 9, 17), "tr", "approved"),
    ("Hüseyin", "Ak", date(1972, 4, 4), "tr", "rejected"),
    ("Marie", "Laurent", date(1993, 8, 8), "en", "to_judge"),
    ("Umut", "Şen", date(1998, 12, 1), "tr", "open"),
]
PAPERS = [("identity_front", "national_id"), ("identity_back", "national_id"), ("address", "bank_statement")]


def sign_ins() -> list[SignIn]:
    """A sign-in for each of the staff, with a password nobody knows yet."""
    return [SignIn(role, f"{name}@example.com", secrets.token_urlsafe(12)) for name, _full, role, _language in STAFF]


def seed(given: list[SignIn]) -> None:
    """Fill an empty installation. What a former run that was cut off made already stays as it is."""
    brand = Brand.objects.filter(licensee__slug=LICENSEE, slug="lale").first() or _open_house()
    users = {}
    for (name, full_name, role, language), sign_in in zip(STAFF, given, strict=True):
        users[name] = User.objects.filter(email=sign_in.email).first() or _hire(full_name, role, language, sign_in)
    for place, player in enumerate(PLAYERS):
        if not Account.objects.filter(reference=_reference(place), brand=brand).exists():
            _play(place, player, brand, users)
    ship()
    _suspect(users["ayse"], Account.objects.get(reference=_reference(1), brand=brand))


@transaction.atomic
def _open_house() -> Brand:
    licensee = create_licensee(
        name="Anadolu Oyun A.Ş.", slug=LICENSEE, jurisdiction="TR", time_zone="Europe/Istanbul", by=system()
    )
    team = create_team(name="Doğrulama", slug=TEAM, by=system())
    for kind in (KIND, GAMING):
        open_queue(team, licensee, kind, by=system())
    return create_brand(licensee=licensee, name="Lale Bet", slug="lale", by=system())


@transaction.atomic
def open_trial() -> Licensee:
    """Where the simulated platform's players are, once: the demo's staff may look at them and stop them."""
    found = Licensee.objects.filter(slug=TRIAL).first()
    if found is not None:
        return found
    facts = {"name": "Deneme", "slug": TRIAL, "jurisdiction": "TR", "time_zone": "Europe/Istanbul"}
    licensee = create_licensee(**facts, is_test=True, by=system())
    for kind in (KIND, GAMING):
        open_queue(Team.objects.get(slug=TEAM), licensee, kind, by=system())
    create_brand(licensee=licensee, name="Deneme", slug=TRIAL, by=system())
    return licensee


@transaction.atomic
def _hire(full_name: str, role: str, language: str, sign_in: SignIn) -> User:
    facts: dict[str, Any] = {"name": full_name, "language": language, "time_zone": "Europe/Istanbul"}
    user = create_user(email=sign_in.email, password=sign_in.password, by=system(), **facts)
    join(user, Team.objects.get(slug=TEAM), role, by=system())
    return user


def _reference(place: int) -> str:
    return f"P-{88213 + place * 37}"


def _play(place: int, player: tuple[Any, ...], brand: Brand, users: dict[str, User]) -> None:
    given, surname, born, language, story = player
    agent, officer = users["ayse"], users["mehmet"]
    holder = specimen.Holder(surname, given, born, number=f"A{place:02d}K00000")
    with transaction.atomic():
        customer = register_customer(
            licensee=brand.licensee,
            full_name=f"{given} {surname}",
            birth_date=born,
            nationality="TR" if language == "tr" else "FR",
            national_id=None,
            address="Örnek Mah. 1. Sok. No: 1, İstanbul",
            by=agent,
        )
        account = open_account(
            customer=customer,
            brand=brand,
            reference=_reference(place),
            email=f"player{place}@example.com",
            phone=f"+90532{1234500 + place}",
            language=language,
            time_zone="Europe/Istanbul",
            by=agent,
        )
        case = verification.open(account, level="L2", by=agent)
    if story == "open":
        return
    blurred = story == "asked_again"
    for purpose, document_type in PAPERS:
        _add(case, holder, purpose, document_type, place, by=agent, blurred=blurred and purpose == "identity_back")
    if story == "to_judge":
        return
    case = verification.review(case, by=agent)
    for evidence in case.evidence.order_by("created_at"):
        _judge(evidence, blurred, by=agent)
    _answer_checks(case, by=agent)
    if blurred:
        verification.ask(case, by=agent)
    elif story in ("proposed", "approved", "rejected"):
        _decide(case, story, agent, officer)


def _answer_checks(case: Verification, *, by: User) -> None:
    """What the law asks for before any service, answered by the simulator."""
    for kind in ("population_register", "occupation", "bank_contract", "verification_transfer"):
        if adapters.is_set_up(kind):
            with transaction.atomic():
                check_services.ask_now(check_services.order(case, kind, by=by))


def _suspect(agent: User, account: Account) -> None:
    suspicions.file(
        by=agent,
        about=account.reference,
        text="Yedi gün içinde üç ayrı kartla para yatırdı, oynamadan çekmek istedi.",
        noticed_on=timezone.localdate(),
        token=uuid5(NAMESPACE_URL, f"demo:{account.reference}"),
        customer=account.customer,
    )


def _judge(evidence: Evidence, blurred: bool, *, by: User) -> None:
    if blurred and evidence.purpose == "identity_back":
        engine.ask_again(evidence, by=by, reasons=["image_blurry"])
    else:
        engine.accept(evidence, by=by)


def _decide(case: Verification, story: str, agent: User, officer: User) -> None:
    from_reason = {
        "proposed": ("approve", "all_checks_met"),
        "approved": ("approve", "all_checks_met"),
        "rejected": ("reject", "person_differs"),
    }
    act, reason = from_reason[story]
    case.refresh_from_db(fields=["version"])
    proposal = propose(f"verification.{act}", case, by=agent, reason=reason)
    if story != "proposed":
        confirm(proposal, by=officer)


def _add(
    case: Verification,
    holder: specimen.Holder,
    purpose: str,
    document_type: str,
    place: int,
    *,
    by: User,
    blurred: bool,
) -> None:
    name, data = _paper(holder, purpose, place, blurred)
    upload = seal_file(customer=case.customer, name=name, stream=io.BytesIO(data))
    evidence = engine.bring(case, upload, purpose=purpose, document_type=document_type, by=by)
    inspect_now(evidence.document_id)


def _paper(holder: specimen.Holder, purpose: str, place: int, blurred: bool) -> tuple[str, bytes]:
    if purpose == "address":
        return "statement.pdf", specimen.statement(holder, issued=timezone.localdate() - timedelta(days=20 + place))
    side = specimen.card_front(holder) if purpose == "identity_front" else specimen.card_back(holder)
    return f"{purpose}.jpg", specimen.photographed(side, seed=place * 7 + len(purpose), blur=7 if blurred else 0)

"""Countries beyond the nationality: where a player lives, signs in and pays from, who issued the document. Each counts
for the risk as policy/risk/ways.toml says, with the arithmetic on the page."""

import json
from datetime import date, timedelta
from types import SimpleNamespace

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from audit.models import Entry
from audit.perform import Denied
from cases import services as engine
from cases.types.verification.models import VerificationFacts
from cases.types.verification.risk import following, from_papers, rating
from cases.types.verification.risk import services as risk
from cases.types.verification.risk.models import Assessment
from compliance.outbox.models import OutboxRow
from compliance.people.models import Customer, RiskFact
from compliance.people.risk import LEARNED
from compliance.platform.scopes import Scope
from compliance.policy import country_ways
from compliance.policy.countries import lists
from tests.papers import bring
from tests.walls import matrix

pytestmark = pytest.mark.django_db
LISTS = ["eu_high_risk", "fatf_call_for_action"]


def codes(case):
    return sorted(rating.codes_of(case.customer, on=case.licensee.today()))


def deliver():
    for row in OutboxRow.objects.filter(kind=LEARNED, done_at=None).order_by("created_at"):
        following.learned(row)


def test_each_way_counts_as_the_operator_says_once_and_the_page_says_by_what(rules_of_the_24th, world, client):
    client.force_login(world.alice)
    case = world.verification("L1")
    page, today = reverse("cases:risk", args=[case.number]), case.licensee.today()
    given = {"way": "ip", "country": "ir", "known_on": today.isoformat()}
    assert client.post(page, given).status_code == 302
    assert codes(case) == ["high_risk_country"]
    assert client.post(page, given | {"way": "payment", "country": "KP"}).status_code == 302
    assert Customer.objects.get(pk=case.customer_id).risk == "medium", "30 points, once"
    assert client.post(page, given | {"way": "residence", "country": "DE"}).status_code == 302
    assert Assessment.objects.filter(customer=case.customer_id).count() == 1, "no list names it: nothing to reckon"
    assert client.post(page, given | {"way": "residence"}).status_code == 302
    assert codes(case) == [*LISTS, "high_risk_country", "high_risk_country"]
    made = Assessment.objects.filter(customer=case.customer_id).latest("assessed_at")
    assert (made.level, made.score) == ("high", 60 + 50 + 30) and made.basis[-1] == "WAYS-2026-11-24"
    shown = client.get(page).content.decode()
    arithmetic = shown.split("<tfoot>")[0]
    assert "Signs in from: IR, Pays from: KP" in arithmetic and "Lives in: IR" in arithmetic and "Lives in: DE" in shown
    fact = RiskFact.objects.get(code="residence:IR")
    client.force_login(world.bob)
    assert client.post(reverse("cases:risk-end-fact", args=[case.number, fact.pk])).status_code == 302
    assert codes(case) == ["high_risk_country", "high_risk_country"]
    entry = Entry.objects.filter(action="people.learn_risk").latest("id")
    assert b"residence" not in bytes(entry.entry), "the country is sealed"


def test_what_is_wrong_is_named_and_an_auditor_enters_none(world, case, client):
    client.force_login(world.alice)
    page = reverse("cases:risk", args=[case.number])
    today = case.licensee.today()
    for wrong in ({"country": "Iran"}, {"country": "1!"}, {"way": "nationality"}, {"known_on": "2999-01-01"}):
        given = {"way": "ip", "country": "IR", "known_on": today.isoformat()} | wrong
        assert client.post(page, given).status_code == 422, wrong
    with pytest.raises(Denied):
        risk.enter_country(case, "ip", "IR", by=world.carol, known_on=today)
    with pytest.raises(ValidationError):
        risk.enter_country(case, "nationality", "IR", by=world.alice, known_on=today)
    assert not RiskFact.objects.exists()


def test_the_platform_says_where_the_player_lives(rules_of_the_24th, world, client):
    token = matrix.key_of(world.licensee, world.bob, [*Scope])
    said = {"full_name": "Ali Veli", "birth_date": "1991-03-14", "nationality": "TR", "residence": "IR"}

    def register(**more):
        headers = {"Authorization": f"Bearer {token}"}
        body = json.dumps(said | more)
        return client.post("/api/v1/customers", body, content_type="application/json", headers=headers)

    refused = register(residence="!!")
    assert refused.status_code == 422 and "residence" in refused.content.decode()
    assert not Customer.objects.filter(full_name="Ali Veli").exists()
    player = Customer.objects.get(pk=register().json()["id"])
    deliver()
    player.refresh_from_db()
    assert player.risk == "high"
    other = Customer.objects.get(pk=register(residence="GB").json()["id"])
    deliver()
    assert not Assessment.objects.filter(customer=other).exists(), "a country on no list begins no reckoning"


def test_an_accepted_document_says_who_issued_it(rules_of_the_24th, world, monkeypatch):
    case = world.verification("L1")
    monkeypatch.setattr(from_papers, "reading_of", lambda document: {"issuer": "IRN"})
    front = bring(case, "identity_front", "passport", by=world.alice, inspected=False)
    assert codes(case) == []
    engine.accept(front, by=world.alice)
    assert codes(case) == LISTS and RiskFact.objects.get().code == "document:IR"
    deliver()
    for row in OutboxRow.objects.filter(kind=risk.RECKONED, done_at=None):
        following.reckoned(row)
    assert VerificationFacts.objects.get(case=case).enhanced
    monkeypatch.setattr(from_papers, "reading_of", lambda document: {"issuer": "D"})
    from_papers.learn_issuer(SimpleNamespace(purpose="identity_front", state="accepted", document=None))


def test_the_ways_are_dated_and_before_them_only_the_nationality_counted():
    first = country_ways.versions()[0].effective_from
    assert str(first) == "2026-11-24" and country_ways.version_on(first - timedelta(days=1)) is None
    before, day = date(2026, 11, 23), first
    assert country_ways.codes_of("nationality", "IR", on=before) == LISTS
    assert [country_ways.codes_of(way, "IR", on=before) for way in country_ways.WAYS[1:]] == [[], [], [], []]
    assert country_ways.codes_of("ip", "BG", on=day) == [], "increased monitoring is no high risk"
    assert country_ways.codes_of("residence", "BG", on=day) == ["fatf_increased_monitoring"]
    named = {one for each in lists().values() for version in each.version for one in version.countries}
    assert {country_ways.of_the_zone(code) for code in ("IRN", "PRK", "RUS")} <= named
    assert country_ways.of_the_zone("TUR") == ""

"""Under age by the declared date of birth: stopped with the account, looked at by somebody, approved by nobody."""

from datetime import date, timedelta

import pytest
from django.urls import reverse

from audit.actors import system
from audit.perform import ConditionsNotMet
from cases.models import Queue
from cases.types.verification import ages, rules, services
from cases.types.verification.models import Verification
from compliance.people.gate import permissions_of
from compliance.people.models import Account, Customer, Restriction
from compliance.proposals.models import Proposal
from tests.cases.test_api import PLAYER, platform
from tests.gaming.kept_out import stopped

pytestmark = pytest.mark.django_db


def years_ago(world, years, days=0):
    today = world.licensee.today()
    return today.replace(year=today.year - years, day=min(today.day, 28)) + timedelta(days=days)


def opened(world, client, born):
    """The platform registers a player and opens an account."""
    api = platform(world, client)
    customer = api.post("/customers", PLAYER | {"birth_date": born.isoformat()}).json()["id"]
    answer = api.post("/accounts", {"customer": customer, "brand": "brand", "reference": "P-1"})
    assert answer.status_code == 201, answer.content
    return api, Account.objects.get(reference="P-1", licensee=world.licensee)


def test_a_child_s_account_is_stopped_as_it_is_opened_and_waits_for_somebody(world, client):
    api, account = opened(world, client, years_ago(world, 17))
    assert stopped(account) == set(Restriction.EFFECTS)
    assert permissions_of(world.licensee.pk, "P-1")["play"].code == "account_closed"
    case = Verification.objects.get(account=account)
    assert (case.state, case.opened_by) == ("open", "system:system")
    assert api.post("/verifications", {"account": "P-1", "level": "L1"}).status_code == 422
    client.force_login(world.alice)
    close = reverse("cases:verification-decide", args=[case.number, "close_underage"])
    page = client.get(reverse("cases:case", args=[case.number])).content.decode()
    assert page.count(close) == 1, "it is the thing to do now"
    said = client.get(close).content.decode()
    assert "The date of birth that the player gave" in said
    seen = client.get(close).context["form"].initial["seen"]
    assert client.post(close, {"reason": "declared_age", "note": "", "seen": seen}).status_code == 302
    client.force_login(world.bob)
    assert client.post(f"/approvals/{Proposal.objects.get().pk}/confirm/").status_code == 302
    case.refresh_from_db()
    assert (case.outcome, case.reason) == ("underage", "declared_age")
    assert Restriction.objects.filter(lifted_at=None).count() == 1, "nothing is stopped twice"


def test_who_is_old_enough_today_is_let_in(world, client):
    _api, account = opened(world, client, years_ago(world, 18))
    assert "sign_in" not in stopped(account)
    assert not Verification.objects.exists()


def test_without_anybody_who_verifies_the_account_is_stopped_all_the_same(world, client):
    Queue.objects.all().delete()
    _api, account = opened(world, client, years_ago(world, 12))
    assert stopped(account) == set(Restriction.EFFECTS)
    assert Restriction.objects.get().person_id == account.customer.person_id


def test_a_second_account_stops_nothing_twice(world, client):
    api, account = opened(world, client, years_ago(world, 17))
    second = {"customer": str(account.customer_id), "brand": "brand", "reference": "P-2"}
    assert api.post("/accounts", second).status_code == 201
    assert Restriction.objects.count() == 1 and Verification.objects.count() == 1


def test_an_agent_who_types_a_child_s_data_lands_on_the_case_that_stops_it(world, client):
    client.force_login(world.alice)
    typed = {
        "brand": world.brand.pk,
        "reference": "P-9",
        "full_name": "Efe Kaya",
        "birth_date": years_ago(world, 15).isoformat(),
        "nationality": "TR",
        "email": "efe@example.com",
        "language": "tr",
        "level": "L1",
    }
    answer = client.post(reverse("cases:verification-new"), typed)
    case = Verification.objects.get(account__reference="P-9")
    assert answer.status_code == 302 and answer["Location"].endswith(f"{case.number}/")
    assert stopped(case.account) == set(Restriction.EFFECTS)


def test_nobody_approves_who_is_under_age_or_whose_age_is_unknown(complete, world):
    for born in (years_ago(world, 17), None):
        Customer.objects.filter(pk=complete.customer_id).update(birth_date=born)
        case = Verification.objects.get(pk=complete.pk)
        assert len(case.unmet("approve")) == 1
        seen = rules.evidence_digest(case).hex()
        with pytest.raises(ConditionsNotMet):
            services.submit(case, "approve", by=world.alice, reason="all_checks_met", note="", seen=seen)


def test_a_verification_of_a_child_who_was_here_before_stops_too(world):
    account = world.account()
    Customer.objects.filter(pk=account.customer_id).update(birth_date=years_ago(world, 17))
    account = Account.objects.get(pk=account.pk)
    services.open(account, level="L2", by=system())
    assert stopped(account) == set(Restriction.EFFECTS)


@pytest.mark.parametrize(
    ("born", "day", "young"),
    [
        ("2008-11-22", "2026-11-21", True),
        ("2008-11-22", "2026-11-22", False),
        ("2008-02-29", "2026-02-28", True),
        ("2008-02-29", "2026-03-01", False),
        ("2008-12-31", "2026-12-30", True),
    ],
)
def test_the_birthday_counts_and_who_was_born_on_a_leap_day_waits_until_march(world, monkeypatch, born, day, young):
    """OP.AGE, GB.KYC.AGE: 18 years."""
    customer = world.account().customer
    customer.birth_date = date.fromisoformat(born)
    monkeypatch.setattr(type(customer.licensee), "today", lambda self: date.fromisoformat(day))
    assert ages.is_too_young(customer) is young

"""Opening a verification for somebody who is known: by the platform and by staff, with what led to it."""

from datetime import datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from cases.models import Message
from cases.queues import declare_conflict
from cases.types.verification.models import Requirement, Verification
from compliance.people.models import Account
from tests.cases.test_api import platform

pytestmark = pytest.mark.django_db


def ago(**time):
    return (timezone.now() - timedelta(**time)).isoformat()


LONG_AGO = ago(days=300)


# ----------------------------------------------------------------------------------------------------- withdrawals
@pytest.mark.parametrize(
    ("level", "days"),
    [
        ("L3", {}),
        ("L3", {"knowable_at": ago(days=3), "crossed_at": ago(days=1)}),
        ("L2", {"knowable_at": ago(hours=1), "crossed_at": ago(hours=1)}),
        ("L2", {"crossed_at": ago(days=400)}),
        ("L3", {"knowable_at": LONG_AGO, "crossed_at": LONG_AGO}),
    ],
    ids=[
        "since the account",
        "since an earlier day",
        "due before play, whatever is said",
        "said to be older than the account",
        "reported long after it came up",
    ],
)
def test_a_withdrawal_that_asks_for_what_was_due_before_is_refused_with_the_rule(world, client, level, days):
    """GB.KYC.NO_WITHDRAWAL_TRAP, and OP.NO_WITHDRAWAL_TRAP where no law says it."""
    account = world.account()
    Account.objects.filter(pk=account.pk).update(created_at=timezone.now() - timedelta(days=30))
    body = {"account": account.reference, "level": level, "because": "withdrawal", **days}
    answer = platform(world, client).post("/verifications", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "withdrawal_trap")
    [error] = answer.json()["errors"]
    assert error["code"].endswith("NO_WITHDRAWAL_TRAP") and "could have been asked for since" in error["detail"]
    assert not Verification.objects.exists()


def test_a_withdrawal_asks_for_what_came_up_with_it_and_nobody_is_written_to(world, client):
    account, at = world.account(), ago(minutes=5)
    body = {"account": account.reference, "level": "L3", "because": "withdrawal", "knowable_at": at, "crossed_at": at}
    assert platform(world, client).post("/verifications", body).status_code == 201
    row = Requirement.objects.filter(case__account=account).first()
    assert row.crossed_at == row.knowable_at == datetime.fromisoformat(at)
    assert not Message.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"because": "mood"},
        {"because": "periodic"},
        {"because": "withdrawal", "crossed_at": "2026-11-22T09:30:00"},
        {"because": "threshold", "crossed_at": "2999-01-01T00:00:00Z"},
    ],
)
def test_a_cause_or_day_that_cannot_be_is_named(world, client, wrong):
    account = world.account()
    answer = platform(world, client).post("/verifications", {"account": account.reference, "level": "L2", **wrong})
    assert answer.status_code == 422 and not Verification.objects.exists()


# ------------------------------------------------------------------------------------------------------- the page
def opened(client, world, by, **typed):
    client.force_login(by)
    given = {"brand": world.brand.pk, "level": "L2", "because": "new_fact"}
    return client.post(reverse("cases:verification-known"), given | typed)


def test_an_agent_opens_a_verification_of_any_level_for_a_player_who_is_known(world, client):
    account = world.account()
    client.force_login(world.alice)
    page = client.get(reverse("cases:verification-known")).content.decode()
    assert all(f'value="{level}"' in page for level in ("L1", "L2", "L3")) and 'value="L0"' not in page
    assert reverse("cases:verification-known") in client.get(reverse("cases:verification-new")).content.decode()
    answer = opened(client, world, world.alice, reference=account.reference, level="L3")
    case = Verification.objects.get()
    assert answer.status_code == 302 and answer["Location"].endswith(f"{case.number}/")
    assert (case.level, case.account, case.verification_facts.because) == ("L3", account, "new_fact")
    again = opened(client, world, world.alice, reference=account.reference)
    assert again.status_code == 422 and "already has an open verification" in again.content.decode()


def test_the_page_refuses_a_withdrawal_that_asks_too_late_in_words(world, client):
    """GB.KYC.NO_WITHDRAWAL_TRAP, OP.NO_WITHDRAWAL_TRAP."""
    asked = {"reference": world.account().reference, "because": "withdrawal"}
    for late in ({"level": "L3"}, {"level": "L2", "came_up_now": "on"}):
        answer = opened(client, world, world.alice, **asked, **late)
        assert answer.status_code == 422 and "A withdrawal cannot ask for this" in answer.content.decode()
    assert opened(client, world, world.alice, **asked, level="L3", came_up_now="on").status_code == 302


def test_nobody_opens_one_for_a_player_elsewhere_or_one_they_know(world, client):
    account = world.account()
    unknown = opened(client, world, world.alice, reference="P-nobody")
    assert unknown.status_code == 422 and "There is no player with this number here" in unknown.content.decode()
    assert opened(client, world, world.mallory, reference=account.reference).status_code == 422
    declare_conflict(world.alice, account.customer, by=world.alice, relation="family")
    assert opened(client, world, world.alice, reference=account.reference).status_code == 403
    assert not Verification.objects.exists()

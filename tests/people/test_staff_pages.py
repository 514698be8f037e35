"""The pages with which staff are looked after."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from compliance.people.access import portrait
from compliance.people.access.models import Session, Tenure
from compliance.people.models import Membership, User
from compliance.people.roles import ROLES
from tests.people.signing import lets_in


@pytest.fixture
def ada(signed):
    return signed("ada", "admin")


@pytest.fixture
def boss(ada):
    return ada[1]


def words(response):
    return response.content.decode()


def test_an_administrator_adds_somebody_gives_a_role_and_takes_it(boss, house, entries):
    form = {"name": "Frank Öz", "email": "Frank@example.com", "language": "tr"}
    assert boss.post(reverse("staff:add"), form).status_code == 302
    frank = User.objects.get(email="frank@example.com")
    assert not frank.has_usable_password()
    boss.post(reverse("staff:give", args=[frank.pk]), {"role": "officer", "team": house.team.pk})
    page = words(boss.get(reverse("staff:person", args=[frank.pk])))
    assert "Take the original of a file away" in page
    boss.post(reverse("staff:take", args=[frank.memberships.get().pk]))
    assert not Membership.objects.filter(user=frank).exists()
    assert [entry["data"]["role"] for entry in entries("people.leave_team")] == ["officer"]


@pytest.mark.parametrize("wrong", [{"email": "ada@example.com"}, {"email": "none"}, {"name": ""}, {"language": "xx"}])
def test_what_is_wrong_with_a_new_person_is_said(boss, wrong):
    form = {"name": "Frank", "email": "frank@example.com", "language": "tr"} | wrong
    answer = boss.post(reverse("staff:add"), form)
    assert answer.status_code == 422
    assert "is-wrong" in words(answer) or "box bad" in words(answer) or "error" in words(answer)
    assert not User.objects.filter(name="Frank").exists()


def test_a_role_that_is_kept_apart_is_refused_with_the_reason(boss, house, alice):
    answer = boss.post(reverse("staff:give", args=[alice.pk]), {"role": "auditor", "team": house.team.pk})
    assert answer.status_code == 422
    assert "Who audits the work does not do it." in words(answer)


def test_the_form_offers_what_the_viewer_may_give(boss, signed, alice):
    def offered(client):
        form = client.get(reverse("staff:person", args=[alice.pk])).context["form"]
        return {name for name, _title in form.fields["role"].choices} if form else set()

    _selin, officer = signed("selin", "mlro")
    _carol, auditor = signed("cleo", "auditor")
    assert "admin" in offered(boss) and not {"mlro", "integration"} & offered(boss)
    assert offered(officer) == {name for name, role in ROLES.items() if role.aml}
    assert offered(auditor) == set()


@pytest.mark.parametrize("role", ["agent", "officer", "privacy_officer"])
def test_the_pages_are_not_for_who_works_on_cases(signed, role):
    _user, client = signed("dan", role)
    assert client.get(reverse("staff:people")).status_code == 403
    assert client.get(reverse("staff:roles")).status_code == 200


def test_an_auditor_looks_and_changes_nothing(signed, alice):
    _user, client = signed("cleo", "auditor")
    assert client.get(reverse("staff:people")).status_code == 200
    membership = alice.memberships.get()
    assert client.post(reverse("staff:close", args=[alice.pk])).status_code == 403
    assert client.post(reverse("staff:take", args=[membership.pk])).status_code == 403
    assert client.post(reverse("staff:keep", args=[membership.pk])).status_code == 403
    assert alice.memberships.exists()


@pytest.mark.parametrize("name", ROLES)
def test_the_page_of_a_role_says_what_it_can_do(boss, name):
    page = boss.get(reverse("staff:role", args=[name]))
    for right in (*page.context["portrait"].rights, *page.context["portrait"].on_queues):
        assert str(right.words) != right.name
    assert str(ROLES[name].description) in words(page).replace("&#x27;", "'")


def test_the_page_of_a_role_is_made_from_the_routes():
    """Were a route's rule to change, so would the page."""
    [right] = [one for one in portrait.of_role(ROLES["auditor"]).rights if one.name == "audit.export_entry"]
    assert "/audit/export/" in right.pages


def test_closing_and_opening_again(boss, signed):
    dan, client = signed("dan", "agent")
    boss.post(reverse("staff:close", args=[dan.pk]))
    assert not lets_in(client)
    boss.post(reverse("staff:reopen", args=[dan.pk]))
    assert User.objects.get(pk=dan.pk).is_active
    assert "No role" in words(boss.get(reverse("staff:person", args=[dan.pk])))


def test_all_sessions_of_somebody_are_ended(boss, signed):
    dan, client = signed("dan", "agent")
    boss.post(reverse("staff:end-sessions", args=[dan.pk]))
    assert not lets_in(client)
    assert Session.objects.get(user=dan).ended_for == "revoked"


def test_the_review_keeps_and_takes(boss, alice, bob):
    Tenure.objects.exclude(membership__role="admin").update(since=timezone.now() - timedelta(days=91))
    page = words(boss.get(reverse("staff:review")))
    assert page.count("Still needed") == 2
    boss.post(reverse("staff:keep", args=[alice.memberships.get().pk]))
    boss.post(reverse("staff:take", args=[bob.memberships.get().pk]), {"from": "review"})
    assert "Nothing to review" in words(boss.get(reverse("staff:review")))
    assert (alice.memberships.count(), bob.memberships.count()) == (1, 0)


def test_the_list_leaves_as_a_file_and_is_recorded(boss, alice, entries):
    lines = b"".join(boss.get(reverse("staff:people"), {"as": "csv"}).streaming_content).decode().splitlines()
    assert len(lines) == 1 + Membership.objects.count()
    assert any("alice@example.com" in line and "agent" in line for line in lines)
    assert entries("access.export_review")[0]["data"] == {"rows": Membership.objects.count()}
    assert entries("access.list_staff") == []

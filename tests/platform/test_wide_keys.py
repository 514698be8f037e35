"""A key with a wide scope: Dave asks, another administrator confirms, Dave has the secret shown once."""

import json
import re
import time
from datetime import timedelta

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from audit.models import Entry
from compliance.outbox.models import OutboxRow
from compliance.people.access.confirmation import SIGNED_IN_AT
from compliance.people.models import User
from compliance.platform.apikeys import asking, letters
from compliance.platform.models import ApiKey, KeyRequest
from compliance.platform.scopes import Scope
from compliance.platform.services import issue_key
from compliance.policy.staff import staff_rules
from compliance.proposals.models import Proposal, State
from compliance.proposals.queries import SecondPersonNeeded
from tests.world import a_test_licensee, a_world, an_administrator

EVERY, NEW = reverse("platform:keys:all"), reverse("platform:keys:new")
SECRET = re.compile(r"mz[nt]_[0-9a-f]{8}_[A-Za-z0-9_-]{40,}")
BACKEND = "compliance.people.access.backend.StaffBackend"
DAY = timedelta(days=1)


@pytest.fixture
def world(db, in_context):
    made = a_world()
    made.dave, made.frank = an_administrator(made), an_administrator(made)
    return made


@pytest.fixture
def by(client):
    def signed_in(user):
        client.force_login(user, backend=BACKEND)
        return client

    return signed_in


def typed(world, **changed):
    facts = {"licensee": str(world.licensee.pk), "owner": str(world.bob.pk), "name": "CRM", "scopes": ["limits:write"]}
    facts |= {"last_day": (timezone.localdate() + 30 * DAY).isoformat(), "reason": "connect"}
    return facts | changed


def place(asked):
    return reverse("platform:keys:asked", args=[asked.pk])


def approval(proposal, verb=""):
    return f"/approvals/{proposal.pk}/{verb}"


@pytest.fixture
def waiting(world, by):
    """What Dave asked for on the page, and the proposal on it."""

    def ask(**changed):
        answer = by(world.dave).post(NEW, typed(world, **changed))
        asked = KeyRequest.objects.get()
        assert (answer.status_code, answer["Location"]) == (302, place(asked))
        return asked, Proposal.objects.get(subject_id=asked.pk)

    return ask


def test_one_asks_another_confirms_and_the_first_sees_the_secret_once(world, by, waiting, api, mailoutbox):
    asked, proposal = waiting(note="For the new site")
    assert not ApiKey.objects.exists()
    with pytest.raises(SecondPersonNeeded):
        asking._allow(asked)
    admin = by(world.dave)
    assert place(asked) in admin.get(EVERY).content.decode()
    assert admin.post(place(asked)).status_code == 409
    assert admin.post(approval(proposal, "confirm/")).status_code == 403

    other = by(world.frank)
    text = other.get(approval(proposal)).content.decode()
    assert all(word in text for word in ("limits:write", world.bob.name, world.dave.name, "For the new site"))
    assert "limits and money" in text
    assert other.post(approval(proposal, "confirm/")).status_code == 302
    page = other.get(place(asked)).content.decode()
    assert "Whoever asked for it can have its secret shown." in page
    assert "Show the secret" not in page and other.post(place(asked)).status_code == 403
    assert not ApiKey.objects.exists()

    admin = by(world.dave)
    assert "Show the secret" in admin.get(place(asked)).content.decode()
    shown = admin.post(place(asked))
    secret, key = SECRET.search(shown.content.decode())[0], ApiKey.objects.get()
    assert "no-store" in shown["Cache-Control"]
    assert api.get("/api/v1/ping", headers={"Authorization": f"Bearer {secret}"}).status_code == 200
    assert (key.owner, key.created_by, key.scopes) == (world.bob, world.dave, ["limits:write", "ping"])
    assert admin.post(place(asked)).status_code == 409 and ApiKey.objects.count() == 1
    assert not SECRET.search(admin.get(place(asked)).content.decode())
    assert world.frank.name in admin.get(reverse("platform:keys:key", args=[key.pk])).content.decode()

    [row] = OutboxRow.objects.filter(kind=letters.MADE)
    letters.made(row)
    page = reverse("platform:keys:key", args=[key.pk])
    assert {mail.to[0]: page in mail.body for mail in mailoutbox} == {world.bob.email: False, world.frank.email: True}
    assert all(f"{world.frank.name} confirmed it." in mail.body for mail in mailoutbox)
    said = [json.loads(bytes(entry.entry)) for entry in Entry.objects.order_by("id")]
    named = [one["action"] for one in said]
    acts = ("platform.ask_key", "proposals.propose", "proposals.confirm", "platform.issue_key")
    assert [name for name in named if name in acts] == list(acts)
    assert said[named.index("platform.issue_key")]["data"]["proposal"] == str(proposal.pk)
    assert secret not in json.dumps(said)


@pytest.mark.parametrize("other_sign_in", [False, True])
def test_whoever_the_key_counts_as_does_not_confirm_it(world, by, waiting, other_sign_in):
    if other_sign_in:
        User.objects.filter(pk=world.frank.pk).update(human_id=world.bob.human_id)
    asked, proposal = waiting(owner=str((world.bob if other_sign_in else world.frank).pk))
    frank = by(world.frank)
    assert approval(proposal) not in frank.get("/approvals/").content.decode()
    assert frank.get(approval(proposal)).status_code == 404
    assert frank.post(approval(proposal, "confirm/")).status_code == 404
    page = frank.get(place(asked)).content.decode()
    assert approval(proposal) not in page and "Show the secret" not in page
    assert Proposal.objects.get().state == State.PARKED
    third = by(an_administrator(world))
    assert approval(proposal) in third.get("/approvals/").content.decode()
    assert third.post(approval(proposal, "confirm/")).status_code == 302


def test_the_maker_under_another_sign_in_confirms_nothing(world, by, waiting):
    _asked, proposal = waiting()
    User.objects.filter(pk=world.frank.pk).update(human_id=world.dave.human_id)
    assert by(world.frank).post(approval(proposal, "confirm/")).status_code == 403
    assert Proposal.objects.get().state == State.PARKED


def test_others_have_no_such_page(world, by, waiting):
    asked, proposal = waiting()
    for user in (world.alice, world.bob, world.carol):
        one = by(user)
        assert (one.get(place(asked)).status_code, one.post(place(asked)).status_code) == (403, 403)
        assert one.post(approval(proposal, "confirm/")).status_code == 404
        assert approval(proposal) not in one.get("/approvals/").content.decode()


def test_without_a_reason_it_is_not_asked_for(world, by):
    answer = by(world.dave).post(NEW, typed(world, reason=""))
    assert answer.status_code == 422 and "Choose a reason." in answer.content.decode()
    assert not KeyRequest.objects.exists() and not ApiKey.objects.exists()


def test_a_wide_key_is_replaced_by_two_as_well(world, by, api):
    facts = {"owner": world.bob, "licensee": world.licensee, "name": "CRM", "scopes": [Scope.LOG_READ]}
    former, _old = issue_key(**facts, expires_at=timezone.now() + 9 * DAY, created_by=world.dave, by=world.dave)
    page = reverse("platform:keys:key", args=[former.pk])
    admin = by(world.dave)
    assert "or the log" in admin.get(page).content.decode()
    assert admin.post(f"{page}replace/", {"hours": "24"}).status_code == 302
    asked = KeyRequest.objects.get()
    text = admin.get(page).content.decode()
    assert place(asked) in text and f"{page}replace/" not in text
    again = admin.post(f"{page}replace/", {"hours": "24"})  # by who pressed twice
    assert again.status_code == 422 and "A replacement was asked for" in again.content.decode()
    assert KeyRequest.objects.count() == 1
    assert "9 days" in by(world.frank).get(approval(Proposal.objects.get())).content.decode()
    by(world.frank).post(approval(Proposal.objects.get(), "confirm/"))
    shown = by(world.dave).post(place(asked)).content.decode()
    key = ApiKey.objects.get(replaces=former)
    assert SECRET.search(shown)[0].startswith(key.prefix) and former.prefix in shown
    former.refresh_from_db()
    assert former.expires_at - timezone.now() < DAY + timedelta(minutes=5)


def test_what_changed_while_it_waited_stops_it(world, by, waiting):
    asked, proposal = waiting()
    User.objects.filter(pk=world.bob.pk).update(is_active=False)
    assert by(world.frank).post(approval(proposal, "confirm/")).status_code == 422
    User.objects.filter(pk=world.bob.pk).update(is_active=True)
    assert by(world.frank).post(approval(proposal, "confirm/")).status_code == 302
    User.objects.filter(pk=world.bob.pk).update(is_active=False)
    assert by(world.dave).post(place(asked)).status_code == 422
    assert not ApiKey.objects.exists()


def test_the_secret_waits_for_a_week_and_for_a_fresh_sign_in(world, by, waiting):
    asked, proposal = waiting()
    by(world.frank).post(approval(proposal, "confirm/"))
    admin = by(world.dave)
    session = admin.session
    session[SIGNED_IN_AT] = time.time() - 3 * 3600
    session["account_authentication_methods"] = []
    session.save()
    answer = admin.post(place(asked))
    assert answer.status_code == 302 and "/reauthenticate/" in answer["Location"]
    with time_machine.travel(timezone.now() + 8 * DAY):
        assert by(world.dave).post(place(asked)).status_code == 409
    assert not ApiKey.objects.exists()


def test_a_key_of_a_test_licensee_needs_no_second_person(world, by):
    shown = by(world.dave).post(NEW, typed(world, licensee=str(a_test_licensee().pk), reason=""))
    assert SECRET.search(shown.content.decode()) and not KeyRequest.objects.exists()


def wide():
    return staff_rules(on=timezone.localdate()).keys.wide_scopes


def test_every_wide_scope_there_is_needs_two_on_every_way_of_the_pages(world):
    assert set(wide()) <= set(Scope) and {"staff:write", "limits:write", "log:read"} <= set(wide())
    facts = {"owner": world.bob, "licensee": world.licensee, "name": "CRM", "expires_at": timezone.now() + DAY}
    for scope in wide():
        with pytest.raises(SecondPersonNeeded):
            asking.issue(**facts, scopes=["cases:read", scope], by=world.dave)
    key, _secret = asking.issue(**facts, scopes=["cases:read"], by=world.dave)
    ApiKey.objects.filter(pk=key.pk).update(scopes=wide())
    with pytest.raises(SecondPersonNeeded):
        asking.replace(ApiKey.objects.get(), overlap=DAY, by=world.dave)

"""Administrators look after keys: the secret is shown once, a key is replaced without a gap, the night names others."""

import json
import re
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone

from audit.models import Entry
from audit.perform import ConditionsNotMet
from compliance.outbox.models import OutboxRow
from compliance.people.access import rights
from compliance.people.models import Licensee, User
from compliance.platform.apikeys import asking, letters
from compliance.platform.models import ApiKey
from compliance.platform.scopes import Scope
from compliance.platform.services import issue_key, rotate_key
from tests.world import a_world, an_administrator

PING, EVERY, NEW = "/api/v1/ping", reverse("platform:keys:all"), reverse("platform:keys:new")
SECRET = re.compile(r"mzn_[0-9a-f]{8}_[A-Za-z0-9_-]{40,}")
BACKEND = "compliance.people.access.backend.StaffBackend"
DAY = timedelta(days=1)


@pytest.fixture
def world(db, in_context):
    made = a_world()
    made.dave = an_administrator(made)
    return made


@pytest.fixture
def admin(world, client):
    client.force_login(world.dave, backend=BACKEND)
    return client


@pytest.fixture
def made(world):
    """A key of Bob's for the licensee, of a hundred days, with its secret."""

    def make(**extra):
        facts = {"owner": world.bob, "licensee": world.licensee, "name": "CRM", "scopes": [Scope.CASES_READ]}
        facts |= {"expires_at": timezone.now() + 100 * DAY, "created_by": world.dave, "by": world.dave}
        return issue_key(**facts | extra)

    return make


def at(name, key):
    return reverse(f"platform:keys:{name}", args=[key.pk])


def gets_in(api, token):
    return api.get(PING, headers={"Authorization": f"Bearer {token}"}).status_code == 200


def typed(world, **changed):
    facts = {"licensee": str(world.licensee.pk), "owner": str(world.bob.pk), "name": "CRM", "scopes": ["cases:read"]}
    return facts | {"last_day": (timezone.localdate() + 30 * DAY).isoformat()} | changed


def test_a_key_is_issued_and_its_secret_shown_once(admin, world, api):
    shown = admin.post(NEW, typed(world))
    secret, key = SECRET.search(shown.content.decode())[0], ApiKey.objects.get()
    assert "no-store" in shown["Cache-Control"]
    assert gets_in(api, secret)
    assert (key.owner, key.licensee, key.created_by) == (world.bob, world.licensee, world.dave)
    assert key.scopes == ["cases:read", "ping"]
    assert 29 * DAY < key.expires_at - timezone.now() < 32 * DAY
    for page in (EVERY, at("key", key)):
        content = admin.get(page).content.decode()
        assert all(word in content for word in ("CRM", key.prefix, "cases:read", world.bob.name, world.licensee.name))
        assert not SECRET.search(content)
    assert Entry.objects.filter(action="platform.issue_key").count() == 1
    assert Entry.objects.filter(action="platform.list_keys").count() == 2


@pytest.mark.parametrize(
    "wrong",
    [{"scopes": ["keys:write"]}, {"scopes": []}, {"name": ""}, {"last_day": "2020-01-01"}, {"last_day": "2999-01-01"}],
)
def test_what_does_not_fit_is_refused_with_words(admin, world, wrong):
    answer = admin.post(NEW, typed(world, **wrong))
    assert (answer.status_code, ApiKey.objects.count()) == (422, 0)
    assert 'class="wrong"' in answer.content.decode()


def test_who_has_no_role_owns_no_key(admin, world):
    world.bob.memberships.all().delete()
    assert admin.post(NEW, typed(world)).status_code == 422


@pytest.mark.parametrize("other_sign_in", [False, True])
def test_nobody_issues_a_key_in_their_own_name(admin, world, other_sign_in):
    owner = world.dave
    if other_sign_in:
        owner = world.bob
        owner.human_id = world.dave.human_id
        owner.save(update_fields=["human_id"])
    answer = admin.post(NEW, typed(world, owner=str(owner.pk)))
    assert answer.status_code == 422
    assert "Somebody else has to answer for the key." in answer.content.decode()
    assert not ApiKey.objects.exists() and not OutboxRow.objects.filter(kind=letters.MADE).exists()


@pytest.mark.parametrize("other_sign_in", [False, True])
def test_nobody_gets_a_fresh_secret_for_a_key_in_their_own_name(admin, world, made, other_sign_in):
    if other_sign_in:
        world.bob.human_id = world.dave.human_id
        world.bob.save(update_fields=["human_id"])
    key, _token = made(owner=world.bob if other_sign_in else world.dave)
    answer = admin.post(at("replace", key), {"hours": "24"})
    assert answer.status_code == 422
    for page in (answer, admin.get(at("key", key))):
        content = page.content.decode()
        assert "another administrator replaces it" in content and at("replace", key) not in content
    assert ApiKey.objects.get().replaced_by is None
    (entry,) = Entry.objects.using("log").filter(outcome="refused", object_id=str(key.pk))
    assert (entry.action, entry.facts["reason"]["code"]) == ("platform.rotate_key", "same_person")
    assert admin.post(at("revoke", key)).status_code == 302


def delivered(mailoutbox):
    """Who was written to by the letters that wait now, and what."""
    mailoutbox.clear()
    for row in OutboxRow.objects.filter(kind=letters.MADE):
        letters.made(row)
        row.delete()
    return {mail.to[0]: f"{mail.subject}\n{mail.body}" for mail in mailoutbox}


def test_the_owner_and_the_other_administrators_are_told_of_every_key(admin, world, mailoutbox):
    erin, gone = an_administrator(world), an_administrator(world)
    User.objects.filter(pk=gone.pk).update(is_active=False)
    secret = SECRET.search(admin.post(NEW, typed(world)).content.decode())[0]
    former = ApiKey.objects.get()
    first = delivered(mailoutbox)
    admin.post(at("replace", former), {"hours": "24"})
    key = ApiKey.objects.get(replaces=former)
    for mails, made_now in ((first, former), (delivered(mailoutbox), key)):
        assert mails.keys() == {world.bob.email, erin.email}
        assert all(made_now.prefix in text and world.dave.name in text for text in mails.values())
        assert "it counts as you" in mails[world.bob.email] and world.bob.name in mails[erin.email]
        assert (at("key", made_now) in mails[erin.email], "/keys/" in mails[world.bob.email]) == (True, False)
        assert secret not in str(mails)


def test_without_the_letter_there_is_no_key(admin, world, monkeypatch):
    def fails(key):
        raise ConditionsNotMet(["No."])

    admin.post(NEW, typed(world))
    former = ApiKey.objects.get()
    monkeypatch.setattr(asking, "tell", fails)
    assert admin.post(NEW, typed(world)).status_code == 422
    assert admin.post(at("replace", former), {"hours": "24"}).status_code == 422
    assert ApiKey.objects.get().replaced_by is None


def test_others_have_no_such_page(world, made, client):
    key, _token = made()
    for user in (world.alice, world.bob, world.carol):
        client.force_login(user, backend=BACKEND)
        assert [client.get(page).status_code for page in (EVERY, NEW, at("key", key))] == [403, 403, 403]
        assert client.post(at("revoke", key)).status_code == 403
    assert ApiKey.objects.get().is_active


def test_a_key_is_replaced_without_a_gap(admin, made, api):
    former, old = made(rate_per_minute=50)
    new = SECRET.search(admin.post(at("replace", former), {"hours": "24"}).content.decode())[0]
    key = ApiKey.objects.get(replaces=former)
    same = ("name", "owner", "licensee", "scopes", "rate_per_minute", "api_version")
    assert [getattr(key, name) for name in same] == [getattr(former, name) for name in same]
    assert abs((key.expires_at - timezone.now()) - 100 * DAY) < timedelta(minutes=5)
    assert gets_in(api, old) and gets_in(api, new)
    former.refresh_from_db()
    assert abs(former.expires_at - timezone.now() - DAY) < timedelta(minutes=5)
    assert key.prefix in admin.get(at("key", former)).content.decode()
    ApiKey.objects.filter(pk=former.pk).update(created_at=Now() - 9 * DAY, expires_at=Now())  # a day later
    assert not gets_in(api, old) and gets_in(api, new)
    [entry] = Entry.objects.filter(action="platform.rotate_key")
    assert (entry.facts["data"]["former"], entry.facts["data"]["prefix"]) == (former.prefix, key.prefix)


def test_replacing_never_lengthens_the_former_and_happens_once(made, world):
    former, _token = made(expires_at=timezone.now() + timedelta(hours=2))
    ends = former.expires_at
    rotate_key(former, overlap=DAY, created_by=world.dave, by=world.dave)
    former.refresh_from_db()
    assert former.expires_at == ends
    other, _token = made()
    for key, overlap in ((former, DAY), (other, timedelta(0)), (other, 8 * DAY)):
        with pytest.raises(ConditionsNotMet):
            rotate_key(key, overlap=overlap, created_by=world.dave, by=world.dave)
    assert ApiKey.objects.count() == 3


def test_the_page_revokes_and_then_offers_neither(admin, made, api):
    key, token = made()
    assert admin.post(at("revoke", key)).status_code == 302
    assert not gets_in(api, token)
    content = admin.get(at("key", key)).content.decode()
    assert at("revoke", key) not in content and at("replace", key) not in content
    assert admin.post(at("replace", key), {"hours": "24"}).status_code == 422
    assert ApiKey.objects.count() == 1


def test_the_command_replaces_too(made, world, api, capsys):
    former, old = made()
    call_command("platform", "rotate-key", former.prefix, "--hours", "2", "--by", world.dave.email, "--json")
    told = json.loads(capsys.readouterr().out)
    assert told["former"] == former.prefix
    assert gets_in(api, told["secret"]) and gets_in(api, old)
    with pytest.raises(CommandError):
        call_command("platform", "rotate-key", former.prefix, "--by", world.dave.email)


def found():
    return {(one.kind, one.what) for one in rights.findings() if one.kind.startswith("key_")}


def test_the_night_names_keys_that_end_soon_are_unused_or_whose_owner_has_no_role(made, world):
    key, _token = made()
    assert found() == set()
    rows = ApiKey.objects.filter(pk=key.pk)
    rows.update(expires_at=Now() + 13 * DAY)
    assert found() == {("key_ends_soon", key.prefix)}
    rows.update(expires_at=Now() + 90 * DAY, created_at=Now() - 50 * DAY)
    assert found() == {("key_unused", key.prefix)}
    rows.update(last_used_at=Now())
    assert found() == set()
    world.bob.memberships.all().delete()
    assert found() == {("key_owner_without_role", key.prefix)}
    trial = Licensee.objects.create(name="Trial", slug="trial", jurisdiction="TR", is_test=True)
    made(licensee=trial, expires_at=timezone.now() + DAY)
    assert found() == {("key_owner_without_role", key.prefix)}


def test_a_replaced_key_may_end(made, world):
    key, _token = made()
    new, _secret = rotate_key(key, overlap=DAY, created_by=world.dave, by=world.dave)
    assert found() == set()
    ApiKey.objects.filter(pk=new.pk).update(expires_at=Now() + DAY)
    assert found() == {("key_ends_soon", new.prefix)}

"""A test licensee: its keys see invented players only, its special values give each answer, and it stays what it is."""

import json
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import DatabaseError, transaction

from audit.actors import system
from cases.mail.outgoing import deliver
from cases.models import Message
from cases.queues import open_queue
from cases.types.verification import services as verification
from compliance.outbox.models import OutboxRow
from compliance.people.models import Account, Licensee, Restriction
from compliance.people.services import create_brand, create_licensee
from compliance.platform.scopes import Scope
from compliance.platform.services import rotate_key
from compliance.platform.trying import ENDINGS, arrange
from tests.world import a_world

pytestmark = pytest.mark.usefixtures("in_context")


@pytest.fixture
def world(db, in_context):
    return a_world()


@pytest.fixture
def tryout(world, issue):
    """A test licensee with a brand, and a key of it."""
    facts = {"name": "Tryout", "slug": "tryout", "jurisdiction": "TR", "time_zone": "UTC"}
    licensee = create_licensee(**facts, is_test=True, by=system())
    create_brand(licensee=licensee, name="Tryout", slug="tryout", by=system())
    return SimpleNamespace(licensee=licensee, key=issue(*set(Scope) - {Scope.STAFF_WRITE}, licensee=licensee))


def opened(api, key, reference, brand="tryout"):
    def post(path, body):
        sent = api.post(f"/api/v1{path}", json.dumps(body), content_type="application/json", headers=key.headers)
        assert sent.status_code == 201, sent.json()
        return sent.json()

    player = {"full_name": "Ada", "birth_date": "1990-01-01", "nationality": "TR"}
    customer = post("/customers", player)["id"]
    post("/accounts", {"customer": customer, "brand": brand, "reference": reference, "email": "ada@example.com"})
    return Account.objects.get(reference=reference)


def test_a_test_key_shows_what_it_is_and_sees_nothing_real(api, tryout, world, issue):
    real = world.verification()
    assert tryout.key.row.prefix.startswith("mzt_") and issue(Scope.PING).row.prefix.startswith("mzn_")
    assert api.get("/api/v1/ping", headers=tryout.key.headers).json()["test"] is True
    opened(api, tryout.key, "T-1")
    seen = api.get("/api/v1/accounts", headers=tryout.key.headers).json()["items"]
    assert [one["reference"] for one in seen] == ["T-1"]
    for path in (f"/cases/{real.number}", f"/accounts/{real.account}/gate", f"/customers/{real.customer_id}"):
        assert api.get(f"/api/v1{path}", headers=tryout.key.headers).status_code == 404
    mine = issue(*Scope, licensee=world.licensee)
    assert api.get("/api/v1/accounts/T-1/gate", headers=mine.headers).status_code == 404


def test_each_special_value_gives_its_answer(api, tryout):
    for ending, (stops, code) in ENDINGS.items():
        opened(api, tryout.key, f"T-{ending}")
        gate = api.get(f"/api/v1/accounts/T-{ending}/gate", headers=tryout.key.headers).json()
        for effect in Restriction.EFFECTS:
            stopped = effect in stops
            assert (gate[effect]["allowed"], gate[effect]["code"]) == (not stopped, code if stopped else None), ending


def test_a_stop_for_later_is_not_there_yet_and_will_be_told(api, tryout):
    account = opened(api, tryout.key, "T-stop90")
    restriction = Restriction.objects.get(account=account)
    assert api.get("/api/v1/accounts/T-stop90/gate", headers=tryout.key.headers).json()["stop"] is False
    rows = OutboxRow.objects.filter(payload__restriction_id=str(restriction.pk))
    assert rows.filter(due_at=restriction.starts_at).count() == 1


def test_what_an_older_test_key_holds_beyond_its_licensee_does_not_count_and_is_not_handed_on(api, tryout, world):
    row = tryout.key.row
    row.scopes = ["ping", "staff:write"]
    row.save(update_fields=["scopes"])
    assert api.get("/api/v1/ping", headers=tryout.key.headers).json()["scopes"] == ["ping"]
    new, _secret = rotate_key(row, overlap=timedelta(hours=1), created_by=world.bob, by=world.bob)
    assert new.scopes == ["ping"]


def test_any_other_reference_is_only_a_reference(api, tryout, world):
    for reference in ("T-stop0", "T-stop3601", "T-stopped-1", "stopped", "T-Stopped"):
        opened(api, tryout.key, reference)
    real = world.account()
    real.reference = "P-stopped"
    assert arrange(real, by=world.bob) is None
    assert not Restriction.objects.exists()


def test_what_a_licensee_is_it_stays(tryout, world):
    for licensee in (tryout.licensee, world.licensee):
        with pytest.raises(DatabaseError, match="for ever"), transaction.atomic():
            Licensee.objects.filter(pk=licensee.pk).update(is_test=not licensee.is_test)
    Licensee.objects.filter(pk=world.licensee.pk).update(name="Other")


def test_no_mail_leaves_for_an_invented_player(api, tryout, world, mailoutbox):
    open_queue(world.team, tryout.licensee, "verification", by=system())
    invented = verification.open(opened(api, tryout.key, "T-1"), level="L1", by=world.alice)
    for case, mails in ((invented, 0), (world.verification(), 1)):
        message = Message.objects.get(case=case)
        deliver(SimpleNamespace(payload={"message_id": str(message.pk)}))
        assert len(mailoutbox) == mails
        message.refresh_from_db()
        assert message.sent_at is not None

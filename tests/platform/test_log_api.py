"""Programs watch the log: checkpoint and proofs over the API, that the stand-alone verifier takes."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from audit.models import Entry
from audit.queries import standing
from audit.verifier import verify as outside
from compliance.platform.scopes import Scope
from compliance.platform.services import issue_key
from tests.audit.bundling import check_here
from tests.audit.conftest import house  # noqa: F401 - a fixture
from tests.world import a_world

URL = "/api/v1/log"


@pytest.fixture
def asked(house):  # noqa: F811
    house.write(300)
    house.sequence()
    world, client = a_world(), Client()

    def asked(address, scope=Scope.LOG_READ):
        _key, token = issue_key(
            owner=world.alice,
            licensee=world.licensee,
            name="watcher",
            scopes=[scope],
            expires_at=timezone.now() + timedelta(days=1),
            created_by=world.alice,
            by=world.alice,
        )
        return client.get(f"{URL}/{address}", headers={"Authorization": f"Bearer {token}"})

    return asked


def test_a_checkpoint_is_kept_and_later_shown_to_be_continued(house, asked, tmp_path):  # noqa: F811
    signed = asked("checkpoint").json()
    (tmp_path / "kept").write_text(signed["note"])
    house.write(70)
    house.sequence()
    answer = asked(f"consistency?old={signed['size']}").json()
    assert (answer["old"], answer["size"]) == (signed["size"], standing().signed_size)
    proof = tmp_path / "a.continues"
    proof.write_text(answer["proof"])
    assert check_here(proof, signed["vkey"], "--checkpoint", tmp_path / "kept") == 0
    proof.write_text(answer["proof"].replace("\n", "\nAAAA\n", 1))
    assert check_here(proof, signed["vkey"], "--checkpoint", tmp_path / "kept") == 1


def test_an_entry_is_proved_and_that_is_an_entry(house, asked, tmp_path):  # noqa: F811
    answer = asked("proofs/123").json()
    ((entry_id,),) = house.sql("SELECT entry_id FROM audit_leaf WHERE log = 'main' AND seq = 123")
    (tmp_path / "entry.json").write_bytes(house.bytes_of(entry_id))
    (tmp_path / "proof").write_text(answer["proof"])
    assert (
        outside.main([str(tmp_path / "entry.json"), "--proof", str(tmp_path / "proof"), "--vkey", standing().vkey]) == 0
    )
    entry = Entry.objects.filter(action="audit.prove").get()
    assert (entry.actor_kind, entry.facts["data"]["seq"]) == ("key", 123)


def test_what_is_not_signed_or_no_number_is_not_answered(asked):
    for address in ("proofs/99999", "consistency?old=99999"):
        assert asked(address).status_code == 404
    for address in ("proofs/-1", "proofs/x", "consistency", "consistency?old=0", "consistency?old=x"):
        assert asked(address).status_code in (404, 422)
    assert asked("checkpoint", scope=Scope.GATE_READ).status_code == 403

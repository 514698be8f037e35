"""An export that one person may not make alone: asked for on a page, confirmed by another, taken by who asked."""

import io
import zipfile
from datetime import date, timedelta

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone

from audit.actors import system
from audit.models import Entry
from audit.perform import ConditionsNotMet
from audit.queries import standing
from audit.record import ObjectRef, record
from audit.verifier import open_sealed
from audit.verifier import verify as outside
from compliance.people.services import create_user, join
from compliance.proposals import exports
from compliance.proposals.models import ExportRequest, Proposal
from compliance.proposals.services import confirm
from tests.audit.conftest import Process
from tests.waiting import wait_until
from tests.world import a_world

CASE = "KYC-26-004813-9"


def test_it_is_asked_for_confirmed_and_taken(house, client, tmp_path):
    world, dana = with_another_auditor()
    write(world, 3)
    public = open_sealed.new_key(str(tmp_path / "private"))
    process = Process(house)
    try:
        wait_until(lambda: (now := standing()).alive and not now.waiting and now.signed_size == now.size > 0)
        client.force_login(world.carol)
        alone = client.post("/audit/export/", {"case": CASE, "reason": "court", "recipient": public})
        assert alone.status_code == 422
        page = client.get(alone.context["propose_url"])
        assert page.context["form"].initial["recipient"] == public

        answer = client.post("/approvals/exports/", given := asking(case=CASE, recipient=public))
        request = ExportRequest.objects.get()
        assert answer["Location"] == (place := f"/approvals/exports/{request.pk}/")
        assert client.get(place).status_code == 200
        assert client.post(place).status_code == 409
        proposal = Proposal.objects.get()
        assert client.post(f"/approvals/{proposal.pk}/confirm/").status_code == 403

        client.force_login(dana)
        assert client.get(place).status_code == 404
        text = client.get(f"/approvals/{proposal.pk}/").content.decode()
        assert CASE in text
        assert "for the court" in text
        assert client.post(f"/approvals/{proposal.pk}/confirm/").status_code == 302
        assert client.post(place).status_code == 404

        client.force_login(world.carol)
        taken = client.post(place)
        assert taken["Content-Type"] == "application/zip"
        (tmp_path / "bundle.zip").write_bytes(b"".join(taken.streaming_content))
        vkey = (house.keys / "main.vkey").read_text().strip()
        assert outside.main([str(tmp_path / "bundle.zip"), "--vkey", vkey]) == 0
        opened = open_sealed.opened(str(tmp_path / "bundle.zip"), str(tmp_path / "private"))
        assert [part["sealed"]["note"] for part in opened] == ["words"] * 3
        entry = Entry.objects.filter(action="audit.export").latest("id")
        assert entry.facts["data"]["proposal"] == str(proposal.pk)
        assert given["note"] not in bytes(entry.entry).decode()
        assert b"words" not in zipfile.ZipFile(io.BytesIO((tmp_path / "bundle.zip").read_bytes())).read("entries.jsonl")

        with time_machine.travel(timezone.now() + timedelta(days=8)):
            client.force_login(world.carol)
            assert client.post(place).status_code == 409
    finally:
        process.end()


def with_another_auditor():
    world = a_world()
    dana = create_user(email=f"dana-{world.team.slug}@example.com", name="Dana", by=system())
    join(dana, world.team, "auditor", by=system())
    return world, dana


def aml_auditor(world, name):
    user = create_user(email=f"{name}-{world.team.slug}@example.com", name=name, by=system())
    join(user, world.team, "aml_auditor", by=system(), until=timezone.now() + timedelta(days=5))
    return user


def write(world, count):
    for _ in range(count):
        with transaction.atomic():
            record("access.deny", by=world.alice, about=ObjectRef("route", "x"), matter=CASE, note="words")


def asking(**what):
    return {"reason": "court", "note": "for the court of Ankara", **what}


class TestWhoMayAsk:
    @pytest.mark.parametrize("name", ["alice", "bob", "mallory"])
    def test_staff_without_the_right_are_refused(self, client, db, name):
        client.force_login(getattr(a_world(), name))
        assert client.get("/approvals/exports/").status_code == 403

    def test_what_is_not_there_is_said(self, client, db):
        client.force_login(a_world().carol)
        page = client.post("/approvals/exports/", asking(case="KYC-26-999999-9"))
        assert page.status_code == 422
        assert not ExportRequest.objects.exists()

    def test_an_export_of_the_aml_sides_log_is_a_matter_of_that_side_only(self, client, db, in_context, monkeypatch):
        monkeypatch.setattr(exports.selections, "count", lambda selection, size: 12_000)
        world = a_world()
        judy, ken = (aml_auditor(world, name) for name in ("Judy", "Ken"))
        outside = {entry.pk for entry in Entry.objects.filter(log="main")}
        proposal = exports.ask(
            exports.Selection("period", log="aml", from_on=date(2026, 1, 1), to_on=date(2027, 1, 1)),
            by=judy,
            reason="audit",
            note="",
        )
        assert (proposal.log, Entry.objects.get(action="proposals.propose").log) == ("aml", "aml")
        pages = [f"/{at}approvals/{verb}" for at in ("", "aml/") for verb in ("", f"{proposal.pk}/")]
        request = f"approvals/exports/{proposal.subject_id}/"

        def answers(user, *places):
            client.force_login(user)
            return [client.get(place).status_code for place in places]

        def listed(user, space):
            client.force_login(user)
            return str(proposal.pk) in client.get(f"/{space}approvals/").content.decode()

        assert answers(ken, *pages) == [200, 404, 200, 200]
        assert answers(world.carol, *pages, f"/aml/{request}") == [200, 404, 404, 404, 404]
        assert (listed(ken, ""), listed(ken, "aml/"), listed(judy, "aml/")) == (False, True, True)
        assert answers(judy, f"/{request}", f"/aml/{request}") == [404, 200]
        confirm(proposal, by=ken)
        left = Entry.objects.filter(log="main").exclude(pk__in=outside)
        # The installation's own key is made at its first use.
        assert {entry.action for entry in left} <= {"people.sign_in", "keys.create"}

    def test_a_key_that_is_none_is_refused(self, db, in_context):
        world = a_world()
        with pytest.raises(ConditionsNotMet, match="no public key"):
            exports.ask(
                exports.Selection("case", CASE, recipient="abc"), by=world.carol, reason="court", note="for nobody"
            )

"""The audit pages: an auditor finds a case, reads an entry, exports; looking is recorded; nobody else sees anything."""

import io
import re
import zipfile
from hashlib import sha256
from types import SimpleNamespace

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from audit import context
from audit.actors import SubjectRef, system
from audit.models import Entry
from audit.names import find
from audit.queries import Query, standing
from audit.record import ObjectRef, query_digest, record
from audit.verifier import verify as outside
from compliance.people.services import create_team, create_user, join
from tests.audit.conftest import FOREIGN, Process
from tests.waiting import wait_until
from tests.world import a_world

CASE = "KYC-26-004813-9"


@pytest.fixture
def staff(db):
    """Alice is an agent, Bob an officer, Carol an auditor, Mallory has no role. Nobody needs a password here."""
    with context.use(context.new("test")):
        team = create_team(name="Verification", slug="verification", by=system())
        roles = {"alice": "agent", "bob": "officer", "carol": "auditor", "mallory": None}
        users = {name: create_user(email=f"{name}@example.com", name=name.title(), by=system()) for name in roles}
        for name, role in roles.items():
            if role:
                join(users[name], team, role, by=system())
        yield SimpleNamespace(**users)


@pytest.fixture
def carol(client, staff):
    client.force_login(staff.carol)
    return client


def write(by, count=1, *, log="main", matter=CASE, **facts):
    for _ in range(count):
        record("access.deny", by=by, about=ObjectRef("route", "cases:case"), matter=matter, log=log, **facts)


def rows_of(response):
    return [shown["row"] for shown in response.context["rows"]]


def newest(action):
    return Entry.objects.filter(action=action).order_by("-id").first()


class TestTheList:
    def test_an_auditor_finds_the_entries_of_a_case(self, carol, staff):
        write(staff.alice, 3, reason="no_right", outcome="refused")
        write(staff.bob, 2, matter="KYC-26-000001-0")
        page = carol.get("/audit/", {"case": CASE})
        assert page.status_code == 200
        assert [row.matter for row in rows_of(page)] == [CASE] * 3
        assert "Alice was refused" in page.content.decode()

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ({"actor": "Alice"}, 3),
            ({"actor": "nobody"}, 0),
            ({"action": "access.deny"}, 5),
            ({"action": "access."}, 5),
            ({"action": "access.den"}, 0),
            ({"outcome": "refused"}, 3),
            ({"outcome": "done", "action": "access.deny"}, 2),
            ({"object": "route"}, 5),
            ({"case": "KYC-26-004813-9", "actor": "Bob"}, 0),
            ({"customer": "5a3b1c2d-0000-4000-8000-000000000001"}, 2),
            ({"since": "2020-01-01", "until": "2020-01-02"}, 0),
            ({"since": "2020-01-01", "action": "access.deny"}, 5),
            ({"request": "the-request"}, 2),
        ],
    )
    def test_each_filter_narrows_it(self, carol, staff, query, found):
        write(staff.alice, 3, reason="no_right", outcome="refused")
        with context.use(context.new("test", request_id="the-request")):
            subject = SubjectRef("customer", "5a3b1c2d-0000-4000-8000-000000000001")
            write(staff.bob, 2, matter="KYC-26-000001-0", subject=subject)
        assert len(rows_of(carol.get("/audit/", query))) == found

    def test_it_pages_without_losing_or_repeating_a_row(self, carol, staff):
        write(staff.alice, 120)
        address, seen = f"/audit/?case={CASE}", []
        while address:
            page = carol.get(address)
            seen += [row.event_id for row in rows_of(page)]
            address = page.context["older_url"]
        expected = Entry.objects.filter(matter=CASE).order_by("-id").values_list("event_id", flat=True)
        assert seen == list(expected)

    def test_the_number_of_queries_does_not_depend_on_the_rows(self, carol, staff):
        asked = []
        for person, count in ((staff.alice, 3), (staff.bob, 40)):
            write(person, count)
            carol.get("/audit/")
            with CaptureQueriesContext(connection) as queries:
                carol.get("/audit/")
            asked.append(len(queries))
        assert asked[0] == asked[1]

    def test_looking_at_it_is_an_entry_that_does_not_say_what_was_typed(self, carol, staff):
        carol.get("/audit/", {"actor": "alice@example.com"})
        entry = newest("audit.search")
        assert entry.actor_id == str(staff.carol.pk)
        assert re.fullmatch("[0-9a-f]{16}", entry.facts["data"]["digest"])
        assert "alice@example.com" not in bytes(entry.entry).decode()
        assert entry.facts["sealed"]["n"] > 0

    def test_what_was_typed_cannot_be_guessed_from_its_digest(self, carol, staff):
        asked = Query(actors=find("staff", "12345678950"))
        carol.get("/audit/", {"actor": "12345678950"})
        digest = newest("audit.search").facts["data"]["digest"]
        assert digest == query_digest(asked.digest_source().decode())
        assert digest != sha256(asked.digest_source()).hexdigest()[:16]
        assert digest != sha256(b"search|" + asked.digest_source()).hexdigest()[:16]

    def test_dates_the_wrong_way_round_are_refused_in_words(self, carol):
        page = carol.get("/audit/", {"since": "2026-02-02", "until": "2026-02-01"})
        assert "The end lies before the start." in page.content.decode()
        assert rows_of(page) == []

    @pytest.mark.parametrize("name", ["since", "until"])
    def test_a_day_after_which_there_is_none_is_refused_in_words(self, carol, name):
        page = carol.get("/audit/", {name: "9999-12-31"})
        assert page.status_code == 200
        assert list(page.context["form"].errors) == [name]
        assert not carol.get("/audit/", {name: "9998-12-31"}).context["form"].errors

    def test_no_database_id_leaves(self, carol, staff):
        write(staff.alice, 60)
        ids = {str(pk) for pk in Entry.objects.values_list("id", flat=True) if pk > 999}
        text = carol.get("/audit/").content.decode()
        assert not any(f'"{pk}"' in text or f"/{pk}/" in text for pk in ids)

    def test_nonsense_in_the_address_is_no_error(self, carol):
        for query in (
            {"before": "x"},
            {"before": "' OR 1=1"},
            {"log": "aml"},
            {"outcome": "x"},
            {"since": "x"},
        ):
            assert carol.get("/audit/", query).status_code == 200
        # No text of ours has a NUL and no column takes one: refused at the door.
        assert carol.get("/audit/", {"case": "\x00"}).status_code == 400


def test_what_somebody_inserted_by_sql_does_not_break_the_page(house, client):
    """Bytes of any shape, before and after the sequencer flagged them."""
    staff = a_world()
    for entry in ("x", "[]", '{"actor": 5, "diff": 7}', '{"action": "{0.__class__}"}'):
        house.sql(FOREIGN.replace("'x'", "%s"), entry.encode())
    client.force_login(staff.carol)
    assert client.get("/audit/", {"object": "a"}).status_code == 200
    house.sequence()
    page = client.get("/audit/", {"object": "a"})
    assert [row.flag for row in rows_of(page)] == ["no_mac"] * 4
    assert client.get(f"/audit/main/{rows_of(page)[0].seq}/").status_code == 200


class TestWhoMayLook:
    @pytest.mark.parametrize("name", ["alice", "bob", "mallory"])
    @pytest.mark.parametrize("address", ["/audit/", "/audit/main/0/", "/audit/export/"])
    def test_staff_without_the_right_are_refused_and_that_is_an_entry(self, client, staff, name, address):
        client.force_login(getattr(staff, name))
        assert client.get(address).status_code == 403
        assert newest_on_log().action == "access.deny"

    @pytest.mark.parametrize("address", ["/audit/", "/audit/main/0/", "/audit/export/"])
    def test_strangers_are_asked_to_sign_in(self, client, db, address):
        assert client.get(address).status_code == 302

    def test_the_aml_log_does_not_exist_for_an_auditor_of_the_main_log(self, carol, staff):
        write(staff.alice, 2, log="aml")
        page = carol.get("/audit/", {"log": "aml", "action": "access.deny"})
        assert rows_of(page) == []
        assert "aml" not in page.content.decode()
        assert carol.get("/audit/aml/0/").status_code == carol.get("/audit/nolog/0/").status_code == 404

    def test_who_has_the_right_sees_it(self, carol, staff):
        write(staff.alice, 2, log="aml")
        staff.carol.user_permissions.add(Permission.objects.get(codename="view_aml_entry"))
        page = carol.get("/audit/", {"log": "aml", "action": "access.deny"})
        assert len(rows_of(page)) == 2

    def test_pages_only_read(self, carol):
        for address in ("/audit/", "/audit/main/0/"):
            assert carol.post(address).status_code == 405

    def test_looking_without_exporting(self, carol, staff):
        staff.carol.groups.clear()
        staff.carol.user_permissions.add(Permission.objects.get(codename="view_entry"))
        assert "Export with reason" not in carol.get("/audit/").content.decode()
        assert carol.get("/audit/export/").status_code == 403


def newest_on_log():
    """Refusals are written on the second connection, which a wrapped test sees through that connection only."""
    return Entry.objects.using("log").order_by("-id").first()


def test_an_entry_that_is_not_there_is_not_found(carol):
    assert carol.get("/audit/main/999999/").status_code == 404
    assert carol.get(f"/audit/main/{2**70}/").status_code == 404


class TestExport:
    def test_it_asks_why(self, carol):
        page = carol.post("/audit/export/", {"case": CASE, "reason": ""})
        assert page.status_code == 422
        assert list(page.context["form"].errors) == ["reason"]

    @pytest.mark.parametrize("given", [{}, {"case": CASE, "customer": "x"}, {"case": CASE, "everything": "on"}])
    def test_it_wants_one_of_four(self, carol, given):
        page = carol.post("/audit/export/", {"reason": "because", **given})
        assert page.status_code == 422
        assert "one of the four" in page.content.decode()

    def test_the_case_is_filled_in_from_the_list(self, carol):
        link = carol.get("/audit/", {"case": CASE}).context["export_url"]
        assert link == f"{reverse('audit:export')}?case={CASE}"
        assert f'value="{CASE}"' in carol.get(link).content.decode()

    def test_without_a_sequencer_it_says_so(self, carol):
        page = carol.post("/audit/export/", {"case": CASE, "reason": "because"})
        assert page.status_code == 422
        assert "sequencer does not answer" in page.content.decode()


def test_an_auditor_finds_reads_and_exports_a_case(house, client, tmp_path, settings):
    """With everything committed and a real sequencer beside."""
    staff = a_world()
    case = staff.verification()
    process = Process(house)
    try:
        wait_until(lambda: (now := standing()).alive and not now.waiting and now.signed_size == now.size > 0)
        client.force_login(staff.carol)
        page = client.get("/audit/", {"case": case.number})
        rows = rows_of(page)
        assert rows
        assert all(row.seq is not None for row in rows)

        detail = client.get(f"/audit/main/{rows[-1].seq}/")
        text = detail.content.decode()
        assert detail.status_code == 200
        assert rows[-1].request_id in text
        assert "in the signed tree of" in text
        assert newest("audit.view").facts["data"] == {"seq": rows[-1].seq}

        answer = client.post("/audit/export/", {"case": case.number, "reason": "Yearly audit, sample 7"})
        assert answer["Content-Type"] == "application/zip"
        assert f'filename="mizan-log-{case.number}.zip"' in answer["Content-Disposition"]
        bundle = tmp_path / "bundle.zip"
        bundle.write_bytes(b"".join(answer.streaming_content))
        vkey = (house.keys / "main.vkey").read_text().strip()
        assert outside.main([str(bundle), "--vkey", vkey]) == 0

        archive = zipfile.ZipFile(io.BytesIO(bundle.read_bytes()))
        entry = newest("audit.export")
        assert entry.actor_id == str(staff.carol.pk)
        assert entry.facts["data"]["of"] == case.number
        assert entry.facts["data"]["manifest"] == outside.hashlib.sha256(archive.read("manifest.json")).hexdigest()
        assert "sample 7" not in bytes(entry.entry).decode()
        assert "Alice" in archive.read("report.html").decode()

        by_customer = client.post("/audit/export/", {"customer": str(case.customer_id), "reason": "his request"})
        assert by_customer["Content-Type"] == "application/zip"

        settings.AUDIT_EXPORT_ALONE = len(rows) - 1
        refused = client.post("/audit/export/", {"case": case.number, "reason": "all of it"})
        assert refused.status_code == 422
        assert "needs two persons" in refused.content.decode()
        assert f"/approvals/exports/?case={case.number}" in refused.content.decode()
        assert newest("audit.export").facts["data"]["kind"] == "customer"
    finally:
        process.end()

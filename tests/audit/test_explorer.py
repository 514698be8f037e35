"""The explorer beyond the list: chips, kept questions, who looked, a range verified now, a proof to take along."""

import base64
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.http import QueryDict

from audit import context, ranges
from audit.actors import SubjectRef
from audit.canonical import dumps
from audit.checkpoints import Checkpoint, Verifier
from audit.forms import SearchForm
from audit.models import Entry, SavedQuery
from audit.queries import Query, TooSlow, reads, search, standing
from audit.record import ObjectRef, record, record_read
from audit.tree import included, leaf_hash
from audit.views import explorer
from compliance.keys.services import shred_subject
from tests.audit.test_pages import CASE, carol, newest, rows_of, staff, write  # noqa: F401 - fixtures
from tests.world import a_world

CUSTOMER = SubjectRef("customer", "5a3b1c2d-0000-4000-8000-000000000001")


class TestChips:
    def test_each_filter_is_a_chip_that_can_be_removed(self, carol, staff):  # noqa: F811
        write(staff.alice, 2)
        page = carol.get("/audit/", {"case": CASE, "actor": str(staff.alice.pk), "zone": "utc", "outcome": ""})
        chips = {chip["label"]: chip for chip in page.context["chips"]}
        assert {label: chip["value"] for label, chip in chips.items()} == {"Case number": CASE, "Actor": "Alice"}
        assert chips["Actor"]["remove_url"] == f"/audit/?case={CASE}&zone=utc"

    def test_a_click_on_a_value_adds_it_to_what_is_set(self, carol, staff):  # noqa: F811
        write(staff.alice, 1)
        text = carol.get("/audit/", {"case": CASE}).content.decode()
        assert f"/audit/?case={CASE}&amp;actor={staff.alice.pk}" in text
        assert f"/audit/?case={CASE}&amp;action=access.deny" in text

    def test_the_column_names_the_zone_and_utc_is_a_switch(self, carol, staff):  # noqa: F811
        staff.carol.time_zone = "Europe/Istanbul"
        staff.carol.save()
        write(staff.alice, 1)
        own = carol.get("/audit/", {"case": CASE})
        assert "Time, Istanbul" in own.content.decode() or "Time, İstanbul" in own.content.decode()
        assert "Time, UTC" in carol.get(own.context["utc_url"]).content.decode()

    @pytest.mark.parametrize(
        ("only", "found"), [("reads", {"audit.search"}), ("changes", {"access.deny", "people.sign_in"})]
    )
    def test_looking_and_changing_are_told_apart(self, carol, staff, only, found):  # noqa: F811
        write(staff.alice, 2)
        carol.get("/audit/", {"case": CASE})
        actors = [str(staff.alice.pk), str(staff.carol.pk)]
        assert {row.action for row in search(Query(only=only, actors=actors))} == found

    def test_every_look_is_among_the_reads(self):
        assert {"audit.read", "audit.search", "audit.view", "audit.export", "cases.view", "people.reveal"} <= set(
            reads()
        )
        assert not {"verification.approve", "evidence.accept"} & set(reads())

    def test_a_day_long_ago_is_found_by_its_place(self, carol, staff):  # noqa: F811
        write(staff.alice, 3)
        today = datetime.now(UTC).date()
        assert len(search(Query(matter=CASE, from_on=today, to_on=today))) == 3
        assert search(Query(matter=CASE, to_on=today - timedelta(days=1))) == []
        assert search(Query(matter=CASE, from_on=today + timedelta(days=1))) == []

    def test_what_takes_too_long_is_said_in_words(self, carol, staff, monkeypatch):  # noqa: F811
        def slow(*asked, **more):
            raise TooSlow

        monkeypatch.setattr("audit.queries.search", slow)
        page = carol.get("/audit/", {"object": "route"})
        assert page.status_code == 200
        assert "This takes too long" in page.content.decode()


class TestKeptQueries:
    def keep(self, client, **given):
        return client.post(
            "/audit/keep/", {"name": "Refusals of Alice", "query": "actor=Alice&outcome=refused", **given}
        )

    def test_it_is_kept_sealed_shown_and_run_again(self, carol, staff):  # noqa: F811
        alice = str(staff.alice.pk)
        assert self.keep(carol)["Location"] == f"/audit/?actor={alice}&outcome=refused"
        row = SavedQuery.objects.get()
        assert b"Alice" not in bytes(row.ciphertext)
        entry = newest("audit.save_query")
        assert "Alice" not in bytes(entry.entry).decode()
        page = carol.get("/audit/", {"actor": alice, "outcome": "refused"})
        (kept,) = page.context["saved"]
        assert (kept.name, kept.query) == ("Refusals of Alice", page.context["given"])
        assert f"?actor={alice}&amp;outcome=refused" in page.content.decode()

    def test_it_is_ones_own_unless_it_is_shared(self, client, db):
        here, other = a_world(), a_world()
        client.force_login(here.carol)
        asked = f"actor={here.alice.pk}"
        self.keep(client, query=asked)
        self.keep(client, query=asked, name="Shared", shared="on")
        client.force_login(other.carol)
        page = client.get("/audit/")
        assert [kept.name for kept in page.context["saved"]] == ["Shared"]
        shared = page.context["saved"][0]
        assert client.post(f"/audit/keep/{shared.id}/forget/").status_code == 403
        client.force_login(here.carol)
        assert client.post(f"/audit/keep/{shared.id}/forget/").status_code == 302
        assert SavedQuery.objects.count() == 1

    def test_what_is_kept_about_a_player_goes_with_the_players_key(self, client, db):
        here = a_world()
        client.force_login(here.carol)
        with context.use(context.new("test")):
            customer = here.account().customer
        self.keep(client, name="Kaya", query=f"customer={customer.pk}")
        row = SavedQuery.objects.get()
        assert (row.subject_kind, row.subject_id) == ("customer", str(customer.pk))
        assert newest("audit.save_query").subject_id == str(customer.pk)
        assert [kept.name for kept in client.get("/audit/").context["saved"]] == ["Kaya"]
        with context.use(context.new("test")):
            shred_subject(customer.audit_subject, by=here.carol, reason="erasure")
        assert client.get("/audit/").context["saved"] == []
        assert client.post(f"/audit/keep/{row.pk}/forget/").status_code == 302
        assert not SavedQuery.objects.exists()

    @pytest.mark.parametrize("asked", ["customer=Kaya", "actor=Nobody", "thing=Kaya", "case=Elif+Kaya", "object=kaya"])
    def test_words_are_neither_kept_nor_recorded(self, carol, asked):  # noqa: F811
        assert self.keep(carol, name="x", query=asked)["Location"].startswith("/audit/?")
        assert not SavedQuery.objects.exists()
        carol.get(f"/audit/?{asked}")
        query = SearchForm(QueryDict(asked), logs=["main"])
        assert query.is_valid()
        said = dumps(query.query().without_words())
        assert b"aya" not in said and b"obody" not in said
        assert b"typed:" in said

    def test_what_the_product_made_is_recorded_as_it_is(self):
        asked = {"matter": CASE, "actors": ["system", CUSTOMER.id], "action": "audit.", "object_kind": "case"}
        assert Query(**asked).without_words() == asked | {"log": "main"}

    @pytest.mark.parametrize("given", [{"name": ""}, {"query": ""}, {"query": "since=x"}, {"query": "log=aml&actor=x"}])
    def test_what_cannot_be_asked_again_is_not_kept(self, carol, given):  # noqa: F811
        assert self.keep(carol, **given).status_code == 302
        kept = [one for one in SavedQuery.objects.all() if one.log == "aml"]
        assert kept == []
        if "log" not in given.get("query", ""):
            assert not SavedQuery.objects.exists()


class TestWhoLooked:
    def test_readers_of_a_customer_are_counted_by_person_and_act(self, carol, staff):  # noqa: F811
        for purpose in ("review", "call"):
            record_read(by=staff.alice, subject=CUSTOMER, purpose=purpose, about=ObjectRef("customer", CUSTOMER.id))
        record_read(by=staff.bob, subject=CUSTOMER, purpose="review", about=ObjectRef("customer", CUSTOMER.id))
        record("access.deny", by=staff.bob, about=ObjectRef("route", "x"), subject=CUSTOMER)
        page = carol.get("/audit/readers/", {"customer": CUSTOMER.id})
        assert {(shown["name"], shown["row"].times) for shown in page.context["rows"]} == {("Alice", 2), ("Bob", 1)}
        assert newest("audit.search").actor_id == str(staff.carol.pk)

    def test_it_asks_whose_file_and_says_when_nobody_looked(self, carol, staff):  # noqa: F811
        assert "Say whose file" in carol.get("/audit/readers/").content.decode()
        page = carol.get("/audit/readers/", {"customer": "nobody"})
        assert "Nobody looked" in page.content.decode()

    def test_only_who_reads_the_log(self, client, staff):  # noqa: F811
        client.force_login(staff.bob)
        assert client.get("/audit/readers/").status_code == 403


class TestARangeNow:
    def test_it_agrees_and_is_an_entry(self, house, client):
        house.write(300)
        house.sequence()
        people = a_world()
        client.force_login(people.carol)
        page = client.post("/audit/check/", {"first": "10", "last": "290"})
        assert page.context["report"].findings == []
        assert "byte for byte" in page.content.decode()
        assert newest("audit.check_range").facts["data"] == {"first": 10, "last": 290, "findings": {}, "result": "ok"}

    def test_it_names_what_was_changed_removed_and_inserted(self, house, client):
        house.write(300)
        house.sequence()
        at = dict(house.sql("SELECT seq, entry_id FROM audit_leaf WHERE log = 'main'"))
        house.tamper(f"UPDATE audit_entry SET entry = {house.forged(at[20])} WHERE id = {at[20]};")
        house.tamper(f"UPDATE audit_entry SET actor_id = 'somebody' WHERE id = {at[30]};")
        house.tamper(f"DELETE FROM audit_entry WHERE id = {at[40]};")
        assert ranges.check("main", 50, 99).findings == []
        house.tamper("UPDATE audit_tile SET data = set_byte(data, 0, 255) WHERE level = 0 AND idx = 1;")
        found = ranges.check("main", 0, 299).findings
        assert {(20, "changed"), (30, "changed_column"), (40, "removed"), (256, "tile")} <= {
            (seq, kind) for kind, seq in found
        }

    def test_a_range_that_is_not_signed_is_refused_in_words(self, carol, staff):  # noqa: F811
        for given in ({"first": "5", "last": "2"}, {"first": "0", "last": "10"}, {"first": "-1", "last": "2"}, {}):
            assert carol.post("/audit/check/", given).status_code == 422
        assert carol.post("/audit/check/", {"first": "0", "last": "1", "log": "aml"}).status_code == 404


class TestProof:
    def test_it_proves_the_entry_that_comes_with_it(self, house, client):
        house.write(300, matter=CASE)
        house.sequence()
        client.force_login(a_world().carol)
        text = client.get("/audit/main/7/proof/").content.decode()
        entry = client.get("/audit/main/7/data/").content
        head, note = text.split("\n\n", 1)
        first, index, *hashes = head.split("\n")
        assert (first, index) == ("c2sp.org/tlog-proof@v1", "index 7")
        tree = Checkpoint.parse(Verifier.parse((house.keys / "main.vkey").read_text()).open(note))
        steps = [base64.b64decode(step) for step in hashes]
        assert included(leaf_hash(entry), 7, tree.size, steps, tree.root)
        assert not included(leaf_hash(entry + b" "), 7, tree.size, steps, tree.root)
        assert newest("audit.prove").facts["data"] == {"seq": 7, "size": 0}

    def test_nothing_is_proved_that_is_not_signed(self, carol, staff, client):  # noqa: F811
        assert carol.get("/audit/main/0/proof/").status_code == 404
        assert carol.get("/audit/aml/0/data/").status_code == 404


def test_changes_read_in_words(carol, staff):  # noqa: F811
    """Old and new with the names that ids stand for, and fields by their words; the query count does not grow."""
    changes = {"assignee_id": (None, str(staff.bob.pk)), "state": ("open", "in_review")}
    for _ in range(5):
        record("cases.assign", by=staff.alice, about=ObjectRef("case", "x"), matter=CASE, changes=changes)
    (shown, *_) = carol.get("/audit/", {"case": CASE}).context["rows"]
    assert ("responsible", "–", "Bob") in shown["changes"]
    assert explorer._act("audit.read") == "read {object} for {purpose}"
    assert re.match("Alice", shown["sentence"])
    assert Entry.objects.filter(matter=CASE).count() == 5
    assert standing("main").size == 0

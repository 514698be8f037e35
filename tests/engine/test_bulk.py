"""Acts on many cases: fixed when asked, previewed, run once, with the rights of whoever asked at that moment."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from audit.actors import system
from audit.models import Entry
from cases import services as engine
from cases.bulk import services as bulk
from cases.bulk.models import Batch, Row
from cases.models import Case, Note
from cases.queues import declare_conflict
from cases.relations import services as relations
from cases.relations.models import Watcher
from cases.tags import services as tags
from cases.types.verification import services as verification
from compliance.keys.services import Erased, KeyUnavailable
from compliance.people.models import Restriction
from compliance.people.services import leave
from compliance.proposals.models import Proposal
from compliance.proposals.services import SamePerson, confirm, propose
from tests.papers import bring

pytestmark = pytest.mark.django_db


@pytest.fixture
def cases(world):
    return [world.verification("L1") for _one in range(4)]


@pytest.fixture
def desk(client, world):
    client.force_login(world.alice)
    return client


def ask(client, act, cases, **data):
    return client.post(reverse("cases:bulk"), {"act": act, "case": [case.number for case in cases], **data})


def page_of(answer):
    assert answer.status_code == 302, answer.content
    return answer.url


def batch_of(address):
    return Batch.objects.get(pk=re.search(r"/bulk/([0-9a-f-]+)/", address)[1])


def results(batch):
    return list(batch.rows.order_by("position").values_list("result", flat=True))


def test_from_the_choice_to_what_came_of_it(world, desk, cases):
    closed = verification.withdraw(cases[3], by=world.alice)
    engine.assign(cases[2], to=world.bob, by=world.alice)
    address = page_of(ask(desk, "assign", cases))
    assert "Show what will happen" in desk.get(address).content.decode()
    assert desk.post(address, {}).status_code == 422  # to whom?
    page_of(desk.post(address, {"to": str(world.bob.pk)}))
    previewed = desk.get(address).content.decode()
    assert "Do it for 2 cases" in previewed
    assert "This case is finished." in previewed
    assert Case.objects.filter(assignee=world.bob).count() == 1  # nothing happened yet
    page_of(desk.post(f"{address}run/"))
    assert Case.objects.filter(assignee=world.bob).count() == 3
    batch = batch_of(address)
    assert sorted(results(batch)) == ["done", "done", "same", "wont"]
    assert Case.objects.get(pk=closed.pk).assignee_id is None
    file = desk.get(f"{address}result.csv").content.decode()
    assert closed.number in file
    assert "This case is finished." in file
    entries = Entry.objects.filter(action="cases.assign", actor_id=str(world.alice.pk))
    of_batch = [one for one in entries if (one.facts.get("data") or {}).get("batch") == str(batch.pk)]
    assert {one.matter for one in of_batch} == {cases[0].number, cases[1].number}


def test_twice_is_once_and_nobody_else_may_press_it(world, desk, cases):
    address = page_of(ask(desk, "note", cases))
    desk.post(address, {"text": "Asked the bank."})
    for _click in range(2):
        desk.post(f"{address}run/")
    assert Note.objects.count() == len(cases)
    batch = batch_of(address)
    assert batch.text_sealed is None  # the batch keeps no copy
    desk.force_login(world.bob)
    for verb in ("", "result.csv"):
        assert desk.get(address + verb).status_code == 404
    assert desk.post(f"{address}run/").status_code == 404


def test_what_changed_meanwhile_is_left_out_and_named(world, desk, cases):
    address = page_of(ask(desk, "assign", cases))
    desk.post(address, {"to": str(world.bob.pk)})
    engine.assign(cases[0], to=world.erin, by=world.erin)
    desk.post(f"{address}run/")
    assert Case.objects.get(pk=cases[0].pk).assignee_id == world.erin.pk
    row = Row.objects.get(case=cases[0])
    assert (row.result, row.words) == ("refused", "It changed since you looked at it.")
    again = desk.post(reverse("cases:bulk"), {"act": "assign", "case": [cases[0].number]})
    assert batch_of(page_of(again)).total == 1


def test_rights_are_asked_again_for_every_case_when_it_runs(world, desk, cases):
    address = page_of(ask(desk, "note", cases))
    desk.post(address, {"text": "x"})
    declare_conflict(world.alice, cases[1].customer, by=world.alice)
    batch = batch_of(address)
    bulk.start(batch, by=world.alice)
    assert sorted(results(batch)) == ["done", "done", "done", "refused"]
    assert cases[1].number not in desk.get(address).content.decode()
    other = bulk.ask("note", Case.objects.visible_to(world.bob), order=("id",), by=world.bob)
    bulk.preview(other, {"text": "y"})
    Batch.objects.filter(pk=other.pk).update(stage="queued")
    leave(world.bob, world.team, "officer", by=system())
    bulk.run(other)
    assert set(results(other)) == {"refused"}


def test_who_only_reads_changes_nothing_and_a_stranger_selects_nothing(world, desk, cases):
    desk.force_login(world.carol)
    address = page_of(ask(desk, "note", cases))
    desk.post(address, {"text": "x"})
    desk.post(f"{address}run/")
    assert set(results(batch_of(address))) == {"wont"}
    assert not Note.objects.exists()
    desk.force_login(world.mallory)
    assert page_of(ask(desk, "note", cases)).startswith("/cases/")


@pytest.mark.parametrize("act", ["reject", "verification.reject", "verification.lift", "protection.lift", "freeze", ""])
def test_what_needs_a_look_at_each_case_is_not_offered_in_bulk(act, world, desk, cases):
    answer = ask(desk, act, cases)
    assert answer.status_code == 422
    assert "each case needs its own look" in answer.content.decode()
    assert not Batch.objects.exists()
    assert not Proposal.objects.exists()


class TestHeavyActs:
    """Each case gets a proposal of its own; nothing else happens, but what protects at once."""

    @pytest.fixture
    def ready(self, world, cases):
        for case in cases[:3]:
            evidence = bring(case, "identity_front", "passport", by=world.alice)
            verification.review(case, by=world.alice)
            engine.accept(evidence, by=world.alice)
        return cases

    def asked(self, desk, act, cases, reason):
        address = page_of(ask(desk, act, cases))
        page_of(desk.post(address, {"reason": reason, "text": "Pasaportlar tamam"}))
        return address

    def test_approvals_are_proposed_one_by_one_on_the_evidence_of_the_preview(self, world, desk, ready):
        assert "verification.approve" in desk.get(reverse("cases:queue"), {"view": "all"}).content.decode()
        waiting = propose("verification.approve", ready[2], by=world.bob, reason="all_checks_met")
        address = self.asked(desk, "verification.approve", ready, "all_checks_met")
        previewed = desk.get(address).content.decode()
        assert "Propose it for 2 cases" in previewed and "waits for a second person" in previewed
        assert Proposal.objects.count() == 1  # nothing happened yet
        engine.revoke(ready[1].evidence.get(), by=world.bob, reason="seen_later")  # after the preview
        desk.post(f"{address}run/")
        desk.post(f"{address}run/")
        batch = batch_of(address)
        assert results(batch) == ["proposed", "refused", "wont", "wont"]
        assert "The evidence changed" in Row.objects.get(batch=batch, case=ready[1]).words
        (made,) = Proposal.objects.exclude(pk=waiting.pk)
        assert (made.subject_id, made.maker, made.state) == (ready[0].pk, world.alice, "parked")
        assert bytes(made.evidence_digest).hex() == Row.objects.get(batch=batch, case=ready[0]).seen
        assert Case.objects.open().count() == 4
        assert "Proposed, waits for a second person" in desk.get(address).content.decode()
        entry = Entry.objects.get(action="bulk.propose")
        assert (entry.matter, entry.facts["data"]["batch"]) == (ready[0].number, str(batch.pk))
        with pytest.raises(SamePerson):
            confirm(made, by=world.alice)

    def test_a_worker_that_died_after_proposing_finds_its_proposal(self, world, desk, ready):
        address = self.asked(desk, "verification.approve", ready[:1], "all_checks_met")
        desk.post(f"{address}run/")
        batch = batch_of(address)
        Row.objects.filter(batch=batch).update(result="will")
        Batch.objects.filter(pk=batch.pk).update(stage="running", alive_at=timezone.now() - 2 * bulk.STALE)
        bulk.run(batch)
        assert results(batch) == ["proposed"] and Proposal.objects.count() == 1

    def test_what_protects_does_not_wait(self, world, desk, ready):
        propose("verification.approve", ready[0], by=world.bob, reason="all_checks_met")
        address = self.asked(desk, "verification.close_underage", ready[:2], "register_shows_age")
        assert not Restriction.objects.filter(cover_code="account_closed").exists()
        desk.post(f"{address}run/")
        assert Restriction.objects.filter(cover_code="account_closed", lifted_at=None).count() == 2
        assert Proposal.objects.filter(act="verification.close_underage", state="parked").count() == 2
        assert Case.objects.open().count() == 4


def test_nothing_selected_says_so(world, desk, cases):
    answer = desk.post(reverse("cases:bulk"), {"act": "note", "list": "?view=all"}, follow=True)
    assert "Select at least one case." in answer.content.decode()


def test_all_that_match_are_those_of_the_list_and_no_more_than_allowed(world, desk, cases, monkeypatch):
    engine.assign(cases[0], to=world.bob, by=world.alice)
    given = {"act": "note", "scope": "all", "list": f"?view=all&by={world.bob.pk}"}
    assert batch_of(page_of(desk.post(reverse("cases:bulk"), given))).total == 1
    monkeypatch.setattr(bulk, "MOST", 3)
    answer = desk.post(reverse("cases:bulk"), {"act": "note", "scope": "all", "list": "?view=all"}, follow=True)
    assert "More than 3 cases match" in answer.content.decode()


def test_above_the_limit_a_worker_does_it_and_another_goes_on_where_it_died(world, desk, cases, monkeypatch):
    monkeypatch.setattr(bulk, "AT_ONCE", 2)
    address = page_of(ask(desk, "note", cases))
    desk.post(address, {"text": "x"})
    desk.post(f"{address}run/")
    batch = batch_of(address)
    assert (batch.stage, Note.objects.count()) == ("queued", 0)
    assert "Cancel the rest" in desk.get(address).content.decode()

    def die(*_given):
        raise KeyboardInterrupt

    done = bulk._one
    monkeypatch.setattr(bulk, "_one", lambda *given: die() if Note.objects.count() == 2 else done(*given))
    with pytest.raises(KeyboardInterrupt):
        bulk.sweep()
    monkeypatch.setattr(bulk, "_one", done)
    assert bulk.sweep() == 0  # somebody may still be at it
    Batch.objects.update(alive_at=timezone.now() - bulk.STALE * 2)
    assert bulk.sweep() == 1
    assert Note.objects.count() == len(cases)
    assert Batch.objects.get().stage == "done"
    assert "HX-Refresh" in desk.get(f"{address}progress/", headers={"HX-Request": "true"}).headers


def test_a_card_number_in_a_note_is_not_kept_between_the_preview_and_the_run(world, desk, cases):
    address = page_of(ask(desk, "note", cases))
    desk.post(address, {"text": "Paid with 4111 1111 1111 1111."})
    kept = bulk._text(batch_of(address))
    assert "1111 1111" not in kept and kept.startswith("Paid with")


def test_a_case_that_breaks_is_refused_in_words_and_stops_no_other(world, desk, cases, monkeypatch):
    broken = {cases[0].pk: Erased(), cases[1].pk: RuntimeError("secret")}
    note = engine.write_note

    def write(case, **given):
        if case.pk in broken:
            raise broken[case.pk]
        return note(case, **given)

    monkeypatch.setattr(engine, "write_note", write)
    address = page_of(ask(desk, "note", cases))
    desk.post(address, {"text": "x"})
    desk.post(f"{address}run/")
    assert sorted(results(batch_of(address))) == ["done", "done", "refused", "refused"]
    words = {row.case_id: row.words for row in Row.objects.filter(result="refused")}
    assert words == {cases[0].pk: "This player was erased.", cases[1].pk: "Something went wrong on our side"}


def test_what_is_away_refuses_no_case_and_a_batch_that_breaks_starves_no_other(world, desk, cases, monkeypatch):
    monkeypatch.setattr(bulk, "AT_ONCE", 0)
    for _one in range(2):
        address = page_of(ask(desk, "note", cases))
        desk.post(address, {"text": "x"})
        desk.post(f"{address}run/")
    first, second = Batch.objects.order_by("started_at")
    note = engine.write_note

    def away(case, *, batch="", **given):
        if batch == str(first.pk):
            raise KeyUnavailable("away")
        return note(case, batch=batch, **given)

    monkeypatch.setattr(engine, "write_note", away)
    assert bulk.sweep() == 1
    assert set(results(first)) == {"will"} and set(results(second)) == {"done"}
    monkeypatch.setattr(engine, "write_note", note)
    Batch.objects.filter(pk=first.pk).update(alive_at=timezone.now() - bulk.STALE * 2)
    assert bulk.sweep() == 1
    assert set(results(first)) == {"done"}


def test_cancelling_stops_before_the_next_case(world, desk, cases, monkeypatch):
    monkeypatch.setattr(bulk, "AT_ONCE", 0)
    address = page_of(ask(desk, "note", cases))
    desk.post(address, {"text": "x"})
    batch = bulk.start(batch_of(address), by=world.alice)
    done = bulk._one

    def once(*given):
        done(*given)
        bulk.cancel(batch, by=world.alice)

    monkeypatch.setattr(bulk, "_one", once)
    bulk.run(batch)
    assert sorted(results(batch)) == ["done", "left", "left", "left"]
    assert Batch.objects.get().stage == "cancelled"
    assert Entry.objects.filter(action="bulk.end").count() == 1


def test_every_light_act_runs(world, desk, cases):
    tag = tags.make(world.licensee, "Funds", by=world.bob)
    engine.assign(cases[0], to=world.alice, by=world.alice)
    typed = {
        "assign": {"to": str(world.bob.pk)},
        "release": {},
        "priority": {"level": "2", "because": ""},
        "snooze": {"returns": "3", "because": "technical"},
        "tag": {"tag": str(tag.pk)},
        "untag": {"tag": str(tag.pk)},
        "note": {"text": "x"},
    }
    for act, data in typed.items():
        address = page_of(ask(desk, act, cases[:1]))
        page_of(desk.post(address, data))
        desk.post(f"{address}run/")
        assert results(batch_of(address)) == ["done"], act


def test_a_preview_asks_the_same_number_of_questions_for_many_cases(world, cases):
    def queries(found):
        batch = bulk.ask("assign", Case.objects.filter(pk__in=found), order=("id",), by=world.alice)
        with CaptureQueriesContext(
            connection,
        ) as asked:
            bulk.preview(batch, {"to": world.bob})
        return len(asked)

    few = queries([cases[0].pk])
    assert queries([case.pk for case in cases]) <= few


def test_several_cases_are_followed_and_no_longer_followed_at_once(world, desk, cases):
    relations.watch(cases[0], by=world.alice)
    for act, first in (("watch", "You follow it already."), ("unwatch", "")):
        page = page_of(ask(desk, act, cases))
        page_of(desk.post(page, {"show": "1"}))
        batch = batch_of(page)
        assert [row.words for row in batch.rows.order_by("position")][0] == first
        page_of(desk.post(f"{page}run/"))
        assert relations.watchers_of(cases[2].pk).filter(pk=world.alice.pk).exists() == (act == "watch")
        assert relations.watchers_of(cases[0].pk).filter(pk=world.alice.pk).exists() == (act == "watch")
    assert not Watcher.objects.exists()
    entry = Entry.objects.filter(action="relations.unwatch", matter=cases[3].number).get()
    assert entry.facts["data"]["batch"] == str(batch.pk)

"""From a lead to an outcome: every act in the AML log, nothing in the main one."""

import uuid
from datetime import UTC, date, datetime, timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.http import Http404
from django.urls import reverse
from django.utils import timezone

from audit.actors import system
from audit.models import Entry
from audit.perform import ConditionsNotMet, Denied, WrongState
from cases.models import Case
from cases.types.monitoring import acts, basket, leads, merging, requests, routine, services, worklist
from cases.types.monitoring.hypotheses import HYPOTHESES
from cases.types.monitoring.models import Exhibit, Investigation, Lead, State
from compliance.people.conflicts.models import ConflictOfInterest
from compliance.people.services import join
from compliance.proposals.models import Proposal
from compliance.proposals.services import confirm, propose
from tests.monitoring.conftest import WORDS, an_investigation, suspicion

pytestmark = pytest.mark.django_db
WHY = "The salary slips cover the deposits of all three months."


def main_log():
    """Without the making of the installation's own key, at its first use."""
    return set(Entry.objects.filter(log="main").exclude(action="keys.create").values_list("pk", flat=True))


def at(found, verb=""):
    return (
        reverse("cases:aml-act", args=[found.number, verb])
        if verb
        else reverse("cases:aml-investigation", args=[found.number])
    )


class TestLeads:
    def test_a_suspicion_begins_one_and_the_next_of_the_player_joins_it(self, world, judy):
        account = world.account()
        before = main_log()
        first = suspicion(world, account.customer, noticed_on=date(2026, 2, 3))
        second = suspicion(world, account.customer, noticed_on=date(2026, 2, 1))
        found = services.look_into("suspicion", first.pk, by=judy)
        again = services.look_into("suspicion", first.pk, by=judy)
        joined = services.look_into("suspicion", second.pk, by=judy)
        assert found.pk == again.pk == joined.pk and found.leads.count() == 2
        # Istanbul's first moment of the earlier day.
        assert joined.suspicion_at == datetime(2026, 1, 31, 21, tzinfo=UTC) and joined.flagged_at is None
        assert found.number.startswith("AML-") and leads.waiting(judy) == []
        assert main_log() == before

    def test_one_that_names_nobody_needs_a_player_number(self, world, judy, client):
        report, account = suspicion(world), world.account()
        client.force_login(judy)
        place = reverse("cases:aml-lead", args=["suspicion", report.pk])
        assert WORDS.encode() in client.get(place).content
        assert client.post(place, {"reference": "P-nobody"}).status_code == 422
        assert client.post(place, {"reference": account.reference}).status_code == 302
        assert Investigation.objects.get().customer == account.customer

    def test_who_also_works_on_cases_can_stop_the_player_there(self, world, judy, client):
        report = suspicion(world, world.account().customer)
        place = reverse("cases:aml-lead", args=["suspicion", report.pk])
        button = f'href="{reverse("cases:stop-player", args=[report.customer_id])}"'
        client.force_login(judy)
        assert button not in client.get(place).content.decode()
        join(judy, world.team, "officer", by=system())
        assert button in client.get(place).content.decode()

    def test_the_analyst_sees_flags_and_not_the_inbox_of_suspicions(self, world, judy, ken, client):
        report = suspicion(world, world.account().customer)
        assert leads.waiting(ken) == [] and [one.source_id for one in leads.waiting(judy)] == [report.pk]
        client.force_login(ken)
        assert client.get(reverse("cases:aml-lead", args=["suspicion", report.pk])).status_code == 404

    def test_the_database_keeps_one_open_investigation_of_a_player(self, world, judy):
        found = an_investigation(world, judy)
        facts = {"customer": found.customer, "licensee": found.licensee, "opened_at": timezone.now(), "opened_by": "x"}
        with pytest.raises(IntegrityError), transaction.atomic():
            Investigation.objects.create(number="AML-26-999999-0", **facts)
        with pytest.raises(IntegrityError), transaction.atomic():
            Lead.objects.create(investigation=found, kind="suspicion", source_id=found.leads.get().source_id)


class TestWhoMay:
    def test_for_everybody_else_there_is_no_such_page_and_no_entry(self, world, judy, client):
        found = an_investigation(world, judy)
        lead = found.leads.get()
        frozen = uuid.uuid4()
        places = [
            reverse("cases:aml"),
            reverse("cases:aml-new"),
            reverse("cases:aml-delays"),
            reverse("cases:aml-lead", args=[lead.kind, lead.source_id]),
            at(found),
            reverse("cases:aml-end", args=[found.number]),
            reverse("cases:aml-lift", args=[found.number, frozen]),
            reverse("cases:aml-file", args=[found.number, frozen]),
            reverse("aml-proposals:list"),
        ]
        entries = set(Entry.objects.values_list("pk", flat=True))
        for user in (world.alice, world.bob, world.carol):
            client.force_login(user)
            assert {client.get(place).status_code for place in places} == {404}, user.name
            assert client.post(at(found, "freeze"), {"reason": "report_follows"}).status_code == 404
            with pytest.raises(Http404):
                worklist.get(found.number, user=user)
            assert not Investigation.objects.visible_to(user).exists()
        left = Entry.objects.exclude(pk__in=entries).exclude(action="people.sign_in")
        assert not left.exists(), list(left)
        for act in (services.take_up, requests.ask):
            with pytest.raises(Denied):
                act(found, by=world.bob)
        refused = Entry.objects.using("log").filter(outcome="refused", action__startswith="monitoring.")
        assert set(refused.values_list("log", flat=True)) == {"aml"}

    def test_delays_are_of_what_one_may_see(self, world, judy, ken, client):
        taken_up, waits = an_investigation(world, judy), an_investigation(world, judy)
        services.take_up(taken_up, by=ken)
        client.force_login(judy)

        def shown():
            page = client.get(reverse("cases:aml-delays"))
            (row,) = (each for each in page.context["rows"] if each[0].name == "opened_to_taken_up")
            return row[1].answered, row[1].waiting

        assert shown() == (1, 1)
        ConflictOfInterest.objects.create(user=judy, customer=waits.customer)
        assert shown() == (1, 0)
        looked = Entry.objects.filter(action="monitoring.list", object_id="delays")
        assert set(looked.values_list("log", "actor_id")) == {("aml", str(judy.pk))}
        refused = client.get(reverse("cases:aml-delays"), {"first": "2026-02-02", "last": "2026-02-01"})
        assert refused.status_code == 422

    def test_whoever_knows_the_player_finds_nothing(self, world, judy, ken):
        found = an_investigation(world, judy)
        ConflictOfInterest.objects.create(user=ken, customer=found.customer)
        assert not Investigation.objects.visible_to(ken).exists()
        with pytest.raises(Denied):
            services.take_up(found, by=ken)

    def test_an_analyst_decides_nothing(self, world, judy, ken):
        found = services.hand_over(services.take_up(an_investigation(world, judy), by=ken), by=ken)
        given = {"outcome": "explained", "words": WHY}
        proposal = propose(acts.END, found, by=judy, reason="source_shown", **given)
        with pytest.raises(Denied):
            confirm(proposal, by=ken)
        with pytest.raises(Denied):
            services.return_to_analyst(found, by=ken, note="more")


def test_it_is_worked_on_and_ends_with_reasons_by_two(world, judy, lara, ken, client):
    """The whole way through the pages."""
    found = an_investigation(world, judy)
    before = main_log()
    client.force_login(ken)
    assert client.post(at(found, "take-up")).status_code == 302
    page = client.post(at(found, "judge"), {"code": "lawful_income", "verdict": "ruled_out", "words": " "})
    assert page.status_code == 422 and b"Say what it rests on." in page.content
    client.post(at(found, "judge"), {"code": "lawful_income", "verdict": "likely", "words": "Salary slips"})
    client.post(at(found, "note"), {"text": "Bank called back, card 4111 1111 1111 1111"})
    lead = found.leads.get()
    client.post(at(found, "put-in"), {"what": f"suspicion/{lead.source_id}"})
    put = client.post(at(found, "put-file-in"), {"file": SimpleUploadedFile("answer.pdf", b"%PDF-1.7 answer")})
    assert put.status_code == 302, put.context["unmet"]
    client.post(at(found, "since"), {"since": "2026-01-15"})
    assert client.post(at(found, "since"), {"since": "2026-01-20"}).status_code == 422
    assert client.post(at(found, "hand-over")).status_code == 302
    shown = client.get(at(found)).content.decode()
    for words in (WORDS, "Salary slips", "•••• 1111", "answer.pdf", "Ken", "handed the investigation"):
        assert words in shown, words
    exhibit = Exhibit.objects.get(kind="file")
    taken = client.get(reverse("cases:aml-file", args=[found.number, exhibit.pk]))
    assert b"".join(taken.streaming_content) == b"%PDF-1.7 answer"
    assert "Salary" not in str(bytes(found.hypotheses.get(code="lawful_income").words_sealed))
    assert found.hypotheses.count() == len(HYPOTHESES)

    short = client.post(reverse("cases:aml-end", args=[found.number]), {"why": "explained/source_shown", "words": "ok"})
    assert short.status_code == 422
    given = {"why": "explained/source_shown", "words": WHY}
    assert client.post(reverse("cases:aml-end", args=[found.number]), given).status_code == 302
    proposal = Proposal.objects.get()
    assert client.post(reverse("aml-proposals:confirm", args=[proposal.pk])).status_code in (403, 404)
    client.force_login(lara)
    listed = client.get(reverse("cases:aml") + "?view=with_mlro").content.decode()
    assert found.number in listed
    assert client.post(reverse("aml-proposals:confirm", args=[proposal.pk])).status_code == 302
    done = Investigation.objects.get()
    assert (done.state, done.outcome, done.reason) == ("closed", "explained", "source_shown")
    assert services.words_of(done) == WHY and WHY not in str(bytes(done.words_sealed))
    assert set(Entry.objects.exclude(pk__in=before).filter(log="main").values_list("action", flat=True)) <= {
        "people.sign_in",
        "keys.create",
    }
    assert client.post(at(found, "reopen")).status_code == 302
    assert Investigation.objects.get().state == "triage"


def test_changed_evidence_voids_how_it_was_to_end(world, judy, lara, ken):
    found = services.hand_over(services.take_up(an_investigation(world, judy), by=ken), by=ken)
    proposal = propose(acts.END, found, by=ken, reason="source_shown", outcome="explained", words=WHY)
    services.write(found, "only a note", by=judy)
    basket.put_file_in(found, name="new.txt", data=b"new", by=judy)
    with pytest.raises(WrongState):
        confirm(proposal, by=lara)
    assert Proposal.objects.get().state == "voided"


class TestMerging:
    def test_the_earlier_moment_is_kept_and_all_comes_back(self, world, judy, ken):
        one = services.take_up(an_investigation(world, judy), by=ken)
        other = services.open_for(world.account().customer, by=judy, suspicion_at=timezone.now() - timedelta(days=400))
        target = merging.merge(other, into=one, by=judy)
        other.refresh_from_db()
        assert (other.state, target.suspicion_at) == ("merged", other.suspicion_at)
        assert set(services.players_of(target)) == {one.customer_id, other.customer_id}
        # What comes later about the merged player belongs to the target.
        later = services.look_into("suspicion", suspicion(world, other.customer).pk, by=judy)
        assert later.pk == target.pk
        with pytest.raises(WrongState):
            services.take_up(other, by=ken)
        back = merging.unmerge(other, by=judy)
        assert (back.state, back.merged_into) == (State.TRIAGE, None)

    def test_who_knows_a_player_does_not_see_what_that_one_was_merged_into(self, world, judy, ken):
        one, two, three = (an_investigation(world, judy) for _ in range(3))
        merging.merge(one, into=two, by=judy)
        merging.merge(two, into=three, by=judy)
        ConflictOfInterest.objects.create(user=ken, customer=one.customer)
        apart = an_investigation(world, judy)
        assert list(Investigation.objects.visible_to(ken)) == [apart]
        assert Investigation.objects.visible_to(judy).count() == 4

    def test_neither_into_itself_nor_into_a_closed_one_nor_round(self, world, judy):
        one, other = an_investigation(world, judy), an_investigation(world, judy)
        with pytest.raises(ConditionsNotMet):
            merging.merge(one, into=one, by=judy)
        merging.merge(one, into=other, by=judy)
        with pytest.raises(ConditionsNotMet):
            merging.merge(other, into=one, by=judy)


class TestBasket:
    def test_only_what_is_of_these_players_and_once(self, world, judy):
        found, stranger = an_investigation(world, judy), an_investigation(world, judy)
        lead = stranger.leads.get()
        for kind, source_id in (("suspicion", lead.source_id), ("document", uuid.uuid4()), ("moon", uuid.uuid4())):
            with pytest.raises(ConditionsNotMet):
                basket.put_in(found, kind, source_id, by=judy)
        own = found.leads.get().source_id
        first, again = (basket.put_in(found, "suspicion", own, by=judy) for _ in range(2))
        assert first.pk == again.pk and len(first.digest) == 64
        basket.take_out(first, by=judy)
        assert basket.contents(found) == [] and Exhibit.objects.count() == 1


def test_documents_are_asked_for_as_the_routine_asks(world, judy):
    found = an_investigation(world, judy)
    request = requests.ask(found, by=judy)
    assert requests.ask(found, by=judy).pk == request.pk
    case = Case.objects.get()
    drawn = routine_matter(world)
    assert case.opened_by == drawn.opened_by == "system:system"
    mine, theirs = (said_of(one) for one in (case, drawn))
    assert mine == theirs and mine
    assert not Entry.objects.filter(log="main", object_id=str(found.pk)).exists()


def routine_matter(world):
    return routine.ask(world.account().customer)


def said_of(case):
    """What the main log says of a matter, without what names it or the moment."""
    told = []
    for entry in Entry.objects.filter(log="main", matter=case.number).order_by("pk"):
        facts = entry.facts
        told.append((facts["action"], facts["actor"], facts["src"], sorted(facts.get("data", {})), sorted(facts)))
    return told


def test_it_is_found_by_number_player_and_name_in_its_own_search_only(world, judy, client):
    account = world.account()
    found = an_investigation(world, judy, account)
    for words in (found.number.lower(), account.reference, "ışıl"):
        assert [one.pk for one in worklist.found(words, judy)] == [found.pk], words
    assert not worklist.found("AML-26-000000-1", judy).exists()
    client.force_login(judy)
    elsewhere = client.get(reverse("cases:search"), {"q": found.number}).content.decode()
    assert reverse("cases:aml-investigation", args=[found.number]) not in elsewhere

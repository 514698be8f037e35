"""A file off the wrong player: sealed under the right key, gone from the wrong one, with a trace on both sides."""

import pytest
from django.urls import reverse

from audit.actors import Actor
from audit.models import Entry
from audit.perform import ConditionsNotMet, Denied
from cases import services as engine
from cases import timeline
from cases.misfiled import services as misfiled
from cases.models import Evidence
from cases.restricting import restrict
from cases.types.verification import rules
from cases.types.verification import services as verification
from compliance.keys.services import NotOpened, Shredded
from compliance.people.models import RiskFact
from compliance.proposals.models import Proposal
from compliance.proposals.services import propose
from documents.inspection import inspect_now
from documents.models import Document
from documents.services import NotReady, name_of, open_document, rendition
from documents.storage import Missing, storage
from tests.papers import bring

pytestmark = pytest.mark.django_db


@pytest.fixture
def wrong(world):
    return world.verification("L1", full_name="Ali Veli")


@pytest.fixture
def right(world):
    return world.verification("L1", full_name="Ayşe Fatma")


@pytest.fixture
def evidence(world, wrong):
    return Evidence.objects.get(pk=bring(wrong, "identity_front", "passport", by=world.alice).pk)


def move(evidence, to, by, purpose="identity_front", paper="passport"):
    return misfiled.move(evidence, to, by=by, purpose=purpose, document_type=paper)


def contents(document, by):
    return b"".join(open_document(document, by=by, purpose="test"))


def test_it_is_the_same_file_under_the_other_players_key(world, evidence, wrong, right):
    before, name = contents(evidence.document, world.alice), name_of(evidence.document)
    old_wrapping = bytes(evidence.document.dek_wrapped)
    moved = move(evidence, right, world.alice).document
    assert (moved.customer, moved.state) == (right.customer, "received")
    assert bytes(moved.dek_wrapped) != old_wrapping and name_of(moved) == name
    inspect_now(moved.pk)
    moved.refresh_from_db()
    assert contents(moved, world.alice) == before
    moved.customer_id = wrong.customer_id
    with pytest.raises((NotOpened, Shredded, NotReady)):
        contents(moved, world.alice)


def test_with_the_wrong_player_nothing_of_it_can_be_seen(
    world, evidence, wrong, right, client, django_capture_on_commit_callbacks
):
    old = evidence.document
    with django_capture_on_commit_callbacks(execute=True):
        move(evidence, right, world.alice)
    old.refresh_from_db()
    assert (old.state, old.reason, old.dek_wrapped, old.name_sealed) == ("destroyed", "misfiled", None, None)
    with pytest.raises(Missing):
        storage().open(old.pk)
    with pytest.raises(NotReady):
        rendition(old, by=world.alice, purpose="test")
    client.force_login(world.alice)
    assert client.get(reverse("cases:image", args=[wrong.number, evidence.pk, 1]), follow=True).status_code == 404
    assert rules.missing_evidence(wrong)[0] == "identity_front"
    assert right.evidence.get().purpose == "identity_front"


def test_both_cases_say_what_happened_and_nobody_takes_it_for_a_shared_paper(world, evidence, wrong, right):
    move(evidence, right, world.alice)
    out = Entry.objects.get(action="evidence.move_away", matter=wrong.number)
    into = Entry.objects.get(action="evidence.move_in", matter=right.number)
    assert (out.facts["data"]["other"], into.facts["data"]["other"]) == (right.number, wrong.number)
    assert out.actor_id == into.actor_id == str(world.alice.pk)
    for case, other in [(wrong, right), (right, wrong)]:
        assert [item for item in timeline.of(case) if other.number in item.title]
    assert not RiskFact.objects.filter(code="same_file").exists()


@pytest.mark.parametrize("left_the_house", ["api", "told", "no"])
def test_whether_somebody_outside_saw_it_is_said(world, evidence, wrong, right, left_the_house, client):
    if left_the_house == "api":
        key = type("Key", (), {"is_active": True, "human_id": None, "audit_actor": Actor("key", "k1")})()
        contents(evidence.document, key)
    if left_the_house == "told":
        evidence = engine.ask_again(evidence, by=world.alice, reasons=["image_glare"])
        verification.review(wrong, by=world.alice)
        verification.ask(wrong, by=world.alice)
    client.force_login(world.alice)
    page = client.get(reverse("cases:move-file", args=[wrong.number, evidence.pk])).content.decode()
    assert ("This is an incident." in page) is (left_the_house != "no")
    move(evidence, right, world.alice)
    note = engine.note_text(wrong.notes.latest("written_at"))
    assert note.startswith("Incident:") is (left_the_house != "no") and right.number in note
    facts = Entry.objects.filter(action="evidence.move_away").latest("id").facts["data"]
    assert (facts["outside"], facts["told_wrongly"]) == (int(left_the_house == "api"), left_the_house == "told")


def test_what_was_proposed_on_it_is_void(world, wrong, right):
    for purpose in ("identity_front", "identity_back"):
        engine.accept(bring(wrong, purpose, "national_id", by=world.alice), by=world.alice)
    wrong = verification.review(wrong, by=world.alice)
    proposal = propose("verification.approve", wrong, by=world.alice, reason="all_checks_met")
    move(wrong.evidence.get(purpose="identity_front"), right, world.alice, paper="national_id")
    assert Proposal.objects.get(pk=proposal.pk).state == "voided"


def test_a_finished_case_gives_it_up_too_and_says_that_its_outcome_may_rest_on_it(world, evidence, wrong, right):
    verification.withdraw(wrong, by=world.alice)
    evidence.refresh_from_db()
    move(evidence, right, world.alice)
    assert "outcome rests on it" in engine.note_text(wrong.notes.latest("written_at"))


def test_a_finished_case_of_the_right_player_gets_it_kept_and_not_offered(world, evidence, right):
    verification.withdraw(right, by=world.alice)
    done = move(evidence, right, world.alice)
    assert done.document.customer == right.customer and "finished" in done.why_not
    assert not right.evidence.exists()


def test_what_the_right_player_had_handed_in_already_is_there_once(world, evidence, right):
    data = contents(evidence.document, world.alice)
    bring(right, "identity_front", "passport", by=world.alice, data=data)
    assert "already" in move(evidence, right, world.alice).why_not
    assert Document.objects.filter(customer=right.customer).exclude(state="destroyed").count() == 1


def test_who_may_not_work_on_both_moves_nothing(world, client, evidence, wrong, right):
    for user in (world.carol, world.mallory):
        with pytest.raises(Denied):
            move(evidence, right, user)
    client.force_login(world.carol)
    assert client.post(reverse("cases:move-file", args=[wrong.number, evidence.pk])).status_code == 403
    client.force_login(world.mallory)
    assert client.post(reverse("cases:move-file", args=[wrong.number, evidence.pk])).status_code == 404
    evidence.document.refresh_from_db()
    assert evidence.document.state == "ready"


@pytest.mark.parametrize("hidden", ["right", "wrong"])
def test_of_a_restricted_case_the_other_says_no_number(world, evidence, wrong, right, hidden):
    shut, shown = (right, wrong) if hidden == "right" else (wrong, right)
    shut = restrict(shut, to=[world.alice], by=world.bob, because="sensitive")
    move(Evidence.objects.get(pk=evidence.pk), type(right).objects.get(pk=right.pk), world.alice)
    assert not [one for one in Entry.objects.filter(matter=shown.number) if shut.number in str(one.facts)]
    assert not [item for item in timeline.of(shown) if shut.number in item.title + item.said]
    assert not [note for note in shown.notes.all() if shut.number in engine.note_text(note)]
    assert Entry.objects.filter(matter=shown.number, action__startswith="evidence.move_").count() == 1


def test_cases_that_the_mover_does_not_see_give_it_up_too(world, evidence, wrong, right):
    wrong = verification.withdraw(wrong, by=world.alice)
    other = verification.open(wrong.account, level="L1", by=world.alice)
    second = engine.attach(other, evidence.document, purpose="identity_front", document_type="passport", by=world.alice)
    restrict(other, to=[world.erin], by=world.bob, because="sensitive")
    move(Evidence.objects.get(pk=evidence.pk), right, world.alice)
    second = Evidence.objects.get(pk=second.pk)
    assert second.state == "superseded"
    assert Entry.objects.get(action="evidence.move_away", matter=other.number).actor_kind == "system"


def test_within_one_player_nothing_is_moved(world, evidence, wrong):
    with pytest.raises(ConditionsNotMet, match="same player"):
        move(evidence, wrong, world.alice)


def test_a_failure_half_way_changes_nothing(world, evidence, right, monkeypatch):
    def fails(*args, **options):
        raise RuntimeError

    monkeypatch.setattr(misfiled, "write_note", fails)
    with pytest.raises(RuntimeError):
        move(evidence, right, world.alice)
    evidence.document.refresh_from_db()
    assert evidence.document.state == "ready" and contents(evidence.document, world.alice)
    assert Document.objects.filter(customer=right.customer).count() == 0


def test_the_page_asks_for_the_right_case_and_a_look(world, client, evidence, wrong, right):
    client.force_login(world.alice)
    review = client.get(reverse("cases:review", args=[wrong.number, evidence.pk])).content.decode()
    address = reverse("cases:move-file", args=[wrong.number, evidence.pk])
    assert address in review
    sent = {"number": right.number, "shows": "identity_front:passport"}
    assert client.post(address, sent).status_code == 422  # nobody looked
    assert client.post(address, sent | {"number": "KYC-26-999999-9", "sure": "on"}).status_code == 422
    assert client.post(address, sent | {"sure": "on"}).status_code == 302
    assert right.evidence.exists()

"""What a player declared is corrected by two persons with a paper; it may stop somebody and lets nobody go."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from audit import context
from audit.actors import system
from audit.models import Entry
from audit.perform import perform
from cases import comparison, restricting
from cases.types.verification import services
from cases.types.verification.checks import adapters
from cases.types.verification.checks import services as checks
from cases.types.verification.checks.models import Check
from cases.types.verification.risk.models import Assessment
from compliance.formats import day
from compliance.people.exclusions.models import Duplicate, Suppressed
from compliance.people.models import Customer, Person, Restriction
from compliance.people.restrictions import in_force
from compliance.people.sameness.models import Link
from compliance.people.services import create_user, join
from compliance.proposals.models import Proposal
from compliance.proposals.services import propose
from documents import by_eye
from tests.audit.test_record import sealed_part
from tests.gaming.kept_out import a_player, excluded, stopped
from tests.papers import bring
from tests.verification.conftest import completed
from tests.world import PASSWORD

pytestmark = pytest.mark.django_db
BORN, RIGHT = date(1991, 3, 12), date(1991, 12, 3)


@pytest.fixture
def case(world):
    return a_case(world, birth_date=BORN)


def a_case(world, **facts):
    case = world.verification("L1", **facts)
    bring(case, "identity_front", "national_id", by=world.alice, inspected=False)
    return case


@pytest.fixture
def desk(client, world):
    return Desk(client, world)


class Desk:
    """Alice proposes on the page of a case, and Bob confirms."""

    def __init__(self, client, world):
        self.client, self.world = client, world

    def page(self, case, user=None):
        self.client.force_login(user or self.world.alice)
        return self.client.get(reverse("cases:rectify", args=[case.number]))

    def propose(self, case, **changed):
        self.client.force_login(self.world.alice)
        customer = Customer.objects.get(pk=case.customer_id)
        paper = case.evidence.first()
        given = {
            "full_name": customer.full_name,
            "birth_date": customer.birth_date.isoformat() if customer.birth_date else "",
            "nationality": customer.nationality,
            "evidence": str(paper.pk) if paper else "",
            "reason": "typed_wrongly",
            "note": "Day and month were changed about.",
        }
        return self.client.post(reverse("cases:rectify", args=[case.number]), given | changed)

    def confirm(self, user=None):
        self.client.force_login(user or self.world.bob)
        return self.client.post(f"/approvals/{Proposal.objects.parked().get(act='people.correct').pk}/confirm/")

    def correct(self, case, **changed):
        assert self.propose(case, **changed).status_code == 302
        answer = self.confirm()
        assert answer.status_code == 302, answer.content
        return Customer.objects.get(pk=case.customer_id)


def standing(case):
    return set(in_force(Customer.objects.get(pk=case.customer_id)).values_list("pk", flat=True))


# ------------------------------------------------------------------------------------------------------- two persons
def test_one_proposes_with_a_paper_and_another_confirms_what_stands_side_by_side(desk, case, world):
    assert desk.propose(case, full_name="Işıl Yıldız", birth_date=RIGHT.isoformat()).status_code == 302
    assert Customer.objects.get(pk=case.customer_id).birth_date == BORN, "nothing changes by asking"
    assert desk.confirm(world.alice).status_code in (403, 404), "not by who proposed it"
    said = desk.page(case, world.bob).content.decode()
    for each in ("Işıl Yıldırım", "Işıl Yıldız", day(BORN), day(RIGHT), "Day and month were changed about."):
        assert each in said
    waits = desk.client.get(f"/approvals/{Proposal.objects.get().pk}/").content.decode()
    assert day(BORN) in waits and day(RIGHT) in waits
    assert desk.confirm().status_code == 302
    now = Customer.objects.get(pk=case.customer_id)
    assert (now.full_name, now.birth_date, now.name_fold) == ("Işıl Yıldız", RIGHT, "isil yildiz")
    after = desk.page(case).content.decode()
    assert after.index("What stands there now") < after.index(day(RIGHT)) < after.index("What should stand there")
    record = desk.client.get(reverse("cases:record", args=[case.number])).content.decode()
    decided = record.partition("<h2>Decisions</h2>")[2].partition("<h2>Files</h2>")[0]
    for each in ("Correct what the player declared", "Alice", "Bob", "Name", "Date of birth", "It was typed wrongly"):
        assert each in decided
    assert "Yıldız" not in decided, "the values are in the log, sealed"
    assert "No stop was lifted by it." in after and "Nothing was allowed" not in after, "caps may be looser now"


def test_old_and_new_stand_sealed_in_the_entry_and_in_no_other_place(desk, case):
    desk.correct(case, full_name="Işıl Yıldız", birth_date=RIGHT.isoformat())
    entry = Entry.objects.get(action="people.correct")
    opened, _sealed = sealed_part(entry)
    assert opened["diff"] == {
        "birth_date": [BORN.isoformat(), RIGHT.isoformat()],
        "full_name": ["Işıl Yıldırım", "Işıl Yıldız"],
    }
    assert (entry.matter, entry.facts["reason"]["code"]) == (case.number, "typed_wrongly")
    for text in ("1991-12-03", "1991-03-12", "Yıldız"):
        assert not [row.action for row in Entry.objects.filter(matter=case.number) if text in str(row.facts)]
        assert text not in str(Proposal.objects.values_list("inputs", "seen").get())


def test_whoever_may_not_work_on_the_case_neither_proposes_nor_looks(desk, case, world):
    assert desk.page(case, world.mallory).status_code == 404
    assert desk.page(case, world.carol).status_code == 403
    assert desk.propose(case, birth_date=RIGHT.isoformat()).status_code == 302
    for nobody in (world.carol, world.mallory):
        assert desk.confirm(nobody).status_code in (403, 404)
    assert Customer.objects.get(pk=case.customer_id).birth_date == BORN


def test_what_waits_in_a_restricted_case_is_told_and_confirmed_by_nobody_outside_it(desk, case, world):
    type(case)._base_manager.filter(pk=case.pk).update(closed_at=timezone.now(), outcome="withdrawn")
    other = services.open(case.account, level="L1", by=world.alice)
    bring(other, "identity_front", "national_id", by=world.alice, inspected=False)
    hidden = restricting.restrict(other, to=[world.alice], by=world.erin, because="sensitive")
    assert desk.propose(hidden, full_name="Can Er").status_code == 302
    waits = Proposal.objects.parked().get()
    assert desk.page(hidden, world.bob).status_code == 404
    seen = desk.page(case, world.bob).content.decode()
    assert "Can Er" not in seen and "changed about" not in seen and "waits for a second person" not in seen
    assert str(waits.pk) not in desk.client.get("/approvals/").content.decode()
    assert desk.client.get(f"/approvals/{waits.pk}/").status_code == 404
    assert desk.confirm(world.bob).status_code == 404
    assert desk.page(hidden, world.erin).status_code == 200
    assert str(waits.pk) in desk.client.get("/approvals/").content.decode()
    assert desk.confirm(world.erin).status_code == 302
    assert Customer.objects.get(pk=case.customer_id).full_name == "Can Er"
    assert "No stop was lifted by it." in desk.page(hidden, world.erin).content.decode()
    assert "Corrected before" not in desk.page(case, world.bob).content.decode()


def test_two_corrections_of_one_player_do_not_both_count(desk, case, world):
    assert desk.propose(case, full_name="Can Er").status_code == 302
    second = bring(case, "identity_back", "national_id", by=world.alice, inspected=False)
    again = desk.propose(case, full_name="Can Ersoy", evidence=str(second.pk))
    assert again.status_code == 422 and "This was already proposed" in again.content.decode()
    desk.confirm()
    assert Customer.objects.get(pk=case.customer_id).full_name == "Can Er"


def test_what_was_proposed_in_another_case_is_void_once_the_data_are_others(desk, case, world):
    assert desk.propose(case, full_name="Can Ersoy").status_code == 302
    overtaken = Proposal.objects.get()
    type(case)._base_manager.filter(pk=case.pk).update(closed_at=timezone.now(), outcome="withdrawn")
    other = services.open(case.account, level="L1", by=world.alice)
    bring(other, "identity_front", "national_id", by=world.alice, inspected=False)
    assert desk.propose(other, full_name="Can Er").status_code == 302
    last = Proposal.objects.parked().exclude(pk=overtaken.pk).get()
    desk.client.force_login(world.bob)
    assert desk.client.post(f"/approvals/{last.pk}/confirm/").status_code == 302
    overtaken.refresh_from_db()
    assert overtaken.state == "voided"


def test_the_note_is_shown_to_who_decides_and_to_who_wrote_it(desk, case, world):
    with context.use(context.new("test")):
        rita = create_user(email="rita@example.com", name="Rita", password=PASSWORD, by=system())
        join(rita, world.team, "agent", by=system())
    assert desk.propose(case, full_name="Can Er").status_code == 302
    shown = {user.name: "changed about" in desk.page(case, user).content.decode() for user in (world.alice, world.bob)}
    assert shown == {"Alice": True, "Bob": True}
    others = desk.page(case, rita)
    assert others.status_code == 200 and "changed about" not in others.content.decode()


def test_the_person_is_locked_before_the_player_as_an_exclusion_locks_them(desk, case):
    assert desk.propose(case, full_name="Can Er").status_code == 302
    with CaptureQueriesContext(connection) as asked:
        assert desk.confirm().status_code == 302
    locks = [one["sql"] for one in asked if "FOR UPDATE" in one["sql"]]
    tables = [sql.partition(" FROM ")[2].split()[0].strip('"') for sql in locks]
    assert tables.index(Person._meta.db_table) < tables.index(Customer._meta.db_table)


# ---------------------------------------------------------------------------------------------------------- refusals
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({}, "This is what stands there already."),
        ({"birth_date": "2999-01-01"}, "This day is in the future."),
        ({"birth_date": "1850-01-01"}, "more than 120 years ago"),
        ({"nationality": "ZZ"}, "Enter the two letters of a country"),
        ({"full_name": "Işıl\u202e"}, "Remove the invisible characters"),
        ({"full_name": "Can Er", "evidence": ""}, "Choose a file of this case that shows it."),
        ({"full_name": "Can Er", "note": ""}, "Say how you know it."),
    ],
)
def test_what_cannot_be_is_refused_in_words(desk, case, wrong, said):
    answer = desk.propose(case, **wrong)
    assert answer.status_code == 422 and said in answer.content.decode()
    assert not Proposal.objects.exists()


def test_in_a_case_that_was_closed_meanwhile_nothing_is_corrected(desk, case):
    assert desk.propose(case, birth_date=RIGHT.isoformat()).status_code == 302
    type(case)._base_manager.filter(pk=case.pk).update(closed_at=timezone.now(), outcome="withdrawn")
    answer = desk.confirm()
    assert answer.status_code == 422 and "This case is closed." in answer.content.decode()
    assert Customer.objects.get(pk=case.customer_id).birth_date == BORN


def test_whoever_was_erased_is_not_corrected(desk, case):
    assert desk.propose(case, birth_date=RIGHT.isoformat()).status_code == 302
    Customer.objects.filter(pk=case.customer_id).update(erased_at=timezone.now())
    answer = desk.confirm()
    assert answer.status_code == 422 and "The player was erased" in answer.content.decode()


def test_a_name_is_corrected_where_the_rest_is_unknown_and_what_stands_is_not_emptied(desk, world):
    case = a_case(world)
    Customer.objects.filter(pk=case.customer_id).update(birth_date=None, nationality="")
    now = desk.correct(case, full_name="Can Er")
    assert (now.full_name, now.birth_date, now.nationality) == ("Can Er", None, "")
    assert desk.correct(case, birth_date=RIGHT.isoformat()).birth_date == RIGHT
    assert desk.propose(case, full_name="Can Ersoy", birth_date="").status_code == 422
    assert not Proposal.objects.parked().exists()


def test_a_number_stays_one_of_its_country_and_one_player_s(desk, world):
    case = a_case(world, nationality="BG", national_id="AB1234567")
    world.account(nationality="RO", national_id="AB1234567")
    taken = desk.propose(case, nationality="RO").content.decode()
    assert "A player with this number is registered here already." in taken
    assert "This is not a Turkish identity number" in desk.propose(case, nationality="TR").content.decode()


# ------------------------------------------------------------------------------------------------ what hangs on it
def test_under_age_by_the_right_date_is_stopped_and_grown_up_again_is_not_let_go(desk, case, world):
    child = world.licensee.today() - timedelta(days=17 * 365)
    desk.correct(case, birth_date=child.isoformat())
    assert stopped(case.account) == set(Restriction.EFFECTS)
    assert Entry.objects.get(action="people.correct").facts["data"]["followed"] == ["under_age"]
    assert "Under age by the right date" in desk.page(case).content.decode()
    before = standing(case)
    desk.correct(case, birth_date=BORN.isoformat())
    assert standing(case) == before and stopped(case.account) == set(Restriction.EFFECTS)


def test_whoever_turns_out_like_somebody_kept_out_is_stopped(desk, case, world):
    out = a_player(world, "Can Er")
    excluded(out)
    desk.correct(case, full_name="Er Can", birth_date=out.customer.birth_date.isoformat())
    found = Duplicate.objects.get(customer=case.customer_id)
    assert found.person_id == out.customer.person_id and found.restriction.stops_play
    assert Entry.objects.get(action="people.correct").facts["data"]["followed"] == ["duplicate"]
    desk.correct(case, full_name="Işıl Yıldırım", birth_date=BORN.isoformat())
    assert found.restriction_id in standing(case), "nor is it let go by another name"


def test_whoever_is_kept_out_stays_out_is_known_by_both_names_and_finds_who_is_like_them(desk, case, world):
    other = a_player(world, "Can Er")
    excluded(case.account)
    before = stopped(case.account)
    desk.correct(case, full_name="Can Er", birth_date=other.customer.birth_date.isoformat())
    assert stopped(case.account) == before and "play" in before
    assert Suppressed.objects.filter(person_id=case.customer.person_id, what="name_birth").count() == 2
    assert Duplicate.objects.get(customer=other.customer).restriction.stops_play
    assert Entry.objects.get(action="people.correct").facts["data"]["followed"] == ["others"]
    assert "Somebody like this player is stopped too." in desk.page(case).content.decode()


def test_likely_duplicates_are_found_in_the_same_breath(desk, case, world):
    other = a_player(world, "Can Er")
    desk.correct(case, full_name="CAN ER", birth_date=other.customer.birth_date.isoformat())
    assert Link.objects.get().agrees_in == ["name_birth"]
    assert not Duplicate.objects.exists(), "nobody is kept out here, so nobody is stopped"


def test_the_risk_follows_the_nationality(desk, case):
    assert desk.correct(case, nationality="RU").risk == "high"
    assert Assessment.objects.get(customer=case.customer_id).because == "corrected"


def test_what_confirmed_the_former_data_confirms_nothing_any_more(desk, world):
    case = completed(world.verification("L1", birth_date=BORN), by=world.alice)
    kind, now = "population_register", timezone.now()
    check = Check.objects.create(case_id=case.pk, kind=kind, asked_at=now, asked_by="system:system")
    perform(check.answer, by=system(), result="match", codes=[], said_at=now)
    waits = propose("verification.approve", case, by=world.alice, reason="all_checks_met")
    desk.correct(case, birth_date=RIGHT.isoformat())
    check.refresh_from_db()
    waits.refresh_from_db()
    assert (check.result, waits.state) == ("unclear", "voided")


def test_a_finished_case_carries_no_confirmation_of_the_former_data_into_its_reopening(desk, case, world):
    now = timezone.now()
    check = Check.objects.create(case_id=case.pk, kind="population_register", asked_at=now, asked_by="system:system")
    perform(check.answer, by=system(), result="match", codes=[], said_at=now)
    type(case)._base_manager.filter(pk=case.pk).update(closed_at=now, outcome="approved")
    other = services.open(case.account, level="L2", by=world.alice)
    bring(other, "identity_front", "national_id", by=world.alice, inspected=False)
    desk.correct(other, birth_date=RIGHT.isoformat())
    check.refresh_from_db()
    assert (check.result, type(case)._base_manager.get(pk=case.pk).outcome) == ("unclear", "approved")
    assert Entry.objects.get(action="people.correct").facts["data"]["followed"] == [], "nothing to order again"


def test_what_is_still_to_be_said_of_the_former_data_does_not_count_either(desk, world):
    case = completed(world.verification("L1", birth_date=BORN), by=world.alice)
    kind, now = "population_register", timezone.now()
    check = Check.objects.create(case_id=case.pk, kind=kind, asked_at=now, asked_by="system:system")
    desk.correct(case, birth_date=RIGHT.isoformat())
    late = adapters.Answer(result="match", codes=(), said_at=timezone.now() + timedelta(minutes=1))
    assert not checks.answered(check, late)
    check.refresh_from_db()
    assert (check.state, check.result) == ("answered", "unclear")


def test_the_comparison_with_a_paper_goes_by_the_right_data(desk, case):
    paper = case.evidence.get()
    said = {"birth_date": RIGHT.isoformat()}
    by_eye.keep(paper.document, said, by=desk.world.alice, matter=case.number)
    paper = case.evidence.get()
    desk.propose(case, birth_date=RIGHT.isoformat())
    assert comparison.of(case.customer, paper.document)["birth_date"].words == "Differs"
    assert desk.page(case, desk.world.bob).content.decode().count(day(RIGHT)) == 2
    desk.confirm()
    customer = Customer.objects.get(pk=case.customer_id)
    assert comparison.of(customer, paper.document)["birth_date"].words == "Same"

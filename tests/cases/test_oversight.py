"""What auditors ask for: a file as of any moment against snapshots, populations, delays, as pages and files."""

import csv
import io
import random
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from audit.models import Entry
from audit.perform import ConditionsNotMet, Denied, WrongState
from cases import services as engine
from cases.models import Case, Evidence
from cases.oversight import delays
from cases.oversight.asof import file_of
from cases.oversight.population import Asked, population
from cases.types.verification import services as verification
from compliance.people.models import Customer, Restriction
from compliance.people.services import reach_level, restrict
from compliance.proposals.services import confirm, propose
from tests.papers import bring
from tests.whole import times

pytestmark = pytest.mark.django_db
TODAY = datetime.now(UTC).date()
LONG_AGO, TOMORROW = TODAY - timedelta(days=400), TODAY + timedelta(days=1)
ENDS = [("approve", "all_checks_met"), ("reject", "not_eligible"), ("reopen", "new_facts")]


def snapshot(customer):
    """What the rows say now, in the form of what `file_of` says of a moment."""
    customer = Customer.objects.get(pk=customer.pk)
    now = timezone.now()
    held = [
        (row.cover_code, tuple(effect for effect in Restriction.EFFECTS if getattr(row, f"stops_{effect}")))
        for row in Restriction.objects.filter(customer=customer, lifted_at=None).order_by("starts_at", "pk")
        if row.until is None or row.until > now
    ]
    cases = Case.objects.filter(customer=customer).order_by("opened_at")
    evidence = Evidence.objects.filter(case__customer=customer).order_by("created_at")
    return {
        "level": customer.level,
        "risk": customer.risk,
        "cases": [(case.number, case.state, case.outcome, case.reason, case.closed_at is not None) for case in cases],
        "evidence": [(row.purpose, row.document_type, row.state) for row in evidence],
        "restrictions": held,
    }


def then(customer, moment, user):
    found = file_of(customer, moment, user=user)
    return {
        "level": found.level,
        "risk": found.risk,
        "cases": [(case.number, case.state, case.outcome, case.reason, case.closed) for case in found.cases],
        "evidence": [(row.purpose, row.document_type, row.state) for row in found.evidence],
        "restrictions": [(row.cover_code, row.stops) for row in found.restrictions],
    }


class History:
    """Random acts of a player's life; what is not possible at the moment is not done."""

    def __init__(self, world, seed):
        self.world, self.chance = world, random.Random(seed)
        self.account = world.account()
        self.case = verification.open(self.account, level="L1", by=world.alice)

    def step(self):
        act = self.chance.choice([self.review, self.judge, self.judge, self.bring, self.ask, self.end, self.level])
        if self.chance.random() < 0.15:
            act = self.restrict
        try:
            act()
        except (ConditionsNotMet, Denied, WrongState):
            return

    def fresh(self):
        return type(self.case).objects.get(pk=self.case.pk)

    def review(self):
        verification.review(self.fresh(), by=self.world.alice)

    def bring(self):
        purpose = self.chance.choice(["identity_front", "identity_back"])
        bring(self.fresh(), purpose, "national_id", by=self.world.alice, inspected=False)

    def judge(self):
        pending = list(Evidence.objects.filter(case_id=self.case.pk).order_by("created_at"))
        if not pending:
            return self.bring()
        evidence = self.chance.choice(pending)
        if self.chance.random() < 0.6:
            return engine.accept(evidence, by=self.world.alice)
        if self.chance.random() < 0.5:
            return engine.reconsider(evidence, by=self.world.alice)
        return engine.ask_again(evidence, by=self.world.alice, reasons=["blurred"])

    def ask(self):
        verification.ask(self.fresh(), by=self.world.alice)

    def end(self):
        case = self.fresh()
        act, reason = self.chance.choice(ENDS)
        proposal = propose(f"verification.{act}", case, by=self.world.bob, reason=reason)
        if self.chance.random() < 0.7:
            confirm(proposal, by=self.world.erin)

    def level(self):
        reach_level(self.account.customer, self.chance.choice(["L1", "L2", "L3"]), by=self.world.bob)

    def restrict(self):
        stops = self.chance.sample(Restriction.EFFECTS, 2)
        restrict(self.account.customer, stops=stops, cover_code="routine", source="verification", by=self.world.bob)


@pytest.mark.parametrize("seed", range(times(6, 2)))
def test_a_file_as_of_any_moment_is_what_a_snapshot_said(world, seed):
    history, snapshots = History(world, seed), []
    for _ in range(25):
        history.step()
        snapshots.append((timezone.now(), snapshot(history.account.customer)))
    assert len({str(shot) for _, shot in snapshots}) > 3  # something happened
    for moment, shot in snapshots:
        assert then(history.account.customer, moment, world.bob) == shot


class TestPages:
    def test_an_auditor_sees_the_file_of_a_day_and_that_is_recorded(self, world, client):
        case = world.verification()
        bring(case, "identity_front", "national_id", by=world.alice, inspected=False)
        client.force_login(world.carol)
        page = client.get(f"/oversight/customers/{case.customer_id}/", {"on": LONG_AGO.isoformat()})
        assert page.context["then"].cases == ()
        page = client.get(f"/oversight/customers/{case.customer_id}/", {"on": TOMORROW.isoformat()})
        assert [row.number for row in page.context["then"].cases] == [case.number]
        assert case.number in page.content.decode()
        entry = Entry.objects.filter(action="audit.read").latest("id")
        assert entry.facts["data"]["purpose"] == "as_of"

    @pytest.mark.parametrize("name", ["alice", "mallory"])
    def test_staff_without_the_right_see_nothing(self, world, client, name):
        case = world.verification()
        client.force_login(getattr(world, name))
        for address in (f"customers/{case.customer_id}/", "population/", "delays/"):
            assert client.get(f"/oversight/{address}").status_code == 403

    def test_a_player_of_another_team_does_not_exist(self, world, client):
        case = world.verification()
        Case.objects.filter(pk=case.pk).update(restricted=True)
        client.force_login(world.carol)
        assert client.get(f"/oversight/customers/{case.customer_id}/").status_code == 404
        assert case.number not in client.get("/oversight/population/").content.decode()

    @pytest.mark.parametrize("address", ["population/", "delays/"])
    @pytest.mark.parametrize(
        "wrong", [{"first": "x"}, {"first": "2026-02-02", "last": "2026-02-01"}, {"last": ""}, {"last": "9999-12-31"}]
    )
    def test_days_that_make_no_sense_are_refused_in_words(self, world, client, address, wrong):
        client.force_login(world.carol)
        assert client.get(f"/oversight/{address}", wrong).status_code == 422


class TestPopulation:
    def test_it_shows_the_state_at_the_end_of_the_period_not_todays(self, world):
        case = world.verification()
        yesterday = TODAY - timedelta(days=1)
        Case.objects.filter(pk=case.pk).update(opened_at=timezone.now() - timedelta(days=3))
        verification.review(case, by=world.alice)
        (member,) = population(Asked(yesterday, yesterday), user=world.carol)
        assert (member.state, member.outcome, member.level) == ("open", "", "L0")
        (member,) = population(Asked(TODAY, TODAY), user=world.carol)
        assert member.state == "in_review"
        assert list(population(Asked(TODAY, TODAY, state="open"), user=world.carol)) == []
        assert list(population(Asked(TODAY - timedelta(days=9), TODAY - timedelta(days=8)), user=world.carol)) == []

    def test_batches_lose_and_repeat_nobody(self, world, monkeypatch):
        monkeypatch.setattr("cases.oversight.population.AT_ONCE", 3)
        numbers = [world.verification().number for _ in range(7)]
        assert [member.number for member in population(Asked(TODAY, TODAY), user=world.carol)] == numbers

    def test_it_leaves_as_a_file_whose_cells_are_no_formulas(self, world, client):
        account = world.account()
        type(account).objects.filter(pk=account.pk).update(reference="=2+3")
        case = verification.open(account, level="L1", by=world.alice)
        client.force_login(world.carol)
        answer = client.post("/oversight/population/?kind=verification", {"reason": "Yearly audit"})
        file = b"".join(answer.streaming_content).decode()
        (row,) = csv.DictReader(io.StringIO(file.lstrip("\ufeff")))
        assert file.startswith("\ufeff")
        assert (row["tracking number"], row["player"], row["state then"]) == (case.number, "'=2+3", "open")
        entry = Entry.objects.get(action="cases.take_list")
        assert entry.facts["data"]["rows"] == 1
        assert b"Yearly audit" not in entry.entry

    def test_nobody_takes_it_without_a_reason_or_more_than_one_person_may(self, world, client, settings):
        settings.AUDIT_EXPORT_ALONE = 1
        for _ in range(2):
            world.verification()
        client.force_login(world.carol)
        assert client.post("/oversight/population/", {"reason": " "}).status_code == 422
        refused = client.post("/oversight/population/", {"reason": "Yearly audit"})
        assert refused.status_code == 422
        assert "at most 1 rows at once" in refused.content.decode()
        assert not Entry.objects.filter(action="cases.take_list").exists()


class TestDelays:
    def test_each_trigger_finds_its_own_answer(self, world, client):
        first, second = world.verification(), world.verification()
        evidence = bring(first, "identity_front", "national_id", by=world.alice, inspected=False)
        bring(second, "identity_front", "national_id", by=world.alice, inspected=False)
        verification.review(first, by=world.alice)
        engine.accept(evidence, by=world.alice)
        starts, ends = Asked(TODAY, TODAY).starts, Asked(TODAY, TODAY).ends
        found = {
            name: delays.distribution(list(delays.taken(delay, starts, ends, user=world.carol)))
            for name, delay in delays.delays().items()
        }
        assert (found["file_to_verdict"].answered, found["file_to_verdict"].waiting) == (1, 1)
        to_review = found["verification_opened_to_review"]
        assert (to_review.answered, to_review.waiting) == (1, 1)
        assert found["proposal_to_decision"].median is None
        client.force_login(world.carol)
        page = client.get("/oversight/delays/")
        assert "From a file to its verdict" in page.content.decode()
        answer = client.post("/oversight/delays/", {"of": "verification_opened_to_review", "reason": "Yearly audit"})
        rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode().lstrip("\ufeff"))))
        assert [(row["tracking number"], row["player"], row["seconds"] != "") for row in rows] == [
            (first.number, first.account.reference, True),
            (second.number, second.account.reference, False),
        ]

    def test_of_what_belongs_to_no_case_the_file_names_the_players_accounts(self, world):
        case, now = world.verification(), timezone.now()
        found = [delays.Taken("", now, None, str(case.customer_id)), delays.Taken(case.number, now, None, "")]
        assert list(delays.players(found, user=world.carol)) == [case.account.reference] * 2

    def test_the_spread_is_by_nearest_rank(self):
        at = timezone.now()
        found = [delays.Taken("x", at, at + timedelta(seconds=n)) for n in range(1, 101)] + [
            delays.Taken("y", at, None)
        ]
        spread = delays.distribution(found)
        assert (spread.answered, spread.waiting) == (100, 1)
        assert [int(part.total_seconds()) for part in (spread.median, spread.p90, spread.p99, spread.longest)] == [
            50,
            90,
            99,
            100,
        ]

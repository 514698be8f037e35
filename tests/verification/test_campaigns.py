"""Looking at many players again: whom it chooses and leaves out, two persons, so many a day, what came of it."""

import json
from datetime import date, timedelta

import pytest
from django.core.management import call_command
from django.db.models import QuerySet
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.actors import system
from audit.models import Entry
from audit.perform import ConditionsNotMet, Denied, WrongState, perform
from cases.marks import services as marks
from cases.models import Evidence, Queue
from cases.quality.models import SecondLook
from cases.types.verification import reviews, services
from cases.types.verification.campaigns import services as campaigns
from cases.types.verification.campaigns.choosing import Choice
from cases.types.verification.campaigns.models import Campaign, Member
from cases.types.verification.models import Because, Verification
from compliance.people.models import Customer
from compliance.people.services import join, reach_level
from compliance.proposals.models import Proposal
from compliance.proposals.services import confirm
from tests.gaming.kept_out import excluded
from tests.verification.conftest import completed

DAY = timedelta(days=1)


def signed_in_as(user):
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def verified(world):
    """A player who was approved, so many days ago."""

    names = iter(["Ada Su", "Bora Tan", "Cem Er", "Deniz Ak", "Ege Taş", "Filiz Kaya"])

    def make(ago=0, **facts):
        named = {"full_name": next(names), "birth_date": date(1960 + ago % 30, 1, 1)}
        case = completed(world.verification("L1", **named | facts), by=world.alice)
        proposal = services.submit(
            case, "approve", by=world.alice, reason="all_checks_met", note="", seen=_digest(case)
        )
        if isinstance(proposal, Proposal):
            confirm(proposal, by=world.bob)
        QuerySet.update(Verification.objects.filter(pk=case.pk), closed_at=timezone.now() - ago * DAY)
        return Verification.objects.select_related("customer", "account").get(pk=case.pk)

    return make


def _digest(case):
    return services.rules.evidence_digest(Verification.objects.get(pk=case.pk)).hex()


def drafted(world, choice=None, **facts):
    given = {"title": "Old papers", "per_day": 2, "by": world.bob}
    return campaigns.draft(world.licensee, choice or Choice(), **given | facts)


def started(world, **facts):
    proposal = campaigns.submit(drafted(world, **facts), by=world.bob, reason="records")
    confirm(proposal, by=world.erin)
    return Campaign.objects.get(pk=proposal.subject_id)


def test_a_campaign_goes_through_two_persons_and_sends_so_many_a_day(world, verified):
    old = [verified(ago).account for ago in (900, 800, 700)]
    campaign = drafted(world)
    assert (campaign.total, campaign.state) == (3, "drafted")
    proposal = campaigns.submit(campaign, by=world.bob, reason="records")
    assert isinstance(proposal, Proposal) and campaigns.send_due() == 0
    with pytest.raises(Denied):
        confirm(proposal, by=world.bob)
    confirm(proposal, by=world.erin)
    assert campaigns.send_due() == 2 and campaigns.send_due() == 0
    opened = Verification.objects.filter(verification_facts__because=Because.CAMPAIGN)
    assert set(opened.values_list("account", flat=True)) == {old[0].pk, old[1].pk}  # the longest ago first
    assert {case.level for case in opened} == {"L1"} and not opened.filter(messages__isnull=False).exists()
    for nobody in (world.alice, world.carol, world.mallory):
        with pytest.raises(Denied):
            campaigns.pause(campaign, by=nobody)
    with pytest.raises(Denied):  # that it is over is for the product to say
        perform(Campaign.objects.get().end, by=world.erin, at=timezone.now())
    campaigns.pause(campaign, by=world.erin)
    QuerySet.update(Member.objects.filter(result="opened"), reached_at=timezone.now() - 2 * DAY)
    assert campaigns.send_due() == 0
    campaigns.resume(campaign, by=world.erin)
    assert campaigns.send_due() == 1 and campaigns.send_due() == 0
    campaign.refresh_from_db()
    assert campaign.state == "done" and campaigns.results(campaign) == {"opened": 3}
    assert campaigns.endings(campaign) == {"": 3}
    acts = [entry.action for entry in Entry.objects.filter(action__startswith="campaigns.").order_by("id")]
    assert acts == [f"campaigns.{name}" for name in ("draft", "start", "pause", "resume", "end")]
    for step in (campaigns.pause, campaigns.resume, campaigns.stop):
        with pytest.raises(WrongState):
            step(campaign, by=world.erin)


def test_whom_it_chooses(world, verified):
    fresh, old, high = verified(1), verified(400), verified(400)
    Customer.objects.filter(pk=high.customer_id).update(risk="high")
    QuerySet.update(Evidence.objects.filter(case=old, purpose="identity_front"), good_until=world.licensee.today())
    moved_in = world.account()  # verified in a former system
    reach_level(moved_in.customer, "L2", by=world.bob)
    world.account()  # never verified
    today = world.licensee.today()

    def found(**choice):
        asked = campaigns.askable(campaigns.chosen(world.licensee, Choice(**choice)))
        return [one.pk for one in asked]

    assert set(found()) == {fresh.customer_id, old.customer_id, high.customer_id, moved_in.customer_id}
    assert set(found(verified_before=today - 30 * DAY)) == {old.customer_id, high.customer_id, moved_in.customer_id}
    assert found(levels=("L2",)) == [moved_in.customer_id] == found()[:1]
    assert found(risks=("high",)) == [high.customer_id]
    assert found(papers_until=today) == [old.customer_id] and found(papers_until=today - DAY) == []
    with pytest.raises(ConditionsNotMet):
        drafted(world, Choice(levels=("L3",)))
    told = []
    call_command(
        "campaigns", "preview", "--licensee", world.licensee.slug, "--level", "L1", "--json", stdout=_Out(told)
    )
    assert json.loads("".join(told)) == {"total": 3, "left_out": 0, "days": 1}
    # The level is never below what a player has, or what their risk asks for.
    started(world, per_day=10, level="L2")
    campaigns.send_due()
    assert {case.customer_id: case.level for case in Verification.objects.open()} == {
        fresh.customer_id: "L2",
        old.customer_id: "L2",
        high.customer_id: "L3",
        moved_in.customer_id: "L2",
    }


class _Out:
    def __init__(self, told):
        self.write = lambda text, **more: told.append(text)
        self.isatty = lambda: False
        self.flush = lambda: None


def test_who_is_kept_out_or_looked_at_is_left_out_then_and_later_and_nobody_says_why(world, verified):
    running, kept_out, later, asked = (verified(9) for _n in range(4))
    reviews.review(running.customer, because=Because.NEW_FACT)
    excluded(kept_out.account)
    campaign = started(world, per_day=10)
    assert (campaign.total, campaign.left_out) == (2, 2)
    excluded(later.account)
    campaigns.send_due()
    assert campaigns.results(campaign) == {"opened": 1, "passed": 1}
    assert Member.objects.get(result="opened").case.customer_id == asked.customer_id
    page = signed_in_as(world.erin).get(reverse("cases:campaign", args=[campaign.pk])).content.decode()
    assert asked.account.reference in page
    assert not [one for one in (running, kept_out, later) if one.account.reference in page]


def test_who_may_and_what_the_pages_show(world, verified):
    case = verified(9)
    for nobody in (world.alice, world.carol, world.mallory):
        with pytest.raises(Denied):
            drafted(world, by=nobody)
    client = signed_in_as(world.bob)
    asked = {"title": "All", "licensee": world.licensee.slug, "per_day": "5", "reason": "law", "level": ""}
    looked = client.post(reverse("cases:campaign-new"), asked | {"look": "1"})
    assert looked.status_code == 200 and case.account.reference in looked.content.decode()
    assert not Campaign.objects.exists() and Entry.objects.filter(action="campaigns.list").exists()
    assert client.post(reverse("cases:campaign-new"), asked | {"per_day": "0"}).status_code == 422
    made = client.post(reverse("cases:campaign-new"), asked)
    campaign = Campaign.objects.get()
    address = reverse("cases:campaign", args=[campaign.pk])
    assert made["Location"] == address and Proposal.objects.parked().filter(act="campaigns.start").exists()
    assert client.get(address).status_code == client.get(reverse("cases:campaigns")).status_code == 200
    assert client.get(Proposal.objects.get(act="campaigns.start") and reverse("proposals:list")).status_code == 200
    assert signed_in_as(world.mallory).get(address).status_code == 404
    assert signed_in_as(world.alice).get(address).status_code == 403
    stopped = client.post(reverse("cases:campaign-move", args=[campaign.pk]), {"move": "stop"})
    assert stopped.status_code == 302 and Campaign.objects.get().state == "stopped"
    with pytest.raises(ConditionsNotMet):
        confirm(Proposal.objects.get(act="campaigns.start"), by=world.erin)
    assert Client().get(address).status_code == 302


def test_everybody_waits_where_nobody_works_and_what_breaks_holds_nobody_up(world, verified, monkeypatch):
    cases = [verified(9), verified(8)]
    campaign = started(world, per_day=10)
    Queue.objects.filter(licensee=world.licensee, kind="verification").update(kind="elsewhere")
    assert campaigns.send_due() == 0 and campaigns.results(campaign) == {"waits": 2}
    Queue.objects.filter(licensee=world.licensee, kind="elsewhere").update(kind="verification")
    real = reviews.review

    def breaks(customer, **facts):
        if customer.pk == cases[0].customer_id:
            raise ValueError("planted")
        return real(customer, **facts)

    monkeypatch.setattr(reviews, "review", breaks)
    assert campaigns.send_due() == 0 and campaigns.results(campaign) == {"failed": 1, "waits": 1}
    assert campaigns.send_due() == 1  # the next run goes on
    assert campaigns.results(campaign) == {"failed": 1, "opened": 1} and campaigns.sent_today(campaign) == 2


def test_a_fault_of_ours_pauses_a_campaign_instead_of_running_through_everybody(world, monkeypatch):
    for _n in range(7):
        reach_level(world.account().customer, "L2", by=world.bob)  # verified in a former system
    campaign = started(world, per_day=3)
    real, waiting = reviews.review, campaigns._waiting

    def breaks(customer, **facts):
        raise ValueError("planted")

    monkeypatch.setattr(reviews, "review", breaks)
    for day in (1, 2):
        for _run in range(5):
            assert campaigns.send_due() == 0
        campaign.refresh_from_db()
        assert (campaigns.results(campaign)["failed"], campaign.state) == ((3, "running"), (5, "paused"))[day - 1]
        QuerySet.update(Member.objects.filter(result="failed"), reached_at=timezone.now() - 2 * DAY)
    paused = Entry.objects.get(action="campaigns.pause")
    assert (paused.actor_kind, paused.facts["data"]["failed"]) == ("system", 5)
    campaigns.resume(campaign, by=world.erin)
    # Who failed is set aside, nobody else: another worker reached that player while this one was at it.
    member = waiting(campaign)
    monkeypatch.setattr(reviews, "review", real)
    assert campaigns._next(campaign) == "opened"
    assert campaigns._set_aside(campaign, member) == "" == campaigns._reach(campaign, member)
    assert campaigns.results(campaign) == {"failed": 5, "opened": 1, "waits": 1}


def test_rules_that_lack_what_a_review_needs_are_said_before_it_starts(world, verified, monkeypatch):
    verified(9)
    proposal = campaigns.submit(drafted(world), by=world.bob, reason="records")
    policy = campaigns.policy_of(world.licensee, on=world.licensee.today())
    lacks = policy.model_copy(update={"verification": policy.verification.model_copy(update={"review_hours": None})})
    monkeypatch.setattr(campaigns, "policy_of", lambda licensee, *, on: lacks)
    for refused in (lambda: drafted(world), lambda: confirm(proposal, by=world.erin)):
        with pytest.raises(ConditionsNotMet, match="no verification can be opened"):
            refused()


def test_a_sample_and_the_endings_name_nobody_whose_cases_are_for_others(world, verified):
    well_known, looked_at, other = verified(9), verified(8), verified(7)
    join(world.alice, world.team, "officer", by=system())  # lifting the mark takes two
    marks.mark(well_known, kind="well_known", to=[world.alice], by=world.erin)
    look = SecondLook.objects.create(case=looked_at, closed_at=looked_at.closed_at, drawn_at=timezone.now())
    QuerySet.update(SecondLook.objects.filter(pk=look.pk), reviewer=world.bob)
    asked = {"title": "All", "licensee": world.licensee.slug, "per_day": "5", "reason": "law", "level": "", "look": "1"}

    def sample(user):
        page = signed_in_as(user).post(reverse("cases:campaign-new"), asked).content.decode()
        return [one for one in (well_known, looked_at, other) if one.account.reference in page]

    assert sample(world.bob) == [other] and sample(world.erin) == [well_known, looked_at, other]
    campaign = started(world, per_day=10)
    assert campaigns.send_due() == 3
    assert (campaigns.endings(campaign, seen_by=world.bob), campaigns.endings(campaign)) == ({"": 2}, {"": 3})

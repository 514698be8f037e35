"""Markers of harm: the sum and its acts whatever the order, and who sees what."""

import random
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db.models import QuerySet
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.actors import system
from audit.models import Entry
from audit.perform import ConditionsNotMet, Denied
from cases.contacts.models import Task
from cases.marks import services as marks
from cases.models import Message
from cases.types.gaming.markers import services
from cases.types.gaming.markers.book import book_of
from cases.types.gaming.markers.models import CareAction, Due, Score
from cases.types.gaming.markers.reckoning import acts_due
from cases.types.gaming.models import GamingRequest
from compliance.people import restrictions
from compliance.people.services import create_user, join
from compliance.policy import marker_rules
from tests.gaming.kept_out import stopped
from tests.gaming.marked import (
    DAY,
    HOUR,
    LATELY,
    SOON,
    events,
    many,
    met,
    moved,
    recounted,
)
from tests.world import PASSWORD


# --------------------------------------------------------------------------------------------- the sum, and its acts
def test_the_worker_counts_what_arrived_and_each_act_is_done_once(house, under):
    account, _player = under("NL", born=timezone.now().date().replace(year=1980, day=1))
    began = timezone.now()
    moved(account, ("deposit", 200_000, HOUR), ("bet", 150_000, HOUR), *many(15), *many(3, ago=timedelta()))
    assert services.recount_waiting(now=began) == 0, "what arrives within half a minute is counted together"
    assert services.recount_waiting(now=began + SOON) == 1
    score = Score.objects.get(customer=account.customer)
    assert score.value == 15 + 20 + 20 + 10
    said = marker_rules.versions()
    assert score.policy == "+".join(said[name][-1].id for name in ("OP", "NL"))
    assert services.act_waiting() == 3
    assert services.act_waiting() == 0
    case = GamingRequest.objects.get()
    call = Task.objects.get(case=case, kind="contact")
    assert timedelta(minutes=55) < call.due_at - began <= HOUR + SOON, "NL.RG.ACT.CALL: within one hour"
    assert not Message.objects.exists(), "where a person calls the product writes nothing"
    assert stopped(account) == {"marketing"}
    moved(account, ("bet", 50_000, timedelta()))
    assert services.recount_waiting(now=began + SOON) == 1
    services.act_waiting()
    assert CareAction.objects.filter(customer=account.customer).count() == 3
    assert GamingRequest.objects.count() == 1
    assert services.recount_waiting(now=began + SOON) == 0


def test_OP_RG_ACT_BLOCK_stops_play_at_once_and_only_two_persons_end_it(house):
    account = house.account()
    moved(account, ("deposit", 20_000_000, HOUR), ("bet", 20_000_000, HOUR), *many(15, ago=timedelta()))
    events(house, account, *[("session", 20_000, HOUR)] * 2)
    assert recounted(account).value >= 80
    assert {"play", "deposit", "marketing"} <= stopped(account)
    block = CareAction.objects.get(act="block")
    assert (block.state, block.restriction.source, block.restriction.until) == ("waiting", "protection", None)
    assert block.review_due_at - block.done_at == DAY
    assert restrictions.in_force(account.customer).count() == 2
    with pytest.raises(ConditionsNotMet, match="why it was not right"):
        services.review(block, by=house.grace, outcome="not_right")
    with pytest.raises(Denied):
        services.review(block, by=house.alice, outcome="right")
    done = services.review(block, by=house.grace, outcome="not_right", note="Bir çekiliş kazancı.")
    assert (done.state, done.outcome, done.reviewed_by) == ("reviewed", "not_right", house.grace)
    assert {"play", "deposit"} <= stopped(account), "a word loosens nothing"
    recounted(account)
    assert CareAction.objects.filter(act="block").count() == 1


def test_without_a_team_the_protection_holds_all_the_same(under):
    account, _player = under("GB", queue=False)
    moved(account, ("deposit", 200_000, HOUR), ("bet", 150_000, HOUR), *many(15), *many(3, ago=timedelta()))
    recounted(account)
    assert stopped(account) >= {"marketing"}
    assert not GamingRequest.objects.exists()


def test_one_that_fails_hinders_no_other_and_is_tried_again(house, monkeypatch):
    one, other = house.account(), house.account(national_id=None, full_name="Ada Su")
    for account in (one, other):
        moved(account, ("deposit", 10_000_000, HOUR))
    real = services.reckon

    def breaks(customer, *rest):
        return 1 // 0 if customer.pk == one.customer_id else real(customer, *rest)

    monkeypatch.setattr(services, "reckon", breaks)
    now = timezone.now() + SOON
    services.recount_waiting(now=now)
    assert [score.customer_id for score in Score.objects.all()] == [other.customer_id]
    monkeypatch.undo()
    assert Due.objects.get().attempts == 1
    assert services.recount_waiting(now=now + HOUR) == 1


HISTORY = st.lists(
    st.tuples(
        st.sampled_from(["deposit", "bet", "win", "bonus", "withdrawal"]),
        st.sampled_from([100, 40_000, 90_000, 2_500_000]),
        st.integers(0, 35 * 24).map(lambda hours: hours * HOUR),
    ),
    min_size=1,
    max_size=14,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=HISTORY, seed=st.integers(0, 2**20))
def test_in_any_order_the_sum_is_the_same_and_no_act_is_done_twice(house, history, seed):
    chance = random.Random(seed)
    found = []
    for _way in range(2):
        account = house.account()
        shuffled = chance.sample(history, len(history))
        while shuffled:
            size = chance.randint(1, 4)
            moved(account, *shuffled[:size])
            shuffled = shuffled[size:]
            if chance.random() < 0.5:
                recounted(account)
        recounted(account)
        score = recounted(account)
        seen = [
            line | {"compared": line["compared"]} for line in services.score_of(account.customer, by=house.grace)[1]
        ]
        found.append((score.value, seen, score.as_of > LATELY))
        acts = list(CareAction.objects.filter(customer=account.customer).values_list("act", flat=True))
        assert len(acts) == len(set(acts))
        due = acts_due(book_of(account.licensee), SimpleNamespace(value=score.value, met=met(account)))
        if "tool_prompt" in acts:
            due.pop("message", None)  # the stronger letter is enough
        assert set(due) <= set(acts), "and none is forgotten"
    assert found[0] == found[1]


# --------------------------------------------------------------------------------------------------- the compartment
def test_agents_see_what_holds_and_no_marker_score_or_reason(house):
    account = house.account()
    moved(account, ("deposit", 20_000_000, HOUR), ("bet", 20_000_000, HOUR), *many(15, ago=timedelta()))
    events(house, account, *[("session", 20_000, HOUR)] * 2)
    recounted(account)
    case = GamingRequest.objects.get()
    grace, alice, mallory = Client(), Client(), Client()
    for client, user in ((grace, house.grace), (alice, house.alice), (mallory, house.mallory)):
        client.force_login(user)
    action = CareAction.objects.get(act="block")
    inside = ["/care/reviews/", f"/care/reviews/{action.pk}/", f"/cases/{case.number}/interaction/"]
    for page in inside:
        assert grace.get(page).status_code == 200, page
        assert alice.get(page).status_code in (403, 404), page
        assert mallory.get(page).status_code in (403, 404), page
    shown = grace.get(inside[1]).content.decode() + grace.get(inside[2]).content.decode()
    for part in ("Much paid in within a month", "OP.RG.MARKER.DEPOSITS", "social responsibility code 3.4.3", "= "):
        assert part in shown
    pages = (f"/cases/{case.number}/", "/due/", "/", f"/search/?q={case.number}")
    outside = "".join(alice.get(page).content.decode() for page in pages)
    assert "Play stopped" in outside
    secret = ["Signs of harm: ", "OP.RG.MARKER", "OP.RG.ACT", "Much paid in", "Protections to look at", "weight"]
    assert [word for word in secret if word in outside] == []
    read = Entry.objects.filter(action="audit.read", subject_id=str(account.customer_id), actor_id=str(house.grace.pk))
    assert read.exists()
    asked = Entry.objects.filter(action="markers.ask")
    assert asked.exists() and not any(b"OP.RG" in bytes(one.entry) for one in asked)
    answer = grace.post(inside[1], {"outcome": "right", "note": ""})
    assert answer.status_code == 302
    assert grace.post(inside[1], {"outcome": "right"}).status_code == 422


def test_of_a_marked_player_only_those_named_look_at_what_was_done(house):
    join(house.grace, house.team, "officer", by=system())
    heidi = create_user(email=f"heidi-{house.team.slug}@example.com", name="Heidi", password=PASSWORD, by=system())
    join(heidi, house.team, "rg_officer", by=system())
    account = house.account()
    moved(account, ("deposit", 20_000_000, HOUR), ("bet", 20_000_000, HOUR), *many(15, ago=timedelta()))
    events(house, account, *[("session", 20_000, HOUR)] * 2)
    recounted(account)
    case, action = GamingRequest.objects.get(), CareAction.objects.get(act="block")
    assert services.waiting_count(heidi) == services.waiting_count(house.grace) > 0
    marks.mark(case, kind="well_known", to=[house.grace], by=house.bob)
    QuerySet.update(CareAction.objects.filter(act="marketing_off"), case=None)
    assert set(CareAction.objects.visible_to(house.grace)) == set(CareAction.objects.all())
    assert not CareAction.objects.visible_to(heidi).exists() and services.waiting_count(heidi) == 0
    with pytest.raises(Denied):
        services.review(action, by=heidi, outcome="right")
    services.review(action, by=house.grace, outcome="right")

"""Acts of care that are held back: letters to whom none should go, acts that cannot be done yet, erased players."""

import secrets
from datetime import timedelta
from types import SimpleNamespace

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.actors import system
from audit.models import Entry
from cases.models import Message
from cases.notices.models import Notice
from cases.queues import open_queue
from cases.types.gaming import services as gaming
from cases.types.gaming.markers import book, doing, services
from cases.types.gaming.markers.book import book_of, check_markers
from cases.types.gaming.markers.models import CareAction, Due, Score
from cases.types.gaming.markers.reckoning import acts_due
from cases.types.gaming.models import GamingRequest
from cases.types.monitoring.rules import counting
from cases.types.monitoring.transactions.reading import Row
from cases.types.monitoring.transactions.services import accept
from compliance.keys.services import shred_subject
from compliance.people import restrictions
from compliance.people.models import Customer
from compliance.policy import marker_rules
from compliance.policy.records import Period
from documents.keeping import reach
from tests.gaming.marked import DAY, HOUR, LATELY, many, met, moved, noted, recounted

LOST = ("bet", 150_000, HOUR)  # 20: the first letter
MUCH = [("deposit", 200_000, HOUR), LOST, *many(15), *many(3, ago=timedelta())]  # 65: a call, and marketing off


def letters():
    return list(Message.objects.filter(code__startswith="care_").values_list("code", flat=True))


def acts_of(account):
    return {one.act: (one.state, one.why) for one in CareAction.objects.filter(customer=account.customer)}


def test_who_is_kept_out_gets_no_letter_and_no_second_case(house):
    account = house.account()
    gaming.keep_out(account, kind="self_exclusion", period=Period(amount=6, unit="month"), by=house.key)
    later = timezone.now() + timedelta(minutes=5)
    assert services.recount_waiting(now=later) == 1
    assert services.act_waiting() == 1
    assert acts_of(account) == {"message": ("dropped", "kept_out")}
    assert (letters(), GamingRequest.objects.count()) == ([], 1)
    [entry] = Entry.objects.filter(action="markers.drop")
    assert b"kept_out" not in bytes(entry.entry), "why is sealed"
    recounted(account)
    assert CareAction.objects.count() == 1, "and it is not asked for again and again"


def test_whose_account_is_stopped_for_good_gets_no_letter_until_that_ends(house):
    account = house.account()
    dead = restrictions.restrict(
        account.customer, stops=["play"], cover_code="account_closed", source="verification", by=system()
    )
    moved(account, LOST)
    recounted(account)
    assert acts_of(account) == {"message": ("dropped", "closed")}
    assert (letters(), GamingRequest.objects.count()) == ([], 0)
    restrictions.lift(dead, by=house.alice, reason="mistaken")
    recounted(account)
    assert letters() == ["care_hello"]


def test_a_case_that_only_holds_a_letter_is_settled_without_a_talk(house):
    account = house.account()
    moved(account, LOST)
    recounted(account)
    case = GamingRequest.objects.get()
    gaming.review(case, by=house.grace)
    assert gaming.settle(case, by=house.grace).outcome == "written_to"


def test_acts_at_once_need_no_score_and_a_person_speaks_before_the_product_writes(house):
    account = house.account()
    moved(account, LOST)
    services.recount(account.customer_id)
    noted(house, account, "distress")
    recounted(account)
    assert acts_of(account) == {"message": ("dropped", "kept_out"), "call": ("done", "")}
    assert letters() == []
    rules = book_of(account.licensee)
    alone = acts_due(rules, SimpleNamespace(value=0, met=["self_harm", "distress"]))
    assert alone == dict.fromkeys(("call", "marketing_off"), "OP.RG.MARKER.SELF_HARM")
    assert list(acts_due(rules, SimpleNamespace(value=30, met=[]))) == ["tool_prompt"], "the stronger of two letters"


def test_a_letter_that_waits_gives_way_to_a_call(house):
    account = house.account()
    moved(account, LOST)
    services.recount(account.customer_id)
    moved(account, *MUCH)
    recounted(account)
    assert acts_of(account)["message"] == ("dropped", "called")
    assert letters() == []


def test_a_call_that_nobody_can_make_waits_for_a_team(house, under):
    account, _player = under("GB", queue=False)
    moved(account, *MUCH)
    recounted(account)
    call = CareAction.objects.get(act="call")
    assert (call.state, call.attempts, call.due_at > timezone.now()) == ("asked", 1, True)
    assert services.act_waiting() == 0, "not at once again"
    open_queue(house.team, account.licensee, "gaming", by=system())
    CareAction.objects.filter(pk=call.pk).update(due_at=timezone.now() - HOUR)
    assert services.act_waiting() == 1
    assert CareAction.objects.get(act="call").case == GamingRequest.objects.get()


def test_an_act_that_fails_pauses_and_starves_no_other(house, monkeypatch):
    one, other = house.account(), house.account(national_id=None, full_name="Ada Su")
    for account in (one, other):
        moved(account, LOST)
        services.recount(account.customer_id)
    real = doing.DOING["message"]
    breaks = lambda action, now: 1 // 0 if action.customer_id == one.customer_id else real(action, now)  # noqa: E731
    monkeypatch.setitem(doing.DOING, "message", breaks)
    assert [services.act_waiting(most=1) for _turn in range(3)] == [0, 1, 0]
    assert [acts_of(account)["message"][0] for account in (one, other)] == ["asked", "done"]


def test_of_players_that_are_due_each_worker_takes_its_own(house):
    services.ask_for([house.account().customer_id])
    with CaptureQueriesContext(
        connection,
    ) as asked:
        assert services.recount_waiting(now=timezone.now() + HOUR) == 1
    assert any('FOR UPDATE OF "markers_due" SKIP LOCKED' in one["sql"] for one in asked)
    assert not Due.objects.exists()


def test_a_player_of_two_currencies_is_not_judged_by_a_past_in_the_other(house):
    account = house.account()
    moved(account, ("win", 1, HOUR))
    for kind, count, ago in (("bet", 12, 14 * DAY), ("bet", 1, HOUR), ("deposit", 1, DAY), ("bonus", 5, DAY)):
        amount = 100_000 if kind == "deposit" else 100
        names = [f"t-{secrets.token_hex(6)}" for _one in range(count)]
        rows = [Row(name, account.reference, kind, amount, "TRY", LATELY - ago) for name in names]
        accept(account.licensee, rows, by=system())
    counting.count_waiting()
    assert not {"stakes_rise", "bonus_dependence"} & met(account), "nothing is no multiple of nothing"


def test_an_erased_player_leaves_nothing_in_clear_and_no_list(house):
    account = house.account()
    customer = account.customer
    moved(account, *MUCH)
    recounted(account)
    waits = CareAction.objects.filter(state="waiting").first()
    noted(house, account, "none_seen")
    facts = {"rule": "OP.RG.ACT.MESSAGE", "score": 20, "reckoned_sealed": b"x", "limits_sealed": b"y"}
    CareAction(customer=customer, act="message", **facts).save()
    assert services.waiting_count(house.grace) == 2
    shred_subject(customer.audit_subject, by=system(), reason="retention")
    reach.empty(customer)
    Customer.objects.filter(pk=customer.pk).update(erased_at=timezone.now())
    customer.refresh_from_db()
    assert services.act_waiting() == 1
    assert acts_of(account)["message"] == ("dropped", "erased")
    assert set(CareAction.objects.values_list("rule", "score", "reckoned_sealed")) == {("", 0, b"")}
    assert not CareAction.objects.exclude(limits_sealed=None).exists()
    assert Score.objects.get().value == 0 and bytes(Score.objects.get().reckoned_sealed) == b""
    assert services.score_of(customer, by=house.grace) is None
    assert services.waiting_count(house.grace) == 0 and services.list_waiting(by=house.grace, most=9) == []
    grace = Client()
    grace.force_login(house.grace)
    assert grace.get(f"/care/reviews/{waits.pk}/").status_code == 404


def test_only_those_who_may_read_of_it_are_told_that_a_protection_began(house):
    account = house.account()
    moved(account, LOST)
    recounted(account)
    gaming.review(GamingRequest.objects.get(), by=house.alice)
    moved(account, *MUCH)
    recounted(account)
    told = Notice.objects.filter(kind=doing.NOTICE)
    assert {one.user for one in told} == {house.grace}


def test_what_follows_from_a_score_is_told_in_hours_or_calendar_days(monkeypatch):
    version = marker_rules.versions()["OP"][0]
    month = Period(amount=1, unit="month")
    call = version.acts["call"].model_copy(update={"within": month, "again_after": month})
    broken = version.model_copy(update={"acts": {"call": call}})
    monkeypatch.setattr(book.marker_rules, "versions", lambda: {"OP": (broken,)})
    assert [fault.msg.partition(":")[0] for fault in check_markers()] == [
        "OP-MARKERS-2026-11-22.call.again_after",
        "OP-MARKERS-2026-11-22.call.within",
    ]

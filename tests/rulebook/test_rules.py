"""A change of the rules, from the draft to the first case under it, through the pages."""

import json
import re
from dataclasses import replace
from datetime import date, datetime, timedelta
from unittest import mock
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from audit import context
from audit.actors import system
from audit.models import Entry
from audit.perform import Denied
from cases import services as engine
from cases.models import Case, Evidence
from cases.quality import previews as quality
from cases.types.verification import rules
from cases.types.verification import services as verification
from cases.types.verification.previews import past_the_law
from compliance.people.models import Licensee, User
from compliance.people.services import create_licensee, join
from compliance.policy import PolicyMissing, policy_for
from compliance.policy.book import book
from compliance.policy.records import Period, Rule
from compliance.proposals import acts
from compliance.proposals.models import Proposal
from compliance.proposals.queries import SecondPersonNeeded
from compliance.proposals.services import confirm
from compliance.rulebook import labels, previews, services
from compliance.rulebook.changes import NotAllowed, changeable, checked, with_values
from compliance.rulebook.models import RuleSet, State
from compliance.rulebook.queries import policy_at, policy_of
from tests.gaming.kept_out import excluded
from tests.papers import bring
from tests.verification.conftest import completed
from tests.world import a_world

NOON = datetime(2026, 11, 22, 12, tzinfo=ZoneInfo("Europe/Istanbul"))
TOMORROW = date(2026, 11, 23)


@pytest.fixture(autouse=True)
def whenever_it_is(monkeypatch):
    """What is proposed at NOON expires by the database's own clock, which goes on."""
    longer = replace(acts.lookup(services.ACT), expires=timedelta(days=36_500))
    monkeypatch.setitem(acts._acts, services.ACT, longer)


@pytest.fixture
def world(db):
    with time_machine.travel(NOON, tick=False), context.use(context.new("test")):
        yield a_world()


def page_of(user):
    client = Client()
    client.force_login(user)
    return client


def entered(world, **changed):
    """The form as the page offers it, with some fields changed."""
    known = changeable(policy_of(world.licensee, on=TOMORROW))
    shown = {key: getattr(one.value, "amount", one.value) for key, one in known.items()}
    return {"effective_from": TOMORROW.isoformat()} | shown | changed


def drafted(world, **values):
    return services.draft(world.licensee, values, effective_from=TOMORROW, by=world.bob)


def agreed(world, **values):
    rule_set = drafted(world, **values)
    proposal = services.propose_change(rule_set, by=world.bob, reason="risk", note="Shorter is safer")
    confirm(proposal, by=world.erin)
    rule_set.refresh_from_db()
    return rule_set


# ------------------------------------------------------------------------------------------------------- the pages
def test_from_the_draft_to_the_first_case_under_it(world):
    before = world.verification()
    bob, erin = page_of(world.bob), page_of(world.erin)
    address = f"/rules/{world.licensee.slug}/"
    assert f'href="{address}change/"' in bob.get(address).content.decode()
    answer = bob.post(f"{address}change/", entered(world, **{"verification.answer_days": 7}))
    rule_set = RuleSet.objects.get(licensee=world.licensee)
    assert answer.status_code == 302
    assert answer["Location"] == f"/rules/sets/{rule_set.code}/"
    shown = bob.get(answer["Location"]).content.decode()
    assert re.search(r"<del>14</del>.*<b>7</b>", shown, re.S)
    assert "protects more" in shown
    bob.post(f"/rules/sets/{rule_set.code}/propose/", {"reason": "risk", "note": "Shorter is safer"})
    proposal = Proposal.objects.get(subject_id=rule_set.pk)
    assert bob.post(f"/approvals/{proposal.pk}/confirm/").status_code in (403, 422)
    erin.post(f"/approvals/{proposal.pk}/confirm/")
    rule_set.refresh_from_db()
    assert rule_set.state == State.APPROVED
    assert policy_of(world.licensee, on=date(2026, 11, 22)).verification.answer_days.value == 14
    with time_machine.travel(NOON + timedelta(days=1), tick=False):
        after = world.verification()
        assert after.policy_version == f"TR-2026-11-23~{rule_set.code}"
        assert policy_at(after.policy_version).verification.answer_days.value == 7
        assert policy_at(before.policy_version).verification.answer_days.value == 14
        assert "Own value" in page_of(world.bob).get(address).content.decode()
    said = list(Entry.objects.filter(action__startswith="rulebook.").order_by("id").values_list("action", "actor_id"))
    assert said == [("rulebook.draft", str(world.bob.pk)), ("rulebook.approve", str(world.erin.pk))]


def test_an_agent_reads_the_rules_and_changes_none(world):
    alice = page_of(world.alice)
    assert "TR.CDD.AMOUNT" in alice.get(f"/rules/{world.licensee.slug}/").content.decode()
    assert f"/rules/{world.licensee.slug}/change/" not in alice.get(f"/rules/{world.licensee.slug}/").content.decode()
    assert alice.get(f"/rules/{world.licensee.slug}/change/").status_code == 403
    rule_set = drafted(world, **{"verification.answer_days": 7})
    assert alice.post(f"/rules/sets/{rule_set.code}/propose/", {"reason": "risk", "note": "x"}).status_code == 403
    assert alice.post(f"/rules/sets/{rule_set.code}/withdraw/").status_code == 403


def test_who_decides_for_another_licensee_changes_none_of_these_rules(world):
    mallory, address = page_of(world.mallory), f"/rules/{world.licensee.slug}/"
    assert f"{address}change/" not in mallory.get(address).content.decode()
    assert mallory.get(f"{address}change/").status_code == 404
    assert mallory.post(f"{address}change/", entered(world, **{"verification.answer_days": 7})).status_code == 404
    rule_set = drafted(world, **{"verification.answer_days": 7})
    for act in ("propose", "withdraw"):
        answer = mallory.post(f"/rules/sets/{rule_set.code}/{act}/", {"reason": "risk", "note": "Shorter is safer"})
        assert answer.status_code in (403, 404), act
    with pytest.raises(Denied):
        services.draft(world.licensee, {}, effective_from=TOMORROW, by=world.mallory)
    proposal = services.propose_change(rule_set, by=world.bob, reason="risk", note="Shorter is safer")
    assert mallory.get(f"/approvals/{proposal.pk}/").status_code == 404
    with pytest.raises(Denied):
        confirm(proposal, by=world.mallory)
    assert RuleSet.objects.get().state == "draft"


def test_an_officer_elsewhere_brings_no_right_to_a_team_where_they_decide_as_something_else(world):
    join(world.mallory, world.team, "rg_officer", by=system())
    mallory, address = page_of(world.mallory), f"/rules/{world.licensee.slug}/"
    assert f"{address}change/" not in mallory.get(address).content.decode()
    assert mallory.get(f"{address}change/").status_code == 404
    with pytest.raises(Denied):
        services.draft(world.licensee, {}, effective_from=TOMORROW, by=world.mallory)
    rule_set = drafted(world, **{"verification.answer_days": 7})
    assert mallory.post(f"/rules/sets/{rule_set.code}/withdraw/").status_code == 403
    proposal = services.propose_change(rule_set, by=world.bob, reason="risk", note="Shorter is safer")
    assert mallory.get(f"/approvals/{proposal.pk}/").status_code == 404
    with pytest.raises(Denied):
        confirm(proposal, by=world.mallory)
    join(world.mallory, world.team, "officer", by=system())
    assert confirm(proposal, by=User.objects.get(pk=world.mallory.pk)), "an officer of both"


def test_the_law_cannot_be_weakened_on_the_page(world):
    """Ninety days for a proof of address are a duty in Türkiye; the operator may ask for less, never for more."""
    bob, address = page_of(world.bob), f"/rules/{world.licensee.slug}/change/"
    answer = bob.post(address, entered(world, **{"evidence.address.max_age_days": 120}))
    assert answer.status_code == 422
    assert "The law asks for more: TR.KYC.ADDRESS" in answer.content.decode()
    assert 'value="120"' in answer.content.decode()
    assert not RuleSet.objects.exists()
    assert bob.post(address, entered(world, **{"evidence.address.max_age_days": 60})).status_code == 302


def test_the_past_cannot_be_chosen(world):
    answer = page_of(world.bob).post(
        f"/rules/{world.licensee.slug}/change/", entered(world) | {"effective_from": "2026-11-22"}
    )
    assert answer.status_code == 422
    assert "Choose a day to come" in answer.content.decode()


def test_a_draft_can_be_withdrawn_and_not_proposed_then(world):
    rule_set, bob = drafted(world, **{"verification.answer_days": 7}), page_of(world.bob)
    bob.post(f"/rules/sets/{rule_set.code}/withdraw/")
    rule_set.refresh_from_db()
    assert rule_set.state == State.WITHDRAWN
    answer = bob.post(f"/rules/sets/{rule_set.code}/propose/", {"reason": "risk", "note": "Once more"})
    assert answer.status_code == 422
    assert bob.get("/rules/sets/00000000/").status_code == 404


def test_every_rule_in_force_is_on_the_page_with_its_source(world):
    shown = page_of(world.carol).get(f"/rules/{world.licensee.slug}/").content.decode()
    policy = policy_of(world.licensee, on=date(2026, 11, 22))
    missing = {rule.id for _path, rule in policy.rules() if rule.id not in shown}
    assert not missing
    assert len({rule.id for _path, rule in policy.rules()}) > 30


def test_what_the_law_brings_is_announced(world):
    licensee = create_licensee(
        name="Valletta", slug="valletta", jurisdiction="MT", time_zone="Europe/Malta", by=system()
    )
    shown = page_of(world.carol).get(f"/rules/{licensee.slug}/").content.decode()
    assert "MT-2026-11-21+EU-2026-01-01" in shown
    assert "EU-2027-07-10" in shown


def test_a_draft_for_later_takes_nothing_back_that_was_decided_for_sooner(world):
    """The page shows what holds tomorrow; what holds on the draft's own day stays, unless somebody typed another."""
    sooner = services.draft(
        world.licensee, {"verification.review_hours": 12}, effective_from=date(2026, 12, 1), by=world.bob
    )
    confirm(services.propose_change(sooner, by=world.bob, reason="risk", note="Sooner"), by=world.erin)
    page_of(world.bob).post(
        f"/rules/{world.licensee.slug}/change/",
        entered(world, **{"verification.answer_days": 7}) | {"effective_from": "2027-01-01"},
    )
    later = RuleSet.objects.get(effective_from=date(2027, 1, 1))
    assert later.values == {"verification.review_hours": 12, "verification.answer_days": 7}


# ------------------------------------------------------------------------------------------------------- the machine
def test_one_person_alone_changes_nothing(world):
    rule_set = drafted(world, **{"verification.answer_days": 7})
    with pytest.raises(SecondPersonNeeded):
        services.put_in_force(rule_set, by=world.bob)


def test_a_day_that_came_while_it_waited_is_past(world):
    rule_set = drafted(world, **{"verification.answer_days": 7})
    proposal = services.propose_change(rule_set, by=world.bob, reason="risk", note="Shorter is safer")
    with time_machine.travel(NOON + timedelta(days=1), tick=False), pytest.raises(Exception, match="has come already"):
        confirm(proposal, by=world.erin)
    rule_set.refresh_from_db()
    assert rule_set.state == State.DRAFT


@pytest.mark.parametrize("change", [{"values": {}}, {"effective_from": date(2026, 1, 1)}, {"code": "00000000"}])
def test_the_database_refuses_to_change_what_was_decided(world, change):
    rule_set = agreed(world, **{"verification.answer_days": 7})
    for what in (lambda rows: rows.update(**change), lambda rows: rows.delete()):
        with pytest.raises(DatabaseError, match="was decided and does not change"), transaction.atomic():
            what(RuleSet.objects.filter(pk=rule_set.pk))


def test_what_another_licensee_chose_holds_for_nobody_else(world):
    agreed(world, **{"verification.answer_days": 7})
    other = create_licensee(name="Ankara", slug="ankara", jurisdiction="TR", time_zone="Europe/Istanbul", by=system())
    assert policy_of(other, on=TOMORROW).version == "TR-2026-11-23"


def test_a_set_that_nobody_approved_is_no_policy(world):
    rule_set = drafted(world, **{"verification.answer_days": 7})
    with pytest.raises(PolicyMissing):
        policy_at(f"TR-2026-11-23~{rule_set.code}")


def test_the_later_of_two_sets_is_whole(world):
    """A set says everything that is the operator's own: what it does not name is as the files say again."""
    agreed(world, **{"verification.answer_days": 7})
    agreed(world, **{"verification.review_hours": 12})
    policy = policy_of(world.licensee, on=TOMORROW).verification
    assert (policy.answer_days.value, policy.review_hours.value) == (14, 12)


# --------------------------------------------------------------------------------------------------- what may change
@given(st.data())
def test_no_set_ever_weakens_a_duty(data):
    """Whatever is written into a set, and whatever law comes later: the policy that comes of it keeps every duty."""
    state = data.draw(st.sampled_from(sorted(book().by_jurisdiction)))
    law = policy_for(state, on=date(2026, 11, 22))
    key = data.draw(st.sampled_from(sorted(changeable(law))))
    one = changeable(law)[key]
    amount = data.draw(st.integers(1, 400))
    value = one.value.model_copy(update={"amount": amount}) if hasattr(one.value, "amount") else amount
    later = policy_for(state, on=date(2027, 7, 10))
    for policy in (law, later):
        after = changeable(with_values(policy, {key: value}, code="1f3a9c2e"))
        for name, duty in changeable(policy).items():
            if duty.rule.modality != "operator_default" and name == key:
                assert checked(policy, {name: after[name].value}) is not None
                if isinstance(duty.rule, Rule) and duty.rule.stricter_is == "greater":
                    assert _plain(after[name].value) >= _plain(duty.value)
                elif not isinstance(duty.rule, Rule) or duty.rule.stricter_is == "less":
                    assert _plain(after[name].value) <= _plain(duty.value)


def _plain(value):
    return value.amount if hasattr(value, "amount") else value


def test_what_a_rule_cannot_be_is_refused():
    law = policy_for("TR", on=TOMORROW)
    for key, value in (("review.months.high", "soon"), ("evidence.address.max_age_days", 0), ("four_eyes", 1)):
        with pytest.raises(NotAllowed) as refused:
            checked(law, {key: value})
        assert refused.value.key == key
    with pytest.raises(NotAllowed):
        checked(law, {"retention.identity_documents": Period(amount=7, unit="year")})
    assert checked(law, {"retention.identity_documents": Period(amount=9, unit="year")})


def test_every_value_that_may_change_and_every_rule_has_words():
    for policy in book().versions.values():
        for key in changeable(policy):
            assert labels.title(key) != key
        for path, rule in policy.rules():
            said = labels.said(rule)
            assert said, path
            assert not re.search(r"[a-z]_[a-z]", said), (path, said)
            if not path.startswith(("verification.levels", "enhanced.required", "four_eyes")):
                assert labels.title(path) != path


# ---------------------------------------------------------------------------------------------------------- previews
def test_a_preview_counts_in_the_cases(world):
    with time_machine.travel(NOON - timedelta(days=3), tick=False):
        slow = world.verification()
    case = verification.withdraw(slow, by=world.alice)
    assert case.closed_at is not None
    world.verification()
    rule_set = drafted(world, **{"verification.review_hours": 12})
    shown = page_of(world.bob).get(f"/rules/sets/{rule_set.code}/").content.decode()
    assert "1 of 1 finished case took longer." in shown


def test_each_kind_of_rule_that_stored_rows_answer_is_counted(world):
    """One world, one set: what each value would have done to what is there."""
    world.account(full_name="Genç Oyuncu", birth_date=date(2007, 11, 30))
    case = completed(world.verification("L1"), by=world.alice)
    seen = rules.evidence_digest(case).hex()
    facts = {"by": world.alice, "reason": "document_altered", "note": "", "seen": seen}
    confirm(verification.submit(case, "reject", **facts), by=world.bob)
    Case.objects.filter(pk=case.pk).update(closed_at=NOON - timedelta(days=40))
    enhanced = world.verification("L3")
    paper = bring(enhanced, "funds", "payslip", by=world.alice, inspected=False)
    verification.review(enhanced, by=world.alice)
    engine.accept(paper, by=world.alice)
    Evidence.objects.filter(pk=paper.pk).update(decided_at=NOON - timedelta(days=200))
    excluded(world.account(full_name="Ayşe Kaya"), term="6 month")
    excluded(world.account(full_name="Mehmet Demir"), kind="time_out", term="30 calendar_day")
    values = {
        "age.minimum": (20, "1 of 5 players would be too young."),
        "verification.objection_days": (60, "1 refused player could still object today; now 0."),
        "evidence.funds.good_for_days": (100, "1 of 1 accepted paper would be asked for anew by now."),
        "quality.second_look_percent": (100, "1 of 1 finished case would have been looked at again; now 0."),
        "exclusions.least": (Period(amount=9, unit="month"), "1 of 1 exclusion would not have been taken like this."),
        "exclusions.time_out_longest": (
            Period(amount=20, unit="calendar_day"),
            "1 of 1 exclusion would not have been taken like this.",
        ),
        "exclusions.decision_within": (
            Period(amount=3, unit="calendar_day"),
            "0 of 0 returns that wait for a decision would be late by now.",
        ),
    }
    with mock.patch.object(quality, "lot", lambda pk, at: 50):
        rule_set = drafted(world, **{key: value for key, (value, _said) in values.items()})
        told = {one.key: one.effect for one in previews.differences(rule_set)}
    assert told == {key: said for key, (_value, said) in values.items()}


def test_a_shorter_time_by_law_counts_the_cases_under_its_clock(world):
    """MT.CDD.30D."""
    malta = create_licensee(name="Malta", slug="malta", jurisdiction="MT", time_zone="Europe/Malta", by=system())
    Licensee.objects.filter(pk=world.licensee.pk).update(jurisdiction="MT", time_zone="Europe/Malta")
    account = world.account()
    crossed = NOON - timedelta(days=12)
    verification.open(account, level="L1", by=system(), because="threshold", crossed_at=crossed)
    for days, late in ((10, "1 of 1"), (15, "0 of 1")):
        said = past_the_law(account.licensee, "", None, Period(amount=days, unit="calendar_day"))
        assert said == f"{late} open case under this deadline would be past it by now."
    assert past_the_law(malta, "", None, Period(amount=1, unit="calendar_day")).startswith("0 of 0")


def test_what_nobody_counts_says_so(world):
    rule_set = drafted(world, **{"limits.reservation": Period(amount=2, unit="hour")})
    shown = page_of(world.bob).get(f"/rules/sets/{rule_set.code}/").content.decode()
    assert "This cannot be counted from what is kept here." in shown


def test_the_command_previews_a_set_by_its_code(world, capsys):
    code = drafted(world, **{"limits.reservation": Period(amount=2, unit="hour")}).code
    call_command("policy", "preview", code, "--json")
    (one,) = json.loads(capsys.readouterr().out)
    assert (one["key"], one["new"]) == ("limits.reservation", "2 hours") and one["old"] == "1 hour"
    call_command("policy", "preview", code)
    words = f"{one['title']}: {one['old']} -> 2 hours\n    this cannot be counted from what is kept here\n"
    assert capsys.readouterr().out == f"{world.licensee.slug}, from {TOMORROW}:\n{words}"
    with pytest.raises(CommandError, match="no set of rules nothing") as refused:
        call_command("policy", "preview", "nothing")
    assert refused.value.returncode == 2

"""Every line of the table of what meets an exclusion: the other matter is really open, every word of the line is tried,
and no text or answer tells of a cause.
"""

import difflib
from datetime import timedelta
from types import SimpleNamespace

import pytest
import time_machine
from django.db.models.functions import Now
from django.test import Client
from django.utils import timezone

from audit.actors import system
from cases import protection, texts
from cases.contacts.services import log_contact
from cases.mail import writing
from cases.models import Message
from cases.services import message_text
from cases.types.gaming import services
from cases.types.gaming.conflicts import TABLE
from cases.types.gaming.limits import ledger
from cases.types.gaming.models import GamingRequest, StopOrder
from cases.types.monitoring import freezes, routine
from cases.types.monitoring import services as investigations
from cases.types.verification import deadlines, holds
from cases.types.verification import services as verification
from cases.types.verification.models import VerificationFacts
from compliance.keys.services import shred_subject
from compliance.people.exclusions.models import Exclusion
from compliance.people.gate import permissions_of
from compliance.people.models import Customer
from compliance.people.returning import let_go
from compliance.people.services import open_account, register_customer
from compliance.policy.records import Period
from compliance.proposals.services import confirm, propose
from documents.keeping import reach
from tests.cases.test_suspicions import TestTwins as Suspected
from tests.gaming.kept_out import a_player, stopped
from tests.monitoring.conftest import an_investigation, the_aml_side
from tests.verification.conftest import asked, completed

TERM = Period(amount=6, unit="month")
EFFECTS = {"sign_in", "deposit", "play", "withdraw", "marketing"}
KEPT_OUT = {"deposit", "play", "marketing"}


def out(house, account):
    return services.keep_out(account, kind="self_exclusion", period=TERM, by=house.alice)


def gate(account):
    answers = permissions_of(account.licensee_id, account.reference)
    return {effect: (answer.allowed, answer.code, answer.until) for effect, answer in answers.items()}


# ------------------------------------------------------------------------- the other matter, open before the exclusion
def withdrawal(house, account):
    """The platform paid money in, and pays out when the player is kept out: no case of ours."""
    ledger.take(account, "TRY", [ledger.Reported("in", "deposit", 5_000, timezone.now())], by=house.key)


def hold(house, account):
    routine.hold(account.customer)


def investigation(house, account):
    """The same line of the table, another cause: what nobody outside the compartment may notice."""
    judy, _lara, ken = the_aml_side(house)
    found = an_investigation(house, judy, account)
    found = investigations.take_up(found, by=ken)
    return freezes.place(found, by=ken, reason="funds_may_leave")


def unfinished(house, account):
    return verification.open(account, level="L1", by=house.alice)


def privacy(house, account):
    return account.customer


def complaint(house, account):
    """No kind of case of its own: a contact on the player's open matter."""
    case = verification.open(account, level="L1", by=house.alice)
    said = {"channel": "phone", "direction": "in", "category": "complaint", "outcome": "passed_on"}
    return log_contact(case, by=house.alice, summary="Bonus verilmedi diyor", **said).contact


def stop_play(house, account):
    case = verification.open(account, level="L1", by=house.alice)
    return protection.stop_play(case, by=house.alice, reason="signs_of_harm")


MEETINGS = {
    "withdrawal": withdrawal,
    "hold": hold,
    "verification": unfinished,
    "privacy": privacy,
    "complaint": complaint,
    "stop_play": stop_play,
}
CAUSES = [*MEETINGS.items(), ("hold", investigation)]


# ------------------------------------------------------------------------------------------ each word that is no effect
def keep_out_goes_on(house, met):
    assert met.exclusion.state == "active"
    assert stopped(met.account) >= KEPT_OUT


def review_goes_on(house, met):
    assert verification.review(met.other, by=house.alice).state == "in_review"


def approve_goes_on(house, met):
    case = completed(met.other, by=house.alice)
    holds.hold(case, "lapsed", by=system(), reason="no_answer")
    confirm(propose("verification.approve", case, by=house.alice, reason="all_checks_met"), by=house.bob)
    assert not holds.of(case, holds.NEEDED).exists(), "it lifts what the verification had stopped"
    assert stopped(met.account) == KEPT_OUT, "and nothing else"
    assert [one.code for one in letters(met)][-1] == "approved"


def lapse_goes_on(house, met):
    case = asked(met.other, by=house.alice)
    VerificationFacts.objects.filter(case=case).update(answer_due_at=Now() - timedelta(seconds=1))
    assert deadlines.lapse_overdue() == 1
    assert gate(met.account)["withdraw"][0], "what is there can be withdrawn"
    assert [one.code for one in letters(met)][-2:] == ["request", "lapsed"]


def erase_goes_on(house, met):
    customer = met.account.customer
    shred_subject(customer.audit_subject, by=house.erin, reason="erasure_request")
    reach.empty(customer)
    let_go(customer)
    assert Customer.objects.get(pk=customer.pk).full_name == ""
    assert Exclusion.objects.get(pk=met.exclusion.pk).state == "active"
    born = Customer.objects.get(pk=met.account.customer_id).birth_date
    assert born is None
    again = register_customer(
        licensee=house.licensee, full_name="Ada Su", birth_date=met.born, nationality="TR", by=house.alice
    )
    back = open_account(customer=again, brand=house.brand, reference="P-again", by=house.alice)
    assert {"deposit", "play"} <= stopped(back), "the exclusion outlives the data"


def answer_goes_on(house, met):
    case = met.other.case
    message = writing.send(case, "answer", "Şikâyetinizi inceledik.", by=house.alice, token=met.exclusion.pk)
    assert "Şikâyetinizi inceledik." in message_text(message)


def survey_stops(house, met):
    """The house has no survey to send, to anybody."""
    assert not [code for code in texts.catalogue().messages if "survey" in code or "rate" in code.split("_")]
    for message in letters(met):
        for word in ("survey", "rate us", "anket", "puan ver"):
            assert word not in message_text(message).lower()


def goodwill_bonus_stops(house, met):
    """None is offered, and what runs is to be ended by the platform."""
    assert "bonuses" in StopOrder.objects.get(account=met.account).left
    for message in letters(met):
        assert "bonus" not in message_text(message).lower()


def lift_stop_goes_on(house, met):
    proposal = propose(protection.LIFT, met.other, by=house.alice, reason="cause_gone")
    with time_machine.travel(timezone.now() + protection.EARLIEST_LIFT + timedelta(minutes=1)):
        confirm(proposal, by=house.bob)
    met.other.refresh_from_db()
    assert met.other.lifted_at is not None
    assert stopped(met.account) == KEPT_OUT, "the exclusion holds on"


def letters(met):
    return list(Message.objects.filter(case__customer=met.account.customer_id).order_by("written_at", "id"))


WORDS = {
    ("keep_out", "goes_on"): keep_out_goes_on,
    ("review", "goes_on"): review_goes_on,
    ("approve", "goes_on"): approve_goes_on,
    ("lapse", "goes_on"): lapse_goes_on,
    ("erase", "goes_on"): erase_goes_on,
    ("answer", "goes_on"): answer_goes_on,
    ("lift_stop", "goes_on"): lift_stop_goes_on,
    ("survey", "stops"): survey_stops,
    ("goodwill_bonus", "stops"): goodwill_bonus_stops,
}


def test_every_line_and_every_word_of_it_is_tried():
    assert MEETINGS.keys() == TABLE.keys()
    said = {(word, "goes_on") for line in TABLE.values() for word in line.goes_on}
    said |= {(word, "stops") for line in TABLE.values() for word in line.stops}
    assert {one for one in said if one[0] not in EFFECTS} == WORDS.keys()


def tried():
    for name, opened in CAUSES:
        line = TABLE[name]
        for how in ("goes_on", "stops"):
            for word in getattr(line, how):
                yield pytest.param(name, opened, word, how, id=f"{opened.__name__}-{word}-{how}")


@pytest.mark.parametrize(("name", "opened", "word", "how"), list(tried()))
def test_a_word_of_a_line_holds(house, name, opened, word, how):
    account = a_player(house, "Ada Su")
    met = SimpleNamespace(account=account, born=account.customer.birth_date, other=opened(house, account))
    before = {message.code for message in letters(met)}
    met.exclusion, _case = out(house, account)
    if word in EFFECTS:
        assert gate(account)[word][0] is (how == "goes_on")
    else:
        WORDS[word, how](house, met)
    own = {"approved", "request", "lapsed", "answer"}  # what the other matter sends by itself
    meeting = {TABLE[name].text} - {""}
    assert {message.code for message in letters(met)} - before - own == {"exclusion_started"} | meeting


@pytest.mark.parametrize(("name", "opened"), CAUSES, ids=lambda one: getattr(one, "__name__", one))
def test_staff_read_the_rule_of_every_line_whatever_is_open(house, name, opened):
    account = a_player(house, "Ada Su")
    opened(house, account)
    _exclusion, case = out(house, account)
    page = Client()
    page.force_login(house.alice)
    shown = page.get(f"/cases/{case.number}/").content.decode()
    for line in TABLE.values():
        assert str(line.told) in shown


def test_a_paid_withdrawal_is_taken_and_no_deposit_fits(house):
    account = a_player(house, "Ada Su")
    withdrawal(house, account)
    out(house, account)
    taken = ledger.take(account, "TRY", [ledger.Reported("out", "withdrawal", 5_000, timezone.now())], by=house.key)
    assert taken.new == 1
    checked = Client().post(
        f"/api/v1/accounts/{account.reference}/limit-checks",
        {"act": "deposit", "currency": "TRY", "amount": 1},
        content_type="application/json",
        headers=house.headers,
    )
    assert (checked.status_code, checked.json()["allowed"]) == (200, 0)


# ------------------------------------------------------------------------------------------------------ no tipping off
def seen(house, case):
    """All that people outside the compartment are shown and the player is sent, without names and moments."""
    found = [Suspected.alike(message_text(case.messages.get()), case), str(gate(case.account))]
    for user in (house.alice, house.bob, house.grace, house.carol):
        client = Client()
        client.force_login(user)
        answer = client.get(f"/cases/{case.number}/")
        found.append((answer.status_code, Suspected.alike(answer.content.decode(), case)))
    found.append((case.state, case.priority, case.due_at - case.opened_at))
    return [str(one).replace(case.customer.full_name, "NAME") for one in found]


@pytest.mark.parametrize("first", ["the other matter", "the exclusion"])
def test_an_investigation_reads_like_a_hold_by_chance(house, first):
    """Whatever set the hold, and whichever came first: letter, gate and pages of the request are the same words."""
    cases = []
    for name, opened in (("Ada Su", investigation), ("Nil Su", hold)):
        account = a_player(house, name)
        Customer.objects.filter(pk=account.customer_id).update(birth_date=None)
        if first == "the other matter":
            opened(house, account)
        _exclusion, case = out(house, account)
        if first == "the exclusion":
            opened(house, account)
        assert gate(account)["withdraw"][:2] == (False, routine.CODE)
        cases.append(GamingRequest.objects.get(pk=case.pk))
    with time_machine.travel(timezone.now(), tick=False):
        shown = [seen(house, case) for case in cases]
    for one, other in zip(*shown, strict=True):
        assert list(difflib.unified_diff(one.split("\\n"), other.split("\\n"), n=0)) == []
    assert "investigat" not in " ".join(shown[0]).lower()


def test_no_letter_of_this_kind_names_a_cause_or_asks_to_stay():
    for code in ("time_out_started", "exclusion_started", "exclusion_open_started", "return_asked"):
        for language in texts.LANGUAGES:
            wording = texts.message(code, language, number="X", date="1", start="2")
            assert texts.banned(wording) == []
            for word in ("bonus", "offer", "survey", "suspici", "investigat", "teklif", "anket", "şüphe", "inceleme"):
                assert word not in wording.lower()

"""Nothing is disclosed before a check that the product itself decides; an exclusion needs none."""

import re
from datetime import date, timedelta

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from audit.models import Entry
from audit.perform import ConditionsNotMet, Denied
from cases.contacts import callers
from cases.contacts.models import CallerCheck

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(world):
    return world.verification("L1", national_id="10000000146")


def right(case):
    return {
        "birth_date": "14.03.1991",
        "national_id": "0146",
        "phone": "0532 123 45 67",
        "email": "ISIL@example.com",
        "reference": case.account.reference.lower(),
    }


def checked(case, by, **wrong):
    return callers.answer(callers.start(case, by=by), right(case) | wrong, by=by)


@pytest.mark.parametrize("fact", list(callers.QUESTIONS))
def test_each_fact_is_compared_and_each_wrong_answer_fails(world, case, fact):
    check = CallerCheck.objects.create(case=case, asked=[fact], started_at=timezone.now(), started_by=world.alice)
    other = CallerCheck.objects.create(case=case, asked=[fact], started_at=timezone.now(), started_by=world.alice)
    assert callers.answer(check, right(case), by=world.alice).passed is True
    assert callers.answer(other, right(case) | {fact: "19920315"}, by=world.alice).passed is False


@pytest.mark.parametrize("said", ["14.03.1991", "14/03/1991", "1991-03-14", "14 03 1991", "14031991"])
def test_a_date_of_birth_is_understood_as_people_say_it(world, case, said):
    check = CallerCheck.objects.create(case=case, asked=["birth_date"], started_at=timezone.now(), started_by=world.bob)
    assert callers.answer(check, {"birth_date": said}, by=world.bob).passed is True


def test_three_questions_are_drawn_and_the_result_is_recorded_without_answers(world, case):
    check = checked(case, world.alice)
    assert check.passed and len(check.asked) == 3
    entry = Entry.objects.get(action="contacts.check_caller")
    assert entry.facts["data"] == {"asked": check.asked, "passed": True}
    assert "14.03.1991" not in str(entry.facts)


def test_only_a_check_that_passed_shows_what_may_be_said(world, client, case):
    client.force_login(world.alice)
    for wrong, shown in [
        ({"phone": "9999", "birth_date": "x", "email": "x", "reference": "y", "national_id": "1"}, False),
        ({}, True),
    ]:
        client.post(reverse("cases:caller-start", args=[case.number]))
        check = CallerCheck.objects.latest("started_at")
        place = reverse("cases:caller", args=[case.number, check.pk])
        asked = client.get(place).content.decode()
        assert "We received it." not in asked and "1991" not in asked and "isil@" not in asked
        said = client.post(place, right(case) | wrong, follow=True).content.decode()
        assert ("We received it." in said) is shown
        assert ("must not be said" in said) is not shown


def test_it_holds_for_one_call_and_one_person(world, case):
    checked(case, world.alice)
    assert callers.may_disclose(case, world.alice)
    assert not callers.may_disclose(case, world.bob)
    assert not callers.may_disclose(world.verification("L1"), world.alice)
    with time_machine.travel(timezone.now() + timedelta(minutes=31)):
        assert not callers.may_disclose(case, world.alice)


def test_a_later_failure_takes_it_back(world, case):
    checked(case, world.alice)
    wrong = dict.fromkeys(callers.QUESTIONS, "nothing")
    checked(case, world.alice, **wrong)
    assert not callers.may_disclose(case, world.alice)


def test_nobody_guesses_on_after_three_failures_not_even_on_another_case_or_by_another_person(world, case):
    wrong = dict.fromkeys(callers.QUESTIONS, "nothing")
    for _ in range(3):
        assert checked(case, world.alice, **wrong).passed is False
    with pytest.raises(ConditionsNotMet):
        callers.start(case, by=world.bob)
    with time_machine.travel(timezone.now() + timedelta(hours=25)):
        assert checked(case, world.bob).passed


def test_asking_again_draws_no_easier_questions(world, case):
    first = callers.start(case, by=world.alice)
    assert all(callers.start(case, by=world.alice) == first for _ in range(5))


def test_checks_that_were_begun_together_are_counted_together(world, case):
    wrong = dict.fromkeys(callers.QUESTIONS, "nothing")
    begun = [callers.start(case, by=user) for user in (world.alice, world.bob, world.erin)]
    with time_machine.travel(timezone.now() + timedelta(minutes=31)):
        begun.append(callers.start(case, by=world.alice))
    for check in begun[:3]:
        assert callers.answer(check, wrong, by=check.started_by).passed is False
    with pytest.raises(ConditionsNotMet, match="Three checks failed"):
        callers.answer(begun[3], wrong, by=world.alice)


def test_a_check_is_answered_once(world, case):
    check = checked(case, world.alice, **dict.fromkeys(callers.QUESTIONS, "nothing"))
    with pytest.raises(ConditionsNotMet):
        callers.answer(check, right(case), by=world.alice)


def test_too_little_known_is_no_check(world, case):
    case.customer.birth_date = None
    case.customer.national_id_sealed = None
    case.account.phone_sealed = case.account.email_sealed = None
    with pytest.raises(ConditionsNotMet):
        callers.start(case, by=world.alice)


def test_who_may_not_work_on_the_case_checks_nobody(world, client, case):
    with pytest.raises(Denied):
        callers.start(case, by=world.carol)
    check = callers.start(case, by=world.alice)
    client.force_login(world.bob)
    assert client.get(reverse("cases:caller", args=[case.number, check.pk])).status_code == 404


def test_an_exclusion_needs_no_check(world, client, case):
    client.force_login(world.alice)
    page = client.get(reverse("cases:caller-start", args=[case.number])).content.decode()
    assert re.search(r"needs no check", page)
    assert (
        client.post(reverse("cases:stop-play", args=[case.number]), {"reason": "third_party_asked"}).status_code == 302
    )
    assert not CallerCheck.objects.exists()
    assert case.customer.birth_date == date(1991, 3, 14)

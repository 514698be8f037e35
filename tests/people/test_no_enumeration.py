"""Nobody learns from outside who works here: not by words, not by time, not by being locked out."""

import pytest
from django.conf import settings as project
from django.core import mail
from django.core.cache import cache
from django.db import connections
from django.db.models.functions import Now
from django.test import Client
from django.test.utils import CaptureQueriesContext

from audit.actors import system
from compliance.outbox.models import OutboxRow
from compliance.people import services as people
from compliance.people import staff
from compliance.people.access import letters
from compliance.people.access.models import Attempts
from compliance.people.models import User
from tests.hashing import QuickArgon2
from tests.people.signing import PASSWORD, type_in

RESET = "/accounts/password/reset/"


@pytest.fixture
def dan(house):
    cache.clear()
    return people.create_user(email="dan@example.com", name="Dan", password=PASSWORD, by=system())


def ask_for_link(email):
    return Client().post(RESET, {"email": email})


def seen(response):
    return (response.status_code, response.headers.get("Location"), sorted(response.headers))


def test_asking_for_a_link_says_the_same_and_leaves_a_row_each_time(dan, entries):
    known, unknown = ask_for_link("dan@example.com"), ask_for_link("who@example.com")
    assert seen(known) == seen(unknown)
    assert OutboxRow.objects.filter(kind=letters.RESET).count() == 2
    about = [(entry["actor"], entry["object"], entry.get("subject")) for entry in entries("access.ask_link")]
    assert about[0] == about[1], "nor does the log say more"
    assert mail.outbox == [], "the letter is not written while somebody waits"


def test_the_letter_opens_the_page_and_goes_to_nobody_else(dan):
    ask_for_link("dan@example.com"), ask_for_link("who@example.com")
    for row in OutboxRow.objects.filter(kind=letters.RESET):
        letters.reset_link(row)
    [letter] = mail.outbox
    assert letter.to == ["dan@example.com"]
    link = next(word for word in letter.body.split() if word.startswith("http")).removeprefix(project.BASE_URL)
    visitor = Client()
    page = visitor.get(link, follow=True)
    new = "another horse battery staple"
    visitor.post(page.request["PATH_INFO"], {"password1": new, "password2": new})
    assert type_in(Client(), "dan@example.com", new).status_code == 302


def test_a_closed_sign_in_gets_no_letter(dan):
    ask_for_link("dan@example.com")
    people.deactivate_user(dan, by=system())
    letters.reset_link(OutboxRow.objects.get(kind=letters.RESET))
    assert mail.outbox == []


def test_too_many_attempts_are_refused_for_a_known_and_an_unknown_address_alike(dan):
    said = {}
    for email in ("dan@example.com", "who@example.com"):
        cache.clear()
        answers = [type_in(Client(REMOTE_ADDR="198.51.100.9"), email, "wrong horse") for _try in range(7)]
        said[email] = [answer.content.decode().count("Too many") for answer in answers]
    assert said["dan@example.com"] == said["who@example.com"]
    assert said["dan@example.com"][:5] == [0] * 5 and said["dan@example.com"][-1] > 0
    assert type_in(Client(REMOTE_ADDR="198.51.100.9"), "who@example.com", PASSWORD).status_code == 200


def test_the_attempts_are_counted_where_all_processes_see_them(settings):
    assert settings.CACHES["default"]["BACKEND"] != "django.core.cache.backends.locmem.LocMemCache"


@pytest.fixture
def taken(settings, monkeypatch):
    """What takes the time of an answer, instead of a clock: passwords hashed, and statements on both connections."""
    settings.ACCOUNT_RATE_LIMITS = False
    hashed = []
    for name in ("encode", "verify"):
        monkeypatch.setattr(QuickArgon2, name, counting(hashed, getattr(QuickArgon2, name)))

    def by(attempt, *given):
        attempt(*given)  # the first one ever opens connections and rows
        hashed.clear()
        with CaptureQueriesContext(connections["default"]) as ran, CaptureQueriesContext(connections["log"]) as told:
            attempt(*given)
        return len(hashed), [one["sql"].split()[0] for one in ran], [one["sql"].split()[0] for one in told]

    return by


def counting(calls, function):
    def counted(*given, **facts):
        calls.append(function.__name__)
        return function(*given, **facts)

    return counted


def wrong(email):
    return type_in(Client(), email, "wrong horse battery")


@pytest.mark.parametrize(("attempt", "hashes"), [(wrong, 1), (ask_for_link, 0)])
def test_a_known_and_an_unknown_address_take_as_long(dan, taken, attempt, hashes):
    known, unknown = (taken(attempt, email) for email in ("dan@example.com", "who@example.com"))
    assert known == unknown
    assert known[0] == hashes


def test_past_the_limit_nobody_learns_which_sign_in_is_for_emergencies(dan, taken, settings):
    people.create_user(email="safe@example.com", name="Safe", password=PASSWORD, by=system())
    staff.mark_emergency(User.objects.get(email="safe@example.com"), by=system())
    settings.ACCOUNT_RATE_LIMITS = {"login_failed": "100/h/ip,1/h/key"}
    costs = [taken(wrong, f"{name}@example.com") for name in ("safe", "dan", "who")]
    assert costs[0] == costs[1] == costs[2] and costs[0][0] == 1
    said = [wrong(f"{name}@example.com").content.decode() for name in ("safe", "dan", "who")]
    assert [one.count("Too many") for one in said] == [said[0].count("Too many")] * 3 and "Too many" in said[0]


def test_a_right_password_that_comes_too_late_takes_as_long_as_a_wrong_one(dan, taken):
    Attempts.objects.create(user=dan, failed=100, locked_at=Now())
    assert taken(type_in, Client(), dan.email) == taken(type_in, Client(), dan.email, "wrong horse battery")

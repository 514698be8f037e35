"""Too many wrong passwords or codes in a row lock a sign-in, until a new password is set by link."""

from unittest import mock

import pytest
import time_machine
from django.conf import settings as real
from django.core import mail
from django.core.cache import cache
from django.test import Client, RequestFactory
from django.urls import reverse

from audit.actors import system
from compliance.outbox.models import OutboxRow
from compliance.people import sign_in, staff
from compliance.people.access import attempts, letters, limits
from compliance.people.access.models import Attempts
from tests.people.signing import PASSWORD, lets_in, type_in
from tests.people.test_factors import code, enrolled

MOST = 100


@pytest.fixture
def dan(signed):
    """Somebody with one guess left."""
    user, _client = signed("dan", "officer")
    Attempts.objects.create(user=user, failed=MOST - 1)
    return user


def guess(user, password="wrong horse"):
    cache.clear()  # the limits by minute are other tests' business
    client = Client()
    type_in(client, user.email, password)
    return client


def test_the_hundredth_in_a_row_locks_it_and_tells_its_owner(dan, entries):
    guess(dan)
    assert not lets_in(guess(dan, PASSWORD)), "the right password comes too late"
    [entry] = entries("access.lock_sign_in")
    assert (entry["data"], entry["object"]["id"]) == ({"failed": MOST}, str(dan.pk))
    letters.locked(OutboxRow.objects.get(kind=letters.LOCKED))
    [letter] = mail.outbox
    assert letter.to == [dan.email] and real.BASE_URL + reverse("account_reset_password") in letter.body


def test_it_reads_like_a_wrong_password(dan):
    def said(client, password):
        return type_in(client, dan.email, password).content.decode().split("csrfmiddlewaretoken")[0]

    guess(dan)
    cache.clear()
    assert said(Client(), PASSWORD) == said(Client(), "wrong horse")


def test_a_right_one_in_between_begins_anew(dan):
    assert lets_in(guess(dan, PASSWORD))
    guess(dan)
    assert not attempts.is_locked(dan)
    assert Attempts.objects.get(user=dan).failed == 1


def test_wrong_codes_count_and_whoever_is_half_way_in_stays_out(dan):
    enrolled(dan)
    half, other = guess(dan, PASSWORD), guess(dan, PASSWORD)
    other.post(reverse("mfa_authenticate"), {"code": "000000"})
    assert attempts.is_locked(dan)
    half.post(reverse("mfa_authenticate"), {"code": code()})
    assert not lets_in(half)


def test_the_right_one_for_a_lock_is_told_in_the_log_and_no_further_guess(dan, entries):
    guess(dan)
    guess(dan, PASSWORD)
    assert [one["reason"]["code"] for one in entries("people.fail_sign_in", "log")] == ["wrong_password", "locked"]
    assert Attempts.objects.get(user=dan).failed == MOST


def test_a_new_password_by_link_opens_it_again(dan):
    guess(dan)
    row = OutboxRow(kind=letters.RESET, payload={"user_id": str(dan.pk)})
    letters.reset_link(row)
    link = next(word for word in mail.outbox[0].body.split() if "/reset/key/" in word)
    client, new = Client(), "a quite new horse battery"
    page = client.get(link[link.index("/accounts/") :], follow=True)
    client.post(page.redirect_chain[-1][0], {"password1": new, "password2": new})
    assert lets_in(guess(dan, new))


def test_the_sign_in_for_emergencies_is_locked_by_nobody_who_knows_its_address(dan, entries):
    staff.mark_emergency(dan, by=system())
    guess(dan)
    guess(dan)
    assert lets_in(guess(dan, PASSWORD))
    assert entries("access.lock_sign_in") == [] and not OutboxRow.objects.filter(kind=letters.LOCKED).exists()


def test_nor_slowed_down_until_nobody_gets_in(dan):
    staff.mark_emergency(dan, by=system())
    stranger, owner = Client(REMOTE_ADDR="198.51.100.9"), Client(REMOTE_ADDR="198.51.100.10")
    said = [type_in(stranger, dan.email, "wrong horse").content.decode() for _guess in range(8)]
    assert "Too many" in said[-1] and "Too many" in type_in(owner, dan.email, "wrong horse").content.decode()
    type_in(owner, dan.email)
    assert lets_in(owner)


def test_who_guesses_without_end_is_stopped_there_too(dan, settings, monkeypatch):
    monkeypatch.setattr(sign_in, "GUESSES", 3)
    settings.ACCOUNT_RATE_LIMITS = {"login_failed": "3/h/ip,2/h/key"}
    staff.mark_emergency(dan, by=system())
    stranger = Client(REMOTE_ADDR="198.51.100.9")
    for _guess in range(3):
        type_in(stranger, dan.email, "wrong horse")
    type_in(stranger, dan.email)
    assert not lets_in(stranger)


def test_what_was_locked_and_is_set_aside_for_emergencies_opens(dan):
    guess(dan)
    staff.mark_emergency(dan, by=system())
    assert lets_in(guess(dan, PASSWORD))


def test_nobody_is_counted_for_an_address_that_nobody_has(db, house):
    type_in(Client(), "who@example.com")
    assert not Attempts.objects.exists()


def test_tries_are_counted_exactly_by_place_and_by_minute(db, rf):
    cache.clear()

    def tries(address, times, what="guess", most=3):
        return [limits.take(rf.get("/", REMOTE_ADDR=address), what, most=most) for _time in range(times)]

    with time_machine.travel("2026-11-20T10:00:30Z", tick=False):
        assert tries("198.51.100.9", 5) == [True, True, True, False, False]
        assert tries("198.51.100.10", 1) == tries("198.51.100.9", 1, "other") == [True]
        assert tries("2001:db8::1", 2) + tries("2001:db8::2", 2) == [True, True, True, False], "one network, one place"
        assert tries("2001:db8:0:1::1", 1) == [True]
    with time_machine.travel("2026-11-20T10:01:00Z", tick=False):
        assert tries("198.51.100.9", 4) == [True, True, True, False]
    with mock.patch.object(cache, "add", side_effect=ConnectionError), pytest.raises(ConnectionError):
        tries("198.51.100.11", 1)  # a cache that is away lets nobody guess


def test_as_many_guesses_as_the_library_lets_through_from_one_place():
    by_place = [one for one in real.ACCOUNT_RATE_LIMITS["login_failed"].split(",") if one.endswith("/ip")]
    assert by_place == [f"{sign_in.GUESSES}/m/ip"]


def test_an_ipv4_address_is_one_place_however_the_socket_spells_it():
    def place(address):
        return limits.place_of(RequestFactory().get("/", REMOTE_ADDR=address))

    assert place("::ffff:192.0.2.1") == place("192.0.2.1") != place("::ffff:192.0.2.2")
    assert place("2001:db8::1") == place("2001:db8::2") != place("2001:db8:0:1::1")

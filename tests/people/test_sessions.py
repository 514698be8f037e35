"""Sessions of staff: limits by role, the page of one's own, and what ends them."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from audit.actors import system
from compliance.people import services as people
from compliance.people.access.models import Session
from compliance.people.access.sessions import forget_old
from compliance.policy.staff import staff_rules
from tests.people.signing import PASSWORD, again, lets_in


def age(session, **by):
    """Move a session into the past, limits and all."""
    span = timedelta(**by)
    moved = {name: getattr(session, name) - span for name in ("started_at", "seen_at", "ends_at")}
    Session.objects.filter(pk=session.pk).update(**moved)


def test_a_session_knows_where_it_is(signed):
    user, client = signed("dan", "agent")
    session = Session.objects.get(user=user)
    assert (session.address, session.browser, session.factors) == ("192.0.2.7", "test browser", "password")
    assert lets_in(client)


@pytest.mark.parametrize(("role", "idle", "whole"), [("agent", 60, 720), ("admin", 15, 480), ("mlro", 15, 600)])
def test_a_role_has_its_limits(signed, role, idle, whole):
    user, _client = signed("dan", role)
    session = Session.objects.get(user=user)
    assert session.idle == timedelta(minutes=idle)
    assert abs(session.ends_at - session.started_at - timedelta(minutes=whole)) < timedelta(seconds=5)


def test_somebody_with_two_roles_has_the_shorter_limits(signed):
    user, _client = signed("dan", "admin", "manager")
    assert Session.objects.get(user=user).idle == timedelta(minutes=15)


@pytest.mark.parametrize(("minutes", "stays"), [(59, True), (61, False)])
def test_a_session_that_nobody_uses_ends(signed, entries, minutes, stays):
    user, client = signed("dan", "agent")
    Session.objects.update(seen_at=timezone.now() - timedelta(minutes=minutes))
    assert lets_in(client) is stays
    if not stays:
        assert Session.objects.get(user=user).ended_for == "idle"
        assert entries("access.end_session")[0]["data"]["why"] == "idle"
        assert "nothing was done here" in client.get("/accounts/login/").content.decode()


def test_a_session_that_is_used_ends_all_the_same(signed, entries):
    user, client = signed("dan", "agent")
    Session.objects.update(
        started_at=timezone.now() - timedelta(minutes=721), ends_at=timezone.now() - timedelta(minutes=1)
    )
    assert not lets_in(client)
    assert Session.objects.get(user=user).ended_for == "whole"


def test_a_request_counts_as_use(signed):
    _user, client = signed("dan", "agent")
    age(Session.objects.get(), minutes=30)
    assert lets_in(client)
    assert timezone.now() - Session.objects.get().seen_at < timedelta(seconds=10)


def test_a_session_without_its_row_opens_nothing(signed):
    """A cookie from a backup, or a session made by hand."""
    _user, client = signed("dan", "agent")
    Session.objects.all().delete()
    answer = client.get("/profile/")
    assert answer.status_code == 302
    assert "_auth_user_id" not in client.session


def test_another_persons_session_id_opens_nothing(signed):
    _dan, dans = signed("dan", "agent")
    eve, eves = signed("eve", "agent")
    theirs = eves.session
    theirs["staff_session"] = dans.session["staff_session"]
    theirs.save()
    assert not lets_in(eves)
    assert lets_in(dans)


def test_new_limits_reach_running_sessions_and_never_lengthen_them(signed, house):
    user, _client = signed("dan", "manager")
    people.join(user, house.team, "admin", by=system())
    assert Session.objects.get().idle == timedelta(minutes=15)
    people.leave(user, house.team, "admin", by=system())
    assert Session.objects.get().idle == timedelta(minutes=15)


def test_the_page_shows_ones_own_sessions_and_ends_the_others(signed):
    user, here = signed("dan", "agent")
    there, _stranger = again(user), signed("eve", "agent")
    page = here.get(reverse("sessions")).content.decode()
    assert page.count("192.0.2.7") == 2
    assert here.post(reverse("sessions-end"), {"session": "others"}).status_code == 302
    assert lets_in(here)
    assert not lets_in(there)
    assert "ended from another one" in there.get("/accounts/login/").content.decode()


def test_one_session_is_ended_by_its_id_and_no_strangers(signed):
    user, here = signed("dan", "agent")
    eve, eves = signed("eve", "agent")
    there = again(user)
    for named in (there.session["staff_session"], eves.session["staff_session"], "nonsense"):
        here.post(reverse("sessions-end"), {"session": named})
    assert (lets_in(here), lets_in(there), lets_in(eves)) == (True, False, True)


def test_signing_out_ends_the_row(signed):
    user, client = signed("dan", "agent")
    client.post("/accounts/logout/")
    assert Session.objects.get(user=user).ended_for == "signed_out"


def test_a_new_password_ends_the_other_sessions(signed):
    user, here = signed("dan", "agent")
    there = again(user)
    new = "another horse battery staple"
    here.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new})
    assert (lets_in(here), lets_in(there)) == (True, False)


def test_a_request_costs_one_question_more(signed):
    _user, client = signed("dan", "agent")
    lets_in(client)
    with connection.execute_wrapper(_counting(asked := [])):
        lets_in(client)
    assert sum("access_session" in sql for sql in asked) == 1


def _counting(asked):
    def note(execute, sql, params, many, context):
        asked.append(sql)
        return execute(sql, params, many, context)

    return note


def test_old_sessions_are_forgotten(signed):
    signed("dan", "agent")
    age(Session.objects.get(), days=31)
    signed("eve", "agent")
    assert forget_old() == 1
    assert Session.objects.count() == 1


def test_the_cookie_lives_as_long_as_the_longest_session(settings):
    rules = staff_rules(on=timezone.localdate()).sessions
    spans = [rules.default, rules.emergency, *rules.roles.values()]
    assert 60 * max(span.whole_minutes for span in spans) == settings.SESSION_COOKIE_AGE


def bell(client, **sent):
    headers = {"HX-Request": "true"} | {name.replace("_", "-"): value for name, value in sent.items()}
    said = client.get(reverse("cases:bell"), headers=headers).content.decode()
    return int(re.search(r'data-left="(\d+)"', said)[1]), "data-stay" in said


def test_what_a_page_asks_by_itself_keeps_no_session_open_and_says_how_long_is_left(signed):
    user, client = signed("dan", "agent")
    age(Session.objects.get(user=user), minutes=30)
    seen = Session.objects.get(user=user).seen_at
    left, stays = bell(client, Mizan_By_Itself="1")
    assert 1700 < left <= 1800 and stays
    assert Session.objects.get(user=user).seen_at == seen
    left, stays = bell(client)
    assert 3500 < left <= 3600 and stays
    assert Session.objects.get(user=user).seen_at > seen


def test_the_whole_time_of_a_session_is_not_made_longer(signed):
    user, client = signed("dan", "agent")
    Session.objects.filter(user=user).update(ends_at=timezone.now() + timedelta(minutes=3))
    left, stays = bell(client)
    assert 100 < left <= 180 and not stays

"""A page of the desk costs the same number of queries however much stands on it, and a deep page reads no more."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from cases import services as engine
from cases.drafts import services as drafts
from cases.lists import Asked
from cases.models import Case
from cases.queries import up_to
from cases.views import lists as views
from tests.papers import bring

pytestmark = pytest.mark.django_db
# Once a minute a page notes that the session was seen; each panel has a savepoint where a test is one transaction.
BESIDE = ('UPDATE "access_session" SET "seen_at"', "SAVEPOINT", "RELEASE SAVEPOINT")


def queries(client, address):
    client.get(address)  # what is kept for the process is kept now
    with CaptureQueriesContext(connection) as asked:
        answer = client.get(address)
    assert answer.status_code == 200
    return [one["sql"] for one in asked if not one["sql"].startswith(BESIDE)]


@pytest.fixture
def alice(client, world):
    client.force_login(world.alice)
    return client


def test_a_full_queue_costs_no_more_queries_than_a_short_one(alice, world, monkeypatch):
    monkeypatch.setattr(views, "PAGE", 3)
    world.verification()
    page = reverse("cases:queue") + "?view=all"
    short = queries(alice, page)
    for name in ("Ali Can", "Ömer Öz", "Çağla Şen", "Bob Brown"):
        case = world.verification("L1", full_name=name)
        engine.assign(case, to=world.bob, by=world.bob)
        bring(case, "identity_front", "passport", by=world.alice, inspected=False)
    full = queries(alice, page)
    older = alice.get(page).context["older_url"]
    assert len(full) == len(short) == len(queries(alice, reverse("cases:queue") + older))
    assert len(full) <= 40
    assert sum("count(*) FROM (SELECT" in sql for sql in full) == 2, "the tabs in one query, the rail in another"


def test_a_case_with_a_history_costs_no_more_queries_than_a_new_one(alice, world):
    new, old = (world.verification("L1", full_name=name) for name in ("Ali Can", "Ömer Öz"))
    for case, times in ((new, 1), (old, 4)):
        for n in range(times):
            engine.write_note(case, by=world.alice, text=f"Note {n}.")
            bring(case, "identity_front", "passport", by=world.alice, inspected=False)
        for place in ("note", "message", "contact")[:times]:
            drafts.keep(case, place, "Half a sen", by=world.alice)
    asked = [queries(alice, reverse("cases:case", args=[case.number])) for case in (new, old)]
    assert len(asked[0]) == len(asked[1]) <= 66, "a panel of its own is one more, never one for each of its rows"
    assert sum("drafts_draft" in sql for sql in asked[1]) == 1
    assert sum('SELECT 1 AS "a" FROM "cases_case"' in sql for sql in asked[1]) == 1, "may work: asked once"


def test_lists_counted_together_say_what_each_says_alone(world):
    for name in ("Ali Can", "Ömer Öz", "Çağla Şen"):
        engine.assign(world.verification("L1", full_name=name), to=world.alice, by=world.alice)
    every = Case.objects.visible_to(world.alice)
    lists = [every, every.filter(assignee=world.bob), every.none(), Asked(view="mine").rows(world.alice)]
    assert up_to(2, *lists) == [rows.up_to(2) for rows in lists] == [3, 0, 0, 3]
    assert up_to(2) == []

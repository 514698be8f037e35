"""The queue as an address: views, filters, order, saved views; pages that hold still while rows come and go."""

import re

import pytest
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.models import Entry
from cases import services as engine
from cases.lists import ORDERS, Asked
from cases.models import Case, SavedView
from cases.paging import BadCursor, page_of
from cases.search import everywhere

pytestmark = pytest.mark.django_db


def numbers_on(response):
    return re.findall(r'class="key"[^>]*href="/cases/([^/"]+)/"', response.content.decode())


def ask(client, user, **query):
    client.force_login(user)
    return client.get(reverse("cases:queue"), query)


@pytest.fixture
def some_cases(world):
    names = ["Zeynep Ak", "Işıl Yıldırım", "Ali Can", "Ömer Öz", "Çağla Şen", "Alice Adams", "Bob Brown"]
    return [world.verification("L1", full_name=name) for name in names]


@pytest.mark.parametrize("sort", sorted(ORDERS))
def test_going_through_the_pages_meets_every_case_once_in_order(world, some_cases, sort):
    order = ORDERS[sort]
    rows = Asked(view="all", sort=sort).rows(world.alice)
    expected = [case.number for case in rows.order_by(*order)]
    seen, after = [], ""
    while True:
        page = page_of(rows, order, size=2, after=after)
        seen += [case.number for case in page.rows]
        if seen == expected[:4]:
            inserted = world.verification("L1", full_name="Aa Aa").number  # comes while somebody turns the pages
        if not page.older:
            break
        after = page.older
    assert [number for number in seen if number != inserted] == expected
    back = page_of(rows, order, size=3, before=page.newer)
    now = [case.number for case in rows.order_by(*order)]
    begins = now.index(page.rows[0].number)
    assert [case.number for case in back.rows] == now[max(0, begins - 3) : begins]


@settings(
    max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
@given(cursor=st.text(max_size=60) | st.binary(max_size=40).map(bytes.hex))
def test_a_cursor_that_somebody_made_up_is_refused(world, cursor):
    if cursor:
        with pytest.raises(BadCursor):
            page_of(Case.objects.all(), ORDERS["due"], size=2, after=cursor)


def test_a_made_up_cursor_leads_to_the_first_page(world, client, some_cases):
    response = ask(client, world.alice, view="all", after="nonsense")
    assert (response.status_code, response.url) == (302, "/cases/?view=all")


def test_a_value_in_a_row_narrows_the_list_and_its_chip_widens_it_again(world, client, some_cases):
    engine.assign(some_cases[2], to=world.bob, by=world.alice)
    everything = ask(client, world.alice, view="all")
    narrow = re.search(r'href="(\?[^"]*by=[^"]+)"', everything.content.decode())[1].replace("&amp;", "&")
    client.force_login(world.alice)
    narrowed = client.get(reverse("cases:queue") + narrow)
    assert numbers_on(narrowed) == [some_cases[2].number]
    assert "Responsible" in narrowed.content.decode()
    wider = re.search(r'class="x" href="([^"]+)"', narrowed.content.decode())[1].replace("&amp;", "&")
    assert len(numbers_on(client.get(reverse("cases:queue") + wider))) == len(some_cases)


def test_the_same_address_shows_another_person_the_same_rows(world, client, some_cases):
    query = {"view": "all", "sort": "-player", "language": "tr"}
    assert numbers_on(ask(client, world.alice, **query)) == numbers_on(ask(client, world.bob, **query)) != []
    assert numbers_on(ask(client, world.mallory, **query)) == []


def test_overdue_cases_are_one_filter_away(world, client, some_cases):
    late = some_cases[3]
    Case.objects.filter(pk=late.pk).update(due_at=timezone.now())
    assert numbers_on(ask(client, world.alice, view="all", due="late")) == [late.number]


def test_a_view_is_saved_without_the_words_and_shared_with_the_team(world, client, some_cases):
    client.force_login(world.alice)
    fields = {"view": "all", "sort": "-age", "q": "Işıl", "name": "  Oldest   last ", "team": str(world.team.pk)}
    assert client.post(reverse("cases:save-view"), fields).status_code == 302
    view = SavedView.objects.get(owner=world.alice)
    assert (view.name, view.query) == ("Oldest last", "?view=all&sort=-age")
    assert "Oldest last" in ask(client, world.bob).content.decode()
    assert "Oldest last" not in ask(client, world.mallory).content.decode()
    entry = Entry.objects.get(action="cases.save_view", object_id=str(view.pk))
    assert "Oldest" not in bytes(entry.entry).decode()


def test_only_its_owner_removes_a_view(world, client):
    client.force_login(world.alice)
    client.post(reverse("cases:save-view"), {"view": "all", "name": "Mine"})
    view = SavedView.objects.get(owner=world.alice)
    client.force_login(world.bob)
    assert client.post(reverse("cases:drop-view", args=[view.pk])).status_code == 404
    client.force_login(world.alice)
    assert client.post(reverse("cases:drop-view", args=[view.pk])).status_code == 302
    assert not SavedView.objects.exists()


@pytest.mark.parametrize("fields", [{"name": " "}, {"name": "x" * 41}, {"name": "x", "team": "not-a-team"}])
def test_a_view_that_cannot_be_saved_is_refused_in_words(world, client, fields):
    client.force_login(world.alice)
    response = client.post(reverse("cases:save-view"), {"view": "all", **fields}, follow=True)
    assert not SavedView.objects.exists()
    assert re.search("at most 40 letters|own teams only", response.content.decode())


def test_a_name_with_a_typing_error_is_found_among_the_similar_ones(world):
    case = world.verification("L1", full_name="Ayşe Yılmaz")
    world.verification("L1", full_name="Mehmet Demir")
    hits = everywhere("Yilmas", user=world.alice)
    assert ([], [], [case]) == (hits.exact, hits.named, [Case.objects.get(pk=c.pk) for c in hits.similar])
    assert not everywhere("Yilmas", user=world.mallory)


def test_a_reference_is_found_in_any_case_of_letters(world):
    case = world.verification("L1")
    hits = everywhere(case.account.reference.lower(), user=world.alice)
    assert [found.number for found in hits.exact] == [case.number]

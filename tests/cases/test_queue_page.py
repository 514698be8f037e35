"""The queue's page: its views add up, its panel of filters, what came since it was shown, and the list as a file."""

import csv
import io
import re
from datetime import datetime, timedelta
from urllib.parse import unquote
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from audit.models import Entry
from cases import services as engine
from cases import snooze
from cases.lists import VIEWS, Asked
from cases.models import Case
from cases.presence import services as presence
from cases.tags.models import Tag
from cases.types.verification import services
from compliance.people.models import Customer, Licensee
from compliance.proposals.services import propose
from tests.cases.test_lists import ask, numbers_on, some_cases  # noqa: F401 - a fixture
from tests.cases.test_pages import proposed, rejected
from tests.papers import bring

pytestmark = pytest.mark.django_db


@pytest.fixture
def handled(world, some_cases):  # noqa: F811
    """Seven cases: Alice's, Bob's, one that waits for the player, one snoozed, one proposed, two that nobody has."""
    mine, bobs, waits, sleeps, proposed, *_free = some_cases
    engine.assign(mine, to=world.alice, by=world.alice)
    engine.assign(bobs, to=world.bob, by=world.bob)
    for case in (waits, proposed):
        bring(case, "identity_front", "passport", by=world.alice)
    waits, proposed = (services.review(case, by=world.alice) for case in (waits, proposed))
    engine.ask_again(waits.evidence.get(), by=world.alice, reasons=["image_glare"])
    services.ask(waits, by=world.alice)
    engine.accept(proposed.evidence.get(), by=world.alice)
    propose("verification.approve", proposed, by=world.alice, reason="all_checks_met", note="Looks right to me.")
    snooze.snooze(sleeps, by=world.alice, until=timezone.now() + timedelta(hours=2), because="technical")
    return some_cases


def in_view(name, user):
    return set(Asked(view=name).rows(user).values_list("number", flat=True))


def test_the_views_add_up_to_all_open_cases(world, handled):
    everybody = {world.alice, world.bob, *(case.assignee for case in Case.objects.exclude(assignee=None))}
    parts = [in_view("mine", each) for each in everybody] + [
        in_view(name, world.alice) for name in ("free", "waiting", "snoozed")
    ]
    assert all(in_view(name, world.alice) for name in ("mine", "free", "waiting", "snoozed"))
    assert sum(map(len, parts)) == len(set().union(*parts)) == len(in_view("all", world.alice)) == len(handled)


def test_a_tab_says_how_many_rows_its_list_has(world, client, handled):
    page = ask(client, world.alice, view="all").content.decode()
    for name in VIEWS:
        counted = int(re.search(rf'href="\?view={name}"[^>]*>[^<]*<span>(\d+)</span>', page)[1])
        assert counted == len(numbers_on(ask(client, world.alice, view=name))), name


def test_what_waits_for_my_approval_is_a_view_and_not_of_who_proposed_it(world, client, handled):
    assert numbers_on(ask(client, world.bob, view="approve")) == [handled[4].number]
    assert numbers_on(ask(client, world.alice, view="approve")) == []


def test_due_today_goes_by_the_licensees_day_and_leaves_out_what_waits(world, client, handled):
    licensee = handled[0].licensee
    tomorrow = licensee.day_starts(licensee.today() + timedelta(days=1))
    Case.objects.update(due_at=tomorrow + timedelta(days=3))
    late, last, waits = handled[0], handled[1], handled[2]
    Case.objects.filter(pk=late.pk).update(due_at=timezone.now() - timedelta(days=2))
    Case.objects.filter(pk__in=[last.pk, waits.pk]).update(due_at=tomorrow - timedelta(seconds=1))
    assert set(numbers_on(ask(client, world.alice, view="today"))) == {late.number, last.number}


def test_each_filter_of_the_panel_narrows_and_is_cleared_with_the_others(world, client, some_cases):  # noqa: F811
    first, second = some_cases[0], some_cases[1]
    Customer.objects.exclude(pk=first.customer_id).update(risk="low")
    Customer.objects.filter(pk=first.customer_id).update(risk="high")
    Case.objects.filter(pk=second.pk).update(opened_at=timezone.now() - timedelta(days=9))
    assert numbers_on(ask(client, world.alice, view="all", risk="high")) == [first.number]
    assert numbers_on(ask(client, world.alice, view="all", opened="older")) == [second.number]
    assert numbers_on(ask(client, world.alice, view="all", licensee=str(first.licensee_id)))
    assert not numbers_on(ask(client, world.alice, view="all", licensee=str(first.pk)))
    page = ask(client, world.alice, view="all", risk="high", q="Ak", sort="-age").content.decode()
    panel = page.partition('id="narrow"')[2].partition("</details>")[0]
    assert re.search(r'<option value="high" selected>', panel)
    assert 'href="?view=all&amp;q=Ak&amp;sort=-age">Clear filters' in panel


def test_the_highest_risk_comes_first_and_whoever_is_responsible_in_order(world, some_cases):  # noqa: F811
    for case, risk in zip(some_cases, ("low", "high", "medium"), strict=False):
        Customer.objects.filter(pk=case.customer_id).update(risk=risk)
    Customer.objects.exclude(pk__in=[case.customer_id for case in some_cases[:3]]).update(risk="low")
    engine.assign(some_cases[5], to=world.bob, by=world.bob)
    engine.assign(some_cases[6], to=world.alice, by=world.alice)
    by_risk = Asked(view="all", sort="-risk").rows(world.alice).order_by("-risk_rank", "id")
    assert [case.customer.risk for case in by_risk][:3] == ["high", "medium", "low"]
    by_name = Asked(view="all", sort="-by").rows(world.alice).order_by("-by_name", "id")
    assert [case.by_name for case in by_name][:3] == ["Bob", "Alice", ""]


def polled(client, page):
    address = re.search(r'id="news" hx-get="([^"]+)"', page)[1].replace("&amp;", "&")
    return client.get(address, headers={"HX-Request": "true"}).content.decode()


def test_what_came_since_is_offered_and_no_row_moves(world, client, some_cases):  # noqa: F811
    page = ask(client, world.alice, view="free", language="tr").content.decode()
    assert "new or changed" not in polled(client, page)
    engine.write_note(some_cases[0], by=world.bob, text="Nothing that moves it.")
    assert "new or changed" not in polled(client, page)
    world.verification("L1", full_name="Yeni Oyuncu")
    said = polled(client, page)
    assert "1 new or changed – show" in said
    assert "<tr" not in said
    assert numbers_on(ask(client, world.alice, view="free", language="tr"))


def test_what_does_not_match_the_filter_is_never_announced(world, client, some_cases):  # noqa: F811
    page = ask(client, world.alice, view="mine", by=str(world.alice.pk)).content.decode()
    world.verification("L1")
    assert "new or changed" not in polled(client, page)
    engine.assign(some_cases[0], to=world.alice, by=world.bob)
    assert "1 new or changed" in polled(client, page)


def told_since(client, user, since, **query):
    """What a list that was shown at that moment would be told, with nothing on it."""
    client.force_login(user)
    asked = {"view": "all", "since": since if isinstance(since, str) else since.isoformat(), **query}
    return client.get(reverse("cases:news"), asked, headers={"HX-Request": "true"}).content.decode()


def test_nobody_is_told_of_what_they_do_not_see(world, client, some_cases):  # noqa: F811
    hour_ago = timezone.now() - timedelta(hours=1)
    assert f"{len(some_cases)} new or changed" in told_since(client, world.alice, hour_ago)
    on = ",".join(case.number for case in some_cases)
    said = told_since(client, world.mallory, hour_ago, on=on)
    assert "new or changed" not in said
    assert not [case.number for case in some_cases if f'id="at-{case.number}"' in said]


def test_a_list_is_told_of_nothing_older_than_a_day(world, client, some_cases):  # noqa: F811
    now, facts = timezone.now(), {field.attname: getattr(some_cases[0], field.attname) for field in Case._meta.fields}
    for hours in (1, 48):
        account = world.account()
        facts |= {"id": uuid4(), "number": f"KYC-26-9000{hours:02}-0", "changed_at": now - timedelta(hours=hours)}
        Case.objects.bulk_create([Case(**facts | {"account_id": account.pk, "customer_id": account.customer_id})])
    Case.objects.filter(pk__in=[case.pk for case in some_cases]).update(closed_at=now, outcome="withdrawn")
    assert "1 new or changed" in told_since(client, world.alice, "2020-01-01T00:00:00+00:00")
    assert "new or changed" not in told_since(client, world.alice, "nonsense")


def test_what_was_committed_only_after_the_rows_were_read_is_told(world, client, some_cases):  # noqa: F811
    """Its moment is that of the writing, a little before the page's own: it must not fall between."""
    page = ask(client, world.alice, view="all", language="tr").content.decode()
    shown = timezone.now()
    late = world.verification("L1")
    address = re.search(r'id="news" hx-get="([^"]+)"', page)[1]
    since = datetime.fromisoformat(unquote(re.search(r"since=([^&]+)", address)[1]))
    assert timedelta(seconds=3) < shown - since < timedelta(minutes=5)
    assert "1 new or changed" in polled(client, page)
    engine.assign(late, to=world.alice, by=world.alice)
    engine.assign(some_cases[0], to=world.alice, by=world.alice)
    assert "2 new or changed" in polled(client, page)
    told = polled(client, page)
    assert "2 new or changed" in polled(client, told)  # and again, by the address of the answer


def test_what_was_there_already_on_another_page_is_no_news(world, client, handled, monkeypatch):
    monkeypatch.setattr("cases.views.lists.PAGE", 1)
    page = ask(client, world.bob, view="all").content.decode()
    assert "new or changed" not in polled(client, page)
    case = next(case for case in handled if case.number not in page and not case.closed_at)
    engine.assign(case, to=world.erin, by=world.erin)
    assert "1 new or changed" in polled(client, page)


def test_a_proposal_on_a_row_that_is_shown_is_news_and_one_that_was_shown_is_not(world, client, handled):
    case = services.review(handled[5], by=world.alice)
    page = ask(client, world.bob, view="all").content.decode()
    assert "new or changed" not in polled(client, page)
    propose("verification.reject", case, by=world.alice, reason="person_differs")
    assert "1 new or changed" in polled(client, page)


def test_no_proposal_on_another_thing_takes_the_place_of_one_to_approve(world, client, monkeypatch):
    monkeypatch.setattr("cases.lists.COUNTED", 1)
    for _ in range(2):
        closed = rejected(world)
        propose("verification.reopen", closed, by=world.bob, reason="new_evidence")
    waits = proposed(world)
    assert numbers_on(ask(client, world.erin, view="approve")) == [waits.number]


def test_names_of_other_houses_are_not_told_to_who_asks_by_their_id(world, client, some_cases):  # noqa: F811
    """A filter of an address that somebody sent stands as the id that it is."""
    elsewhere = Licensee.objects.exclude(pk=world.licensee.pk).get(slug__endswith="-other")
    tag = Tag.objects.create(licensee=elsewhere, name="of_another_house")
    client.force_login(world.alice)
    for address in (reverse("cases:queue"), reverse("cases:take-list")):
        said = client.get(address, {"view": "all", "licensee": str(elsewhere.pk)}).content.decode()
        assert str(elsewhere.pk) in said
        assert elsewhere.name not in said
        said = client.get(address, {"view": "all", "tag": str(tag.pk)}).content.decode()
        assert str(tag.pk) in said
        assert "of_another_house" not in said
        said = client.get(address, {"view": "all", "by": str(world.mallory.pk)}).content.decode()
        assert "Mallory" not in said
        said = client.get(address, {"view": "all", "by": str(world.bob.pk)}).content.decode()
        assert "<b>Bob</b>" in said


def test_a_case_that_comes_back_by_itself_and_a_proposal_are_news(world, client, handled):
    page = ask(client, world.bob, view="approve").content.decode()
    assert "new or changed" not in polled(client, page)
    other = services.review(handled[5], by=world.alice)
    propose("verification.reject", other, by=world.alice, reason="person_differs")
    assert "1 new or changed" in polled(client, page)


def test_who_looks_at_a_row_is_seen_in_the_list_without_loading_it_again(world, client, some_cases):  # noqa: F811
    page = ask(client, world.alice, view="all").content.decode()
    presence.look(some_cases[0], by=world.bob)
    seen = re.search(rf'id="at-{some_cases[0].number}" hx-swap-oob="true">(.*?)</span></span>', polled(client, page))
    assert "Bob" in seen[1]


def test_nobody_reads_by_asking_for_news(world, client, some_cases):  # noqa: F811
    """A list with words in it does not ask."""
    client.force_login(world.alice)
    asked = {"view": "all", "q": "Zeynep", "since": "2020-01-01T00:00:00+00:00"}
    answer = client.get(reverse("cases:news"), asked, headers={"HX-Request": "true"})
    assert answer.status_code == 302


def taken(client, user, **query):
    client.force_login(user)
    address = reverse("cases:take-list") + Asked(**query).address()
    return client.post(address, {"reason": "The lead wants to plan the week."})


@pytest.mark.parametrize(
    "query",
    [{"view": "all"}, {"view": "all", "sort": "-player"}, {"view": "free", "sort": "-risk"}, {"view": "snoozed"}],
)
def test_the_file_has_the_rows_of_the_list_in_its_order_and_no_name(world, client, handled, query):
    shown = numbers_on(ask(client, world.alice, **query))
    answer = taken(client, world.alice, **query)
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["tracking number"] for row in rows] == shown != []
    assert not [name for name in Customer.objects.values_list("full_name", flat=True) if name in text]
    entry = Entry.objects.get(action="cases.take_list")
    assert "plan the week" not in bytes(entry.entry).decode()
    assert f'"rows":{len(shown)}' in bytes(entry.entry).decode().replace(" ", "")


def test_a_file_without_a_reason_or_of_what_one_does_not_see_is_empty(world, client, some_cases):  # noqa: F811
    client.force_login(world.alice)
    assert client.post(reverse("cases:take-list"), {"reason": ""}).status_code == 422
    assert not Entry.objects.filter(action="cases.take_list").exists()
    rows = b"".join(taken(client, world.mallory, view="all").streaming_content).decode().splitlines()
    assert len(rows) == 1


def test_who_looks_how_long_a_file_would_be_is_in_the_log(world, client, some_cases, monkeypatch):  # noqa: F811
    """The count alone tells whom the words fit."""
    client.force_login(world.alice)
    address = reverse("cases:take-list") + Asked(view="all", q="Zeynep").address()
    for showing in (client.get, client.post):
        before = Entry.objects.filter(action="cases.list").count()
        showing(address)
        assert Entry.objects.filter(action="cases.list", actor_id=str(world.alice.pk)).count() == before + 1
    monkeypatch.setattr("cases.views.news.COUNTED", 2)
    assert "more than 2 open cases" in client.get(reverse("cases:take-list")).content.decode()

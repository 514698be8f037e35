"""Contacts in seconds, what follows from them, and call-backs that no handover loses."""

import re
from datetime import date, timedelta
from importlib import import_module
from uuid import uuid4

import pytest
import time_machine
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import connection, migrations
from django.urls import reverse
from django.utils import timezone

from audit.actors import system
from audit.models import Entry
from audit.perform import ConditionsNotMet, Denied
from cases import services as engine
from cases.contacts import services, wording
from cases.contacts.models import Contact, Task
from cases.models import Case
from tests.papers import bring

pytestmark = pytest.mark.django_db
DAY = date(2026, 11, 22)


@pytest.fixture
def case(world):
    return world.verification("L1")


def logged(case, by, summary="Belgeyi sordu", **facts):
    given = {"channel": "phone", "direction": "in", "category": "verification", "outcome": "answered"}
    return services.log_contact(case, by=by, summary=summary, **given | facts)


def typed(**facts):
    given = {"channel": "phone", "direction": "in", "category": "verification", "outcome": "answered"}
    return given | {"language": "tr", "summary": "Belgeyi sordu", "call_back_at": ""} | facts


def test_a_contact_is_logged_from_the_case_page_and_stands_in_its_timeline(world, client, case):
    client.force_login(world.alice)
    page = client.get(reverse("cases:case", args=[case.number])).content.decode()
    assert f'action="{reverse("cases:contact", args=[case.number])}"' in page
    answer = client.post(reverse("cases:contact", args=[case.number]), typed(solved_at_once="on"), follow=True)
    contact = Contact.objects.get()
    assert (contact.solved_at_once, contact.language, contact.logged_by) == (True, "tr", world.alice)
    shown = answer.content.decode()
    assert "Belgeyi sordu" in shown and "logged a contact" in shown
    assert "Belgeyi" not in str(Entry.objects.get(action="contacts.log").facts)


def test_the_form_needs_no_script_and_with_htmx_only_the_content_changes(world, client, case):
    client.force_login(world.alice)
    page = client.get(reverse("cases:case", args=[case.number])).content.decode()
    form = page[
        page.index('<details class="part" id="contact">') : page.index("</details>", page.index('id="contact"'))
    ]
    assert 'method="post"' in form and "hx-post" in form and 'hx-select="#main"' in form
    wrong = client.post(reverse("cases:contact", args=[case.number]), typed(summary=""), headers={"HX-Request": "true"})
    assert wrong.status_code == 422
    assert 'id="main"' in wrong.content.decode() and "Write in a line" in wrong.content.decode()


def test_a_second_click_is_the_same_contact_with_one_promise(world, client, case):
    client.force_login(world.alice)
    page = client.get(reverse("cases:contact", args=[case.number])).content.decode()
    token = page.partition('name="token" value="')[2].partition('"')[0]
    at = (timezone.now() + timedelta(days=1)).strftime("%Y-%m-%d %H:%M")
    sent = typed(outcome="call_back", call_back_at=at, token=token)
    for _click in range(2):
        assert client.post(reverse("cases:contact", args=[case.number]), sent).status_code == 302
    assert (Contact.objects.count(), Task.objects.count()) == (1, 1)
    client.post(reverse("cases:contact", args=[case.number]), sent | {"token": str(uuid4())})
    assert Contact.objects.count() == 2


def test_no_card_number_is_kept(world, case):
    contact = logged(case, world.alice, "kartı 4111 1111 1111 1111 cvv 123").contact
    assert services.summary_of(contact) == "kartı •••• 1111 cvv •••"


def test_who_only_reads_logs_nothing(world, client, case):
    with pytest.raises(Denied):
        logged(case, world.carol)
    client.force_login(world.carol)
    assert client.post(reverse("cases:contact", args=[case.number]), typed()).status_code == 403
    client.force_login(world.mallory)
    assert client.post(reverse("cases:contact", args=[case.number]), typed()).status_code == 404
    assert not Contact.objects.exists()


class TestCallBacks:
    def promised(self, world, case, hours=2):
        at = timezone.now() + timedelta(hours=hours)
        return logged(case, world.alice, outcome="call_back", call_back_at=at).call_back

    @pytest.mark.parametrize("hours", [None, -1])
    def test_a_promise_without_a_time_to_come_is_refused(self, world, case, hours):
        at = timezone.now() + timedelta(hours=hours) if hours else None
        with pytest.raises(ConditionsNotMet):
            logged(case, world.alice, outcome="call_back", call_back_at=at)
        assert not Contact.objects.exists() and not Task.objects.exists()

    def test_it_becomes_due(self, world, case):
        self.promised(world, case)
        assert services.due_count(world.alice) == 0
        with time_machine.travel(timezone.now() + timedelta(hours=3)):
            assert services.due_count(world.alice) == 1

    def test_it_survives_a_handover_and_the_end_of_a_sign_in(self, world, client, case):
        task = self.promised(world, case)
        engine.assign(case, to=world.alice, by=world.alice)
        engine.assign(case, to=world.erin, by=world.alice)
        type(world.alice).objects.filter(pk=world.alice.pk).update(is_active=False)
        client.force_login(world.erin)
        assert case.number in client.get(reverse("cases:due")).content.decode()
        assert list(services.open_tasks(world.erin)) == [task]
        client.force_login(world.mallory)
        assert case.number not in client.get(reverse("cases:due")).content.decode()

    def test_it_ends_with_an_outcome_only(self, world, client, case):
        task = self.promised(world, case)
        client.force_login(world.bob)
        address = reverse("cases:settle", args=[case.number, task.pk])
        assert client.post(address, {}).status_code == 422
        assert client.post(address, {"outcome": "spoke"}).status_code == 422  # that of another kind of task
        assert services.open_tasks(world.bob).count() == 1
        assert client.post(address, {"outcome": "reached"}).status_code == 302
        done = Task.objects.get()
        assert (done.outcome, done.closed_by, services.open_tasks(world.bob).count()) == ("reached", world.bob, 0)
        assert client.post(address, {"outcome": "reached"}).status_code == 409

    def test_an_outsider_settles_nothing(self, world, case):
        task = self.promised(world, case)
        for user in (world.carol, world.mallory):
            with pytest.raises(Denied):
                services.settle(task, by=user, outcome="reached")


class TestWordsThatAskForCare:
    @pytest.mark.parametrize(
        "said",
        [
            "Artık yaşamak istemiyorum",
            "KENDİMİ ÖLDÜRÜRÜM dedi",
            "intiharı düşündüğünü söyledi",
            "says he will kill himself",
            "I want to die",
            "Er will sich umbringen",
            "Он не хочет жить",
            "أريد أن أموت",
        ],
    )
    def test_an_urgent_task_is_opened(self, world, case, said):
        care = logged(case, world.alice, said).care
        assert care is not None and care.due_at <= timezone.now()
        assert services.open_tasks(world.bob).first() == care
        assert said not in str(Entry.objects.get(action="tasks.call_for_care").facts)

    @pytest.mark.parametrize("said", ["Belge yükledi", "he wants to kill time", "died laughing", "yaşamak güzel"])
    def test_other_words_open_none(self, world, case, said):
        assert logged(case, world.alice, said).care is None

    def test_it_stands_above_everything_and_stays_until_there_is_an_outcome(self, world, client, case):
        logged(case, world.alice, outcome="call_back", call_back_at=timezone.now() + timedelta(minutes=1))
        care = logged(case, world.alice, "intihar").care
        assert [task.kind for task in services.open_tasks(world.alice)] == ["care", "call_back"]
        with time_machine.travel(timezone.now() + timedelta(days=40)):
            assert services.open_tasks(world.alice).first() == care
        client.force_login(world.alice)
        assert "Urgent" in client.get(reverse("cases:case", args=[case.number])).content.decode()

    def test_the_list_of_the_day_is_used_and_named(self, world, case):
        assert logged(case, world.alice).contact.word_list == wording.words_of(DAY).effective_from

    @pytest.mark.parametrize("flaw", ["source", "date", "empty"])
    def test_a_broken_list_says_what_is_wrong(self, tmp_path, flaw):
        text = 'effective_from = 2027-01-01\nsource = "x"\n[self_harm]\nen = ["suicid"]\n[losses]\nen = ["lost"]\n'
        text = {
            "source": text.replace('source = "x"', ""),
            "date": text.replace("2027-01-01", "2027-02-01"),
            "empty": text.replace('"lost"', '""'),
        }[flaw]
        file = tmp_path / "2027-01-01.toml"
        file.write_text(text)
        with pytest.raises(wording.BrokenWords, match=r"2027-01-01\.toml"):
            wording.read(file)


@pytest.mark.parametrize(
    ("category", "said", "offered"),
    [
        ("close_account", "Çok kaybettim, kapatın", True),
        ("close_account", "lost my salary", True),
        ("close_account", "Artık kullanmıyorum", False),
        ("complaint", "Çok kaybettim", False),
    ],
)
def test_a_closing_that_mentions_losses_is_offered_as_an_exclusion(world, client, case, category, said, offered):
    client.force_login(world.alice)
    answer = client.post(reverse("cases:contact", args=[case.number]), typed(category=category, summary=said))
    place = "offer-exclusion" if offered else "case"
    assert answer["Location"] == reverse(f"cases:{place}", args=[case.number])
    if offered:
        assert reverse("cases:stop-play", args=[case.number]) in client.get(answer["Location"]).content.decode()


def test_the_player_reads_nothing_of_a_contact(world, case):
    bring(case, "identity_front", "passport", by=world.alice)
    logged(case, world.alice, "gizli sözler")
    assert all("gizli" not in engine.message_text(message) for message in case.messages.all())


# ------------------------------------------------------------------------------------------------- the last contact
def quiet(client, user, days):
    """Numbers of the cases without contact for so many days, the longest first, as the queue shows them."""
    client.force_login(user)
    page = client.get(reverse("cases:queue"), {"view": "all", "contact": days, "sort": "contact", "cols": "contact"})
    return re.findall(r'class="key"[^>]*href="/cases/([^/"]+)/"', page.content.decode())


def test_the_list_knows_with_whom_nobody_was_in_touch(world, client):
    now = timezone.now()
    called, silent, missed, told, fresh = (
        world.verification(full_name=name) for name in ("Ali Can", "Ömer Öz", "Işıl Ak", "Bob Brown", "Can Er")
    )
    Case.objects.exclude(pk=fresh.pk).update(opened_at=now - timedelta(days=9))
    logged(called, by=world.alice, happened_at=now - timedelta(days=5))
    logged(missed, by=world.alice, outcome="no_answer", direction="out")
    engine.write_message(told, "answer", by=world.alice, text="Merhaba")
    engine.write_message(
        silent, "receipt", by=system(), text="Merhaba"
    )  # what the product sends by itself is no contact
    longest, *others = quiet(client, world.alice, 7)
    assert {longest, *others} == {silent.number, missed.number}
    assert set(quiet(client, world.alice, 3)) == {called.number, silent.number, missed.number}
    assert quiet(client, world.alice, 3)[-1] == called.number
    page = client.get(reverse("cases:queue"), {"view": "all", "cols": "contact"}).content.decode()
    assert "Last contact" in page and "none yet" in page
    assert "Last contact</a>" not in client.get(reverse("cases:queue"), {"view": "all"}).content.decode()
    logged(called, by=world.alice)
    logged(called, by=world.alice, happened_at=now - timedelta(days=6))  # logged later, it takes nothing back
    called.save()  # nor does a row that was read before
    assert set(quiet(client, world.alice, 3)) == {silent.number, missed.number}


def test_cases_from_before_get_it_a_few_at_a_time_and_nobody_waits(world, monkeypatch):
    column, before, index = (
        import_module(f"cases.migrations.{name}")
        for name in ("0007_last_contact", "0008_last_contact_before", "0009_by_last_contact")
    )
    kinds = [type(step) for step in column.Migration.operations]
    assert kinds == [migrations.RunSQL, migrations.AddField, migrations.RunSQL] and column.NOT_LONG
    assert "UPDATE cases_case SET" not in column.LATER
    assert not before.Migration.atomic and not index.Migration.atomic
    assert isinstance(index.Migration.operations[-1], AddIndexConcurrently)

    called, missed, told, both, received = (world.verification(full_name=name) for name in ("A", "B", "C", "D", "E"))
    now = timezone.now()
    for name in ("cases.contacts.services", "cases.services"):  # as the product was before it wrote the moment down
        monkeypatch.setattr(f"{name}.in_touch", lambda case, *, at: None)
    logged(called, by=world.alice, happened_at=now - timedelta(days=5))
    logged(missed, by=world.alice, outcome="no_answer", direction="out")
    message = engine.write_message(told, "answer", by=world.alice, text="Merhaba")
    logged(both, by=world.alice, happened_at=now - timedelta(days=6))
    logged(both, by=world.alice, happened_at=now - timedelta(days=3))
    engine.write_message(received, "receipt", by=system(), text="Merhaba")
    assert not Case.objects.exclude(last_contact_at=None).exists()
    monkeypatch.setattr(before, "AT_ONCE", 2)
    with connection.schema_editor(atomic=False) as editor:
        for _again in range(2):
            before.fill(None, editor)
            known = dict(Case.objects.values_list("pk", "last_contact_at"))
            assert known[called.pk] == now - timedelta(days=5) and known[both.pk] == now - timedelta(days=3)
            assert known[told.pk] == message.written_at
            assert known[missed.pk] is known[received.pk] is None

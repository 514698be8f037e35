"""Macros: light acts under a name; in words before they are done, all or nothing, and taken back."""

import html
import re
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils import timezone

from audit.models import Entry
from audit.perform import ConditionsNotMet, StaleVersion
from cases.drafts import services as drafts
from cases.macros import services
from cases.macros.models import Macro
from cases.models import Case, Message, Note
from cases.snooze import snooze
from cases.tags import services as tags
from compliance.proposals import acts
from compliance.proposals.models import Proposal

pytestmark = pytest.mark.django_db
LINE = "Belgenizin arka yüzünü de yükleyin."


@pytest.fixture
def case(world):
    return world.verification("L1")


@pytest.fixture
def tag(world):
    return tags.make(world.licensee, "arka yüz", by=world.bob)


def everything(tag):
    return [
        {"act": "snooze", "days": 3, "because": "file_expected"},
        {"act": "message", "text": LINE, "language": "tr"},
        {"act": "tag", "tag": str(tag.pk)},
        {"act": "note", "text": "Arka yüz istendi."},
    ]


def fresh(case):
    return Case.objects.get(pk=case.pk)


def used(macro, case, by):
    """As who just looked at it."""
    return services.use(macro, case, by=by, version=fresh(case).version, shown=services.digest_of(macro))


def looked(page):
    """What the page that was looked at sends along."""
    return dict(re.findall(r'name="(version|shown)" value="(\w+)"', page.content.decode()))


def test_it_is_saved_shown_in_words_done_at_once_and_taken_back(world, client, case, tag):
    client.force_login(world.alice)
    listed = reverse("cases:macros")
    assert "No macro yet" in client.get(listed).content.decode()
    given = {"name": "Arka yüz eksik", "team": world.team.pk, "note": "Arka yüz istendi.", "tag": tag.pk}
    given |= {"message": LINE, "language": "tr", "days": 3, "because": "file_expected"}
    assert client.post(listed, given).status_code == 302
    macro = Macro.objects.get()
    assert [step["act"] for step in macro.steps] == list(services.LIGHT), "in the order in which it is done"
    assert "Arka yüz eksik" in client.get(listed).content.decode()

    page = client.get(reverse("cases:case", args=[case.number])).content.decode()
    address = reverse("cases:macro-use", args=[case.number, macro.pk])
    assert f'data-command href="{address}"' in page, "the palette offers it"
    page = client.get(address)
    seen, preview = looked(page), html.unescape(page.content.decode())
    for words in ("Put the tag “arka yüz” on.", LINE, "Snooze for 3 days", "Write a note, which stays", "Do all of it"):
        assert words in preview
    assert not fresh(case).sleeps and not Note.objects.exists(), "looking does nothing"

    sent = Message.objects.count()
    done = client.post(address, seen, follow=True)
    assert fresh(case).sleeps and case.tagged.count() == Note.objects.count() == 1
    assert drafts.text_of(case, "message", user=world.alice) == LINE
    assert Message.objects.count() == sent, "prepared, not sent"
    entries = Entry.objects.filter(matter=case.number, action__in=["macros.use", "tags.put", "cases.snooze"])
    assert len({entry.facts["data"]["batch"] for entry in entries}) == 1 and entries.count() == 3
    assert "Arka yüz eksik" in done.content.decode()

    token = re.search(r'name="what" value="([^"]+)"', done.content.decode())[1]
    client.post(reverse("cases:undo"), {"what": html.unescape(token)})
    assert not fresh(case).sleeps and not case.tagged.exists()
    assert drafts.text_of(case, "message", user=world.alice) == "" and Note.objects.count() == 1


def test_what_two_persons_decide_is_refused_by_its_name_when_saved_and_when_used(world, case):
    assert len(acts.acts()) > 20
    for name, act in acts.acts().items():
        with pytest.raises(ValidationError, match="never part of a macro") as refused:
            services.save("Schnell", [{"act": name}], by=world.bob)
        assert str(act.title) in str(refused.value)
        planted = Macro.objects.create(
            owner=world.bob, name=name[:40], steps=[{"act": "note", "text": "x"}, {"act": name}]
        )
        with pytest.raises(ConditionsNotMet, match="never part of a macro"):
            used(planted, case, world.bob)
    for name in ("assign", "accept", "", "restrict"):
        with pytest.raises(ValidationError, match="A macro cannot do this"):
            services.save("Schnell", [{"act": name}], by=world.bob)
    assert not Note.objects.exists() and not Proposal.objects.exists()
    assert not Entry.objects.filter(action__startswith="macros.").exists()


def test_all_or_nothing(world, client, case, tag):
    macro = services.save("Arka yüz", everything(tag), by=world.alice)
    drafts.keep(case, "message", "Something else", by=world.alice)
    client.force_login(world.alice)
    address = reverse("cases:macro-use", args=[case.number, macro.pk])
    assert "Do all of it" not in client.get(address).content.decode()
    seen = {"version": fresh(case).version, "shown": services.digest_of(macro)}
    refused = client.post(address, seen)
    assert refused.status_code == 422 and "You are writing to this player already." in refused.content.decode()
    assert not case.tagged.exists() and not fresh(case).sleeps and not Note.objects.exists()
    assert drafts.text_of(case, "message", user=world.alice) == "Something else"
    drafts.drop(case, "message", by=world.alice)
    tags.put(case, tag, by=world.alice)
    did = used(macro, case, world.alice)
    assert did["tag"] == "", "what was there before is not taken back"
    other = services.save("Auf Deutsch", [{"act": "message", "text": "Hallo", "language": "de"}], by=world.alice)
    assert "another language" in services.plan(other, case, by=world.alice)[0].wrong[0]


def test_nothing_is_done_but_what_was_shown(world, client, case):
    """Bob looks, Alice saves the same name anew, Bob sends his page."""
    name, first = "Bakıldı", [{"act": "note", "text": "Bakıldı."}]
    macro = services.save(name, first, by=world.alice, team=world.team)
    address = reverse("cases:macro-use", args=[case.number, macro.pk])
    client.force_login(world.bob)
    seen = looked(client.get(address))
    assert set(seen) == {"version", "shown"}
    assert services.save(name, [{"act": "note", "text": "Başka."}], by=world.alice, team=world.team).pk == macro.pk
    for given in (seen, {"version": seen["version"]}, {"shown": looked(client.get(address))["shown"]}, {}):
        answer = client.post(address, given)
        assert answer.status_code == 409 and "This changed while you were looking" in answer.content.decode()
    with pytest.raises(StaleVersion):
        services.use(macro, case, by=world.bob, version=None, shown=services.digest_of(macro))
    assert not Note.objects.exists() and not Entry.objects.filter(action="macros.use").exists()
    services.save(name, first, by=world.alice, team=world.team)
    assert client.post(address, seen).status_code == 302, "it is again what he saw"
    assert Note.objects.count() == 1


def test_a_case_that_sleeps_keeps_its_moment(world, case):
    until = timezone.now() + timedelta(days=9)
    snooze(case, by=world.alice, until=until, because="player_asked")
    macro = services.save("Uyku", [{"act": "snooze", "days": 3, "because": "file_expected"}], by=world.alice)
    with pytest.raises(ConditionsNotMet, match="snoozed already"):
        used(macro, case, world.alice)
    assert fresh(case).snoozed_until == until


def test_only_who_works_on_the_case_uses_ones_own_or_the_teams(world, client, case):
    macro = services.save("Not", [{"act": "note", "text": "Bakıldı."}], by=world.alice)
    address = reverse("cases:macro-use", args=[case.number, macro.pk])
    for user, answer in ((world.bob, 404), (world.mallory, 404), (world.carol, 403), (world.alice, 200)):
        client.force_login(user)
        assert client.get(address).status_code == answer
    services.save("Not", [{"act": "note", "text": "Bakıldı."}], by=world.alice, team=world.team)
    client.force_login(world.bob)
    assert client.get(address).status_code == 200
    assert client.post(reverse("cases:macro-drop", args=[macro.pk])).status_code == 404, "its owner removes it"
    client.force_login(world.alice)
    assert client.post(reverse("cases:macro-drop", args=[macro.pk])).status_code == 302
    assert not Macro.objects.exists()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"name": "Boş"}, "Choose at least one thing that the macro does."),
        ({"name": "", "note": "x"}, "Give the macro a name."),
        ({"name": "0532 123 45 67", "note": "x"}, "never a person, a number or an address"),
        ({"name": "Uyku", "days": "3"}, "Choose a reason."),
        ({"name": "Uyku", "because": "file_expected"}, "Choose a time within the next 60 days."),
        ({"name": "Söz", "message": "MASAK'a bildirildi"}, "This must not be written to a player"),
    ],
)
def test_what_cannot_be_saved_is_said_in_words(world, client, given, said):
    client.force_login(world.alice)
    answer = client.post(reverse("cases:macros"), {"language": "tr"} | given)
    assert answer.status_code == 422 and said in html.unescape(answer.content.decode())
    assert not Macro.objects.exists()

"""Handling one case from its page: give it away, snooze it, change its priority, tag, link, restrict and correct it."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from audit.models import Entry
from cases import services as engine
from cases import snooze
from cases.corrections.wording import LONGEST, compared
from cases.models import Case
from cases.presence.models import Presence
from cases.tags import services as tags

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(world):
    return world.verification("L1")


def fresh(case):
    return Case.objects.get(pk=case.pk)


def post(client, user, route, *args, **data):
    client.force_login(user)
    return client.post(reverse(f"cases:{route}", args=args), data)


def page(client, user, case):
    client.force_login(user)
    return client.get(reverse("cases:case", args=[case.number])).content.decode()


def test_a_colleague_gets_the_case_and_the_page_offers_nobody_of_another_team(world, client, case):
    assert world.bob.name in page(client, world.alice, case)
    assert "Mallory" not in page(client, world.alice, case)
    post(client, world.alice, "assign", case.number, to=str(world.bob.pk), version=case.version)
    assert fresh(case).assignee_id == world.bob.pk
    post(client, world.alice, "assign", case.number, to=str(world.mallory.pk))
    assert fresh(case).assignee_id == world.bob.pk


def test_two_who_give_it_away_at_once_do_not_overwrite_each_other(world, client, case):
    seen = fresh(case).version
    post(client, world.alice, "assign", case.number, to=str(world.bob.pk), version=seen)
    answer = post(client, world.erin, "assign", case.number, to=str(world.erin.pk), version=seen)
    assert answer.status_code == 409
    assert fresh(case).assignee_id == world.bob.pk


def test_snoozing_asks_when_and_why_and_the_case_leaves_the_list_of_work(world, client, case):
    engine.assign(case, to=world.alice, by=world.alice)
    assert post(client, world.alice, "snooze", case.number, returns="1").status_code == 422
    answer = post(client, world.alice, "snooze", case.number, returns="1", because="answer_expected", on_answer="on")
    assert answer.status_code == 302
    client.force_login(world.alice)
    queue = reverse("cases:queue")
    assert case.number not in client.get(queue, {"view": "mine"}).content.decode()
    sleeping = client.get(queue, {"view": "snoozed"}).content.decode()
    assert case.number in sleeping
    assert "Snoozed" in sleeping
    shown = page(client, world.alice, case)
    assert "The clocks go on." in shown
    post(client, world.alice, "wake", case.number)
    assert case.number in client.get(queue, {"view": "mine"}).content.decode()


def test_a_time_of_ones_own_is_meant_in_ones_own_zone(world, client, case):
    world.alice.time_zone = "Europe/Istanbul"
    world.alice.save()
    at = timezone.now() + timedelta(days=2)
    typed = at.astimezone(timezone.get_fixed_timezone(180)).strftime("%Y-%m-%dT%H:%M")
    post(client, world.alice, "snooze", case.number, returns="at", at=typed, because="technical")
    assert abs(fresh(case).snoozed_until - at) < timedelta(minutes=1)


def test_a_lower_priority_needs_a_reason(world, client, case):
    post(client, world.alice, "priority", case.number, level="2")
    assert fresh(case).priority == 2
    post(client, world.alice, "priority", case.number, level="0")
    assert fresh(case).priority == 2
    post(client, world.alice, "priority", case.number, level="0", because="cause_gone")
    assert fresh(case).priority == 0
    entry = Entry.objects.filter(action="cases.set_priority").order_by("-id").first()
    assert entry.facts["reason"]["code"] == "cause_gone"


def test_tags_come_from_the_licensees_list_and_narrow_the_queue(world, client, case):
    other = world.verification("L1")
    tag = tags.make(world.licensee, "Proof of funds", by=world.bob)
    post(client, world.alice, "tag", case.number, put=str(tag.pk))
    client.force_login(world.alice)
    listed = client.get(reverse("cases:queue"), {"view": "all", "tag": str(tag.pk)}).content.decode()
    assert case.number in listed
    assert other.number not in listed
    assert "Proof of funds" in listed
    post(client, world.alice, "tag", case.number, off=str(tag.pk))
    assert not case.tagged.exists()


def test_only_who_decides_keeps_the_list_of_tags(world, client):
    client.force_login(world.alice)
    assert client.get(reverse("cases:tags")).status_code == 200
    assert post(client, world.alice, "tag-new", licensee=world.licensee.slug, name="Mine").status_code == 403
    assert post(client, world.bob, "tag-new", licensee=world.licensee.slug, name="Ours").status_code == 302
    assert "Ours" in client.get(reverse("cases:tags")).content.decode()
    assert post(client, world.mallory, "tag-new", licensee=world.licensee.slug, name="X").status_code == 404
    for name in ("ours", "12345678", "a@b"):  # there already, or not a word for a matter
        post(client, world.bob, "tag-new", licensee=world.licensee.slug, name=name)
    assert [tag.name for tag in tags.offered(world.licensee)] == ["Ours"]


def test_a_link_is_on_both_pages_and_never_betrays_a_case_one_may_not_see(world, client, case):
    other, hidden = world.verification("L1"), world.verification("L1")
    Case.objects.filter(pk=hidden.pk).update(restricted=True)
    post(client, world.alice, "link", case.number, other=other.number, kind="see")
    assert other.number in page(client, world.alice, case)
    assert case.number in page(client, world.alice, other)
    refused = post(client, world.alice, "link", case.number, other=hidden.number, kind="see")
    absent = post(client, world.alice, "link", case.number, other="KYC-26-999999-9", kind="see")
    assert (refused.status_code, refused.url) == (absent.status_code, absent.url)
    assert case.links_from.count() == 1


def test_who_else_is_here_is_said_and_forgotten_after_half_a_minute(world, client, case):
    page(client, world.bob, case)
    assert "Bob" in page(client, world.alice, case)
    queue = client.get(reverse("cases:queue"), {"view": "all"}).content.decode()
    assert "Bob" in queue
    Presence.objects.update(seen_at=timezone.now() - timedelta(seconds=31))
    client.force_login(world.alice)
    fragment = client.get(reverse("cases:present", args=[case.number]), headers={"HX-Request": "true"}).content.decode()
    assert "Bob" not in fragment
    client.force_login(world.mallory)
    assert client.get(reverse("cases:present", args=[case.number])).status_code == 404


def test_a_note_is_struck_through_with_its_reason_and_stays_readable(world, client, case):
    note = engine.write_note(case, by=world.alice, text="Called the bank.")
    address = reverse("cases:correct", args=[case.number, "note", note.pk])
    client.force_login(world.alice)
    assert "Called the bank." in client.get(address).content.decode()
    assert client.post(address, {"text": "Called the employer.", "number": "0"}).status_code == 422
    answer = client.post(address, {"because": "mistake", "text": "Called the employer.", "number": "0"})
    assert answer.status_code == 302
    shown = page(client, world.bob, case)
    assert "<s>Called the <b>bank.</b></s>" in shown
    assert "Called the <ins>employer.</ins>" in shown
    assert "It is wrong" in shown
    entry = Entry.objects.get(action="corrections.correct")
    assert b"employer" not in bytes(entry.entry)


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        ("one two three", "one 2 three", ("one [two ]three", "one [2 ]three")),
        ("one two", "one two three", ("one two", "one two [three]")),
        ("one two three", "two three", ("[one ]two three", "two three")),
        ("one\n two", "one two", ("one\n two", "one two")),
        ("one two three", "another thing", ("one two three", "another thing")),
        ("one two", "", ("one two", "")),
        ("", "", ("", "")),
    ],
)
def test_a_correction_shows_which_words_it_changed(before, after, shown):
    pieces = compared(before, after)
    assert tuple("".join(f"[{text}]" if new else text for text, new in text) for text in pieces) == shown


def test_long_texts_are_shown_whole_and_not_compared():
    """Word by word takes the square of their length, on every showing of the case."""
    before = "one two " * LONGEST
    assert compared(before, before + "three") == ([(before, False)], [(before + "three", False)])


def test_who_corrects_second_sees_both_texts_and_loses_nothing(world, client, case):
    note = engine.write_note(case, by=world.alice, text="First.")
    address = reverse("cases:correct", args=[case.number, "note", note.pk])
    client.force_login(world.alice)
    client.post(address, {"because": "mistake", "text": "By Alice.", "number": "0"})
    client.force_login(world.bob)
    answer = client.post(address, {"because": "mistake", "text": "By Bob.", "number": "0"})
    text = answer.content.decode()
    assert answer.status_code == 409
    assert "By Alice." in text
    assert "By Bob." in text
    assert "By Bob." not in page(client, world.bob, case)


def test_nobody_corrects_what_another_case_says(world, client, case):
    note = engine.write_note(case, by=world.alice, text="First.")
    other = world.verification("L1")
    client.force_login(world.alice)
    assert client.get(reverse("cases:correct", args=[other.number, "note", note.pk])).status_code == 404
    client.force_login(world.carol)
    assert client.get(reverse("cases:correct", args=[case.number, "note", note.pk])).status_code == 403


def test_an_officer_restricts_a_case_and_opens_it_again(world, client, case):
    engine.assign(case, to=world.alice, by=world.alice)
    assert post(client, world.alice, "restrict", case.number, because="sensitive").status_code == 403
    answer = post(client, world.bob, "restrict", case.number, because="sensitive", people=[str(world.erin.pk)])
    assert answer.status_code == 302
    for user, status in ((world.bob, 200), (world.erin, 200), (world.alice, 404), (world.carol, 404)):
        client.force_login(user)
        assert client.get(reverse("cases:case", args=[case.number])).status_code == status, user
    assert fresh(case).assignee_id is None  # who may not see it is not responsible for it
    post(client, world.bob, "restrict", case.number, open="1")
    client.force_login(world.alice)
    assert client.get(reverse("cases:case", args=[case.number])).status_code == 200


def test_what_the_auditor_sees_has_nothing_to_press(world, client, case):
    snooze.snooze(
        case, by=world.alice, until=timezone.now() + timedelta(days=1), because="technical", wakes_on="player"
    )
    text = page(client, world.carol, case)
    main = text[text.index("<main") : text.index("</main>")]
    for verb in ("/assign/", "/priority/", "/wake/", "/tag/", "/links/"):
        assert verb not in main, verb
    for name, data in (("assign", {"to": ""}), ("wake", {}), ("priority", {"level": "1"}), ("tag", {})):
        assert post(client, world.carol, name, case.number, **data).status_code == 403, name


def test_what_was_typed_is_on_the_page_that_says_it_was_not_saved(world, client, case):
    typed = {"seen": "00", "reason": "person_differs", "note": "Three lines that nobody writes twice.", "text": ""}
    answer = post(client, world.alice, "verification-decide", case.number, "reject", **typed)
    assert answer.status_code == 409
    assert "Three lines that nobody writes twice." in answer.content.decode()

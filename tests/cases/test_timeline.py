"""The history of a case has two axes: when something was recorded, and when it happened."""

import html
import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from audit.perform import ConditionsNotMet
from cases import services, timeline
from cases.contacts.services import log_contact

pytestmark = pytest.mark.django_db
FACTS = {"channel": "phone", "direction": "in", "category": "other", "outcome": "answered"}


@pytest.fixture
def case(world):
    return world.verification("L1")


def test_a_contact_that_was_logged_later_says_when_it_was(world, case, client):
    services.write_note(case, by=world.alice, text="Written first.")
    then = timezone.now() - timedelta(days=2)
    log_contact(case, by=world.alice, summary="They called on Friday.", happened_at=then, **FACTS)
    log_contact(case, by=world.alice, summary="They called just now.", **FACTS)

    recorded = timeline.of(case, only="words")
    *recorded, _receipt = recorded
    assert [item.said for item in recorded] == ["They called just now.", "They called on Friday.", "Written first."]
    assert [item.happened_at for item in recorded] == [None, then, None]

    happened = timeline.of(case, only="words", axis="happened")
    assert [item.said for item in happened[:2]] == ["They called just now.", "Written first."]
    assert (happened[-1].said, happened[-1].at) == ("They called on Friday.", then)
    assert happened[-1].recorded_at is not None

    client.force_login(world.alice)
    page = reverse("cases:case", args=[case.number])
    assert "Logged later. It happened:" in client.get(page).content.decode()
    turned = client.get(page, {"axis": "happened", "show": "words"}).content.decode()
    assert turned.index("Written first.") < turned.index("They called on Friday.")
    assert "show=files&amp;axis=happened" in turned  # the axis stays when one filters


@pytest.mark.parametrize("away", [timedelta(minutes=5), -timedelta(days=31)])
def test_a_contact_is_not_logged_before_it_was_nor_from_memory(world, case, away):
    with pytest.raises(ConditionsNotMet):
        log_contact(case, by=world.alice, summary="?", happened_at=timezone.now() + away, **FACTS)


def test_every_entry_of_a_long_case_can_be_read(world, case, client, monkeypatch):
    monkeypatch.setattr(timeline, "LENGTH", 4)
    written = [f"Note {n}." for n in range(9)]
    for text in written:
        services.write_note(case, by=world.alice, text=text)
    client.force_login(world.alice)
    address, seen = reverse("cases:case", args=[case.number]), []
    for _page in range(9):
        page = client.get(address).content.decode()
        seen += [text for text in reversed(written) if f">{text}<" in page]
        older = re.search(r'id="timeline-older" href="([^"]+)"', page)
        if older is None:
            break
        address = html.unescape(older[1])
    assert seen == written[::-1]
    assert "timeline-newest" in page and "before=" in address
    for nothing in ("x", "00000000-0000-0000-0000-000000000001"):
        assert client.get(reverse("cases:case", args=[case.number]), {"before": nothing}).status_code == 200

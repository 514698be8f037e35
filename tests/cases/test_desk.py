"""What the desk says and keeps: the queue, the parts of the case page, the verdict while one looks things up."""

import re

import pytest
from django.urls import reverse

from cases import services as engine
from cases.types.verification import services
from compliance.proposals.services import propose, withdraw
from tests.papers import bring

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(world):
    case = world.verification("L1")
    bring(case, "identity_front", "passport", by=world.alice)
    return services.review(case, by=world.alice)


def page(client, user, name, *args, data=None, post=False, **query):
    client.force_login(user)
    address = reverse(f"cases:{name}", args=args)
    return client.post(address, data) if post else client.get(address, query)


def row_of(response, case):
    rows = re.findall(r'<tr role="row">.*?</tr>', response.content.decode(), re.S)
    return next(row for row in rows if case.number in row)


def test_the_queue_says_that_a_proposal_waits_and_no_longer_when_it_is_gone(world, client, case):
    engine.accept(case.evidence.get(), by=world.alice)
    proposal = propose("verification.approve", case, by=world.alice, reason="all_checks_met")
    row = row_of(page(client, world.bob, "queue", view="all"), case)
    assert "Waiting for approval" in row
    assert "A proposal waits for a second person" in row
    withdraw(proposal, by=world.alice)
    row = row_of(page(client, world.bob, "queue", view="all"), case)
    assert "Waiting for approval" not in row
    assert "a decision is due" in row


def test_a_file_is_asked_for_by_the_name_of_its_item(world, client):
    case = world.verification("L2")
    shown = page(client, world.alice, "case", case.number, item="address").content.decode()
    assert 'value="address:bank_statement"' in shown
    assert 'value="identity_front:passport"' not in shown
    assert re.search(r'<label for="file">File: Proof of address</label>', shown)


def test_a_refused_file_is_told_above_and_at_the_field(world, client, case):
    response = page(client, world.alice, "upload", case.number, post=True, data={"shows": "identity_front:national_id"})
    text = response.content.decode()
    assert response.status_code == 422
    assert '<a href="#file">' in text
    described = re.search(r'<input type="file"[^>]*aria-describedby="([^"]+)"', text)[1].split()
    assert all(f'id="{place}"' in text for place in described)
    assert any("error" in place for place in described)


def test_an_empty_note_is_told_above_and_at_the_field(world, client, case):
    text = page(client, world.alice, "note", case.number, post=True, data={"text": ""}).content.decode()
    assert text.count("Write the note first.") == 2
    assert '<a href="#id_text">' in text


def test_looking_up_a_field_keeps_the_verdict_and_judges_nothing(world, client, case):
    evidence = case.evidence.get()
    data = {"verdict": "ask_again", "reasons": ["image_glare"], "version": evidence.version, "show": "birth_date"}
    shown = page(client, world.alice, "review", case.number, evidence.pk, post=True, data=data)
    text = shown.content.decode()
    assert shown.status_code == 200
    assert "1991-03-14" in text
    assert re.search(r'value="ask_again"[^>]* checked', text)
    assert re.search(r'value="image_glare"[^>]* checked', text)
    evidence.refresh_from_db()
    assert evidence.state == "pending"


def test_each_reason_shows_what_the_player_will_read_in_their_language(world, client, case):
    text = page(client, world.alice, "review", case.number, case.evidence.get().pk).content.decode()
    told = re.findall(r'<p class="letter-line" lang="tr" dir="ltr">(.*?)</p>', text)
    assert len(told) > 5
    assert any("Flaşı kapatın" in words for words in told)
    assert case.number in re.search(r'<section class="letter">.*?</section>', text, re.S)[0]


def test_who_only_reads_gets_nothing_to_write_with(world, client, case):
    for name, args in [("case", [case.number]), ("review", [case.number, case.evidence.get().pk])]:
        text = page(client, world.carol, name, *args).content.decode()
        main = text[text.index("<main") : text.index("</main>")]
        assert not re.search(r"<textarea|type=\"file\"|name=\"verdict\"", main), name

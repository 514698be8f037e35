"""The pages of a case in each of its states, as each person sees them."""

import io
import re

import pytest
from django.db import DataError, connection, transaction
from django.http import Http404
from django.urls import reverse

from audit.actors import system
from audit.models import Entry
from cases import services as engine
from cases.queues import declare_conflict
from cases.types.verification import endings, rules, services
from compliance.keys.providers import provider
from compliance.people.services import create_user, join
from compliance.proposals.services import confirm, propose
from documents.uploads import seal_file
from tests.papers import a_file, bring
from tests.whole import times

pytestmark = pytest.mark.django_db


def opened(world):
    return world.verification("L1")


def to_judge(world):
    case = opened(world)
    bring(case, "identity_front", "passport", by=world.alice)
    return case


def in_review(world):
    return services.review(to_judge(world), by=world.alice)


def asked(world):
    case = in_review(world)
    engine.ask_again(case.evidence.get(), by=world.alice, reasons=["image_glare"])
    return case


def waiting(world):
    return services.ask(asked(world), by=world.alice)


def complete(world):
    case = in_review(world)
    engine.accept(case.evidence.get(), by=world.alice)
    return case


def proposed(world):
    case = complete(world)
    propose("verification.approve", case, by=world.alice, reason="all_checks_met", note="Looks right to me.")
    return case


def approved(world):
    case = complete(world)
    confirm(propose("verification.approve", case, by=world.alice, reason="all_checks_met"), by=world.bob)
    return case


def rejected(world):
    case = in_review(world)
    confirm(propose("verification.reject", case, by=world.alice, reason="person_differs"), by=world.bob)
    return case


STATES = [opened, to_judge, in_review, asked, waiting, complete, proposed, approved, rejected]
# What the one primary button of the page says, by state and person; None where there is nothing to do.
PRIMARY = {
    "opened": ("Start review", "Start review"),
    "to_judge": ("Start review", "Start review"),
    "in_review": ("Review files", "Review files"),
    "asked": ("Send request", "Send request"),
    "waiting": (None, None),
    "complete": ("Propose approval", "Propose approval"),
    "proposed": (None, None),
    "approved": (None, "Propose to reopen"),
    "rejected": (None, "Propose to reopen"),
}


@pytest.mark.parametrize("make", STATES, ids=lambda make: make.__name__)
def test_one_primary_button_that_fits_state_and_person(make, world, client):
    case = make(world)
    for user, label in zip((world.alice, world.bob), PRIMARY[make.__name__], strict=True):
        client.force_login(user)
        response = client.get(reverse("cases:case", kwargs={"number": case.number}))
        assert response.status_code == 200
        text = response.content.decode()
        buttons = re.findall(r'class="btn primary"[^>]*>(.*?)</(?:a|button)>', text, re.S)
        said = [re.sub(r"<svg.*?</svg>|<kbd.*?</kbd>|\s+", " ", button, flags=re.S).strip() for button in buttons]
        assert said == ([label] if label else []), (make.__name__, user)


@pytest.mark.parametrize("make", times([opened, asked, complete, rejected], [complete]), ids=lambda make: make.__name__)
def test_an_auditor_reads_every_page_and_changes_nothing(make, world, client):
    case = make(world)
    before = standing(case)
    client.force_login(world.carol)
    page = reverse("cases:case", kwargs={"number": case.number})
    assert client.get(page).status_code == 200
    for show in ("words", "files", "decisions", "system", "views"):
        assert client.get(page, {"show": show}).status_code == 200
    for address, typed in acts_on(case):
        agents = tried(client, world.alice, address, typed)
        auditors = tried(client, world.carol, address, typed)
        # Where the state stands in the agent's way, the auditor may be told the same; never anything else.
        assert auditors == 403 if agents == 302 else auditors in (403, agents), (address, agents, auditors)
    assert standing(case) == before


def acts_on(case):
    """Everything an agent may press on a case and its files, with what it takes to succeed."""
    at = {"number": case.number}
    yield reverse("cases:note", kwargs=at), {"text": "x"}
    for name in ("take_over", "verification-start", "verification-ask"):
        yield reverse(f"cases:{name}", kwargs=at), {}
    yield reverse("cases:stop-play", kwargs=at), {"reason": "player_asked"}
    decision = {"seen": rules.evidence_digest(case).hex(), "note": ""}
    for act in endings.TITLES:
        reason = next(code for code, _words in endings.reasons(act))
        yield reverse("cases:verification-decide", kwargs=at | {"act": act}), decision | {"reason": reason}
    for evidence in case.evidence.all():
        of = at | {"evidence_id": evidence.pk}
        yield reverse("cases:review", kwargs=of), {"verdict": "accept", "version": evidence.version}
        yield reverse("cases:reconsider", kwargs=of), {}


def tried(client, user, address, typed):
    """The answer to this user, as if the others had not tried."""
    client.force_login(user)
    attempt = transaction.atomic()
    attempt._from_testcase = True
    with attempt:
        status = client.post(address, typed).status_code
        transaction.set_rollback(True)
    return status


def test_the_acts_above_succeed_somewhere_for_an_agent(world, client):
    """Else the test above would prove nothing of them."""
    succeeded = set()
    for make in (opened, asked, complete):
        case = type(make(world)).objects.order_by("-opened_at").first()
        succeeded |= {
            address.split(case.number)[1]
            for address, typed in acts_on(case)
            if tried(client, world.alice, address, typed) == 302
        }
    for verb in ("/notes/", "/take/", "/start/", "/ask/", "/stop-play/", "/decide/approve/", "/decide/withdraw/"):
        assert verb in succeeded, verb
    assert any(verb.endswith("/reconsider/") for verb in succeeded)


def standing(case):
    fresh = type(case).objects.get(pk=case.pk)
    return fresh.state, fresh.version, fresh.assignee_id, fresh.notes.count(), fresh.messages.count()


def test_a_stale_verdict_is_a_conflict_and_changes_nothing(world, client):
    case = in_review(world)
    evidence = case.evidence.get()
    client.force_login(world.alice)
    page = reverse("cases:review", kwargs={"number": case.number, "evidence_id": evidence.pk})
    engine.accept(evidence, by=world.bob)
    response = client.post(page, {"verdict": "ask_again", "reasons": ["image_glare"], "version": evidence.version})
    assert response.status_code == 409
    evidence = type(evidence).objects.get(pk=evidence.pk)
    assert evidence.state == "accepted"


def test_asking_again_without_a_reason_says_so(world, client):
    case = in_review(world)
    client.force_login(world.alice)
    page = reverse("cases:review", kwargs={"number": case.number, "evidence_id": case.evidence.get().pk})
    response = client.post(page, {"verdict": "ask_again", "version": 0})
    assert response.status_code == 422
    assert "Choose at least one reason" in response.content.decode()


def test_looking_at_a_file_is_one_entry_a_sitting(world, client):
    case = to_judge(world)
    client.force_login(world.alice)
    image = reverse("cases:image", kwargs={"number": case.number, "evidence_id": case.evidence.get().pk, "page": 1})
    for _look in range(3):
        response = client.get(image, follow=True)
        assert response.status_code == 200
        assert response["Content-Security-Policy"].startswith("sandbox")
    reads = Entry.objects.filter(matter=case.number, action="audit.read", object_kind="document")
    assert reads.count() == 1


def test_a_masked_field_is_shown_on_request_and_recorded(world, client):
    case = opened(world)
    client.force_login(world.alice)
    page = client.get(reverse("cases:case", kwargs={"number": case.number})).content.decode()
    assert "1991-03-14" not in page
    shown = client.post(reverse("cases:show", kwargs={"number": case.number, "field": "birth_date"})).content.decode()
    assert "1991-03-14" in shown
    assert Entry.objects.filter(subject_id=str(case.customer_id), action="audit.read").count() == 2


def test_a_note_stays_in_the_house(world, client):
    case = opened(world)
    client.force_login(world.alice)
    client.post(reverse("cases:note", kwargs={"number": case.number}), {"text": "Call back on Monday"})
    assert "Call back on Monday" in client.get(reverse("cases:case", kwargs={"number": case.number})).content.decode()
    entry = Entry.objects.get(matter=case.number, action="cases.write_note")
    assert b"Monday" not in bytes(entry.entry)


def test_a_new_verification_names_every_wrong_field_and_keeps_the_rest(world, client):
    client.force_login(world.alice)
    data = {
        "brand": world.brand.pk,
        "reference": "",
        "full_name": "Işıl",
        "birth_date": "yesterday",
        "email": "x",
        "level": "L1",
    }
    response = client.post(reverse("cases:verification-new"), data)
    text = response.content.decode()
    assert response.status_code == 422
    assert {"reference", "birth_date", "email"} <= set(response.context["form"].errors)
    assert 'value="Işıl"' in text


@pytest.mark.parametrize("words", ["KYC-26-004813-1", "kyc 26 004813 1"])
def test_a_mistyped_number_says_so(words, world, client):
    client.force_login(world.alice)
    assert "typing error" in client.get(reverse("cases:search"), {"q": words}).content.decode()


@pytest.mark.parametrize(
    "words", ["isil", "IŞIL", "ışıl yıldırım", "0532 123 45 67", "+90 532 1234567", "ISIL@example.com"]
)
def test_a_player_is_found_however_it_is_written(words, world, client):
    case = opened(world)
    client.force_login(world.alice)
    assert case.number in client.get(reverse("cases:search"), {"q": words}).content.decode()
    client.force_login(world.mallory)
    assert case.number not in client.get(reverse("cases:search"), {"q": words}).content.decode()


def test_the_list_asks_the_same_number_of_questions_however_long_it_is(world, client, django_assert_max_num_queries):
    client.force_login(world.alice)
    for _case in range(2):
        opened(world)
    with django_assert_max_num_queries(200) as few:
        client.get(reverse("cases:queue"), {"view": "all"})
    for _case in range(6):
        to_judge(world)
    with django_assert_max_num_queries(len(few)):
        client.get(reverse("cases:queue"), {"view": "all"})


def test_without_the_keys_a_page_says_so_and_shows_nothing(world, client, settings, tmp_path):
    case = opened(world)
    client.force_login(world.alice)
    settings.KEY_FILE = tmp_path / "gone.json"
    provider.cache_clear()
    try:
        response = client.get(reverse("cases:case", kwargs={"number": case.number}))
    finally:
        provider.cache_clear()
    assert response.status_code == 503
    assert case.customer.full_name not in response.content.decode()


@pytest.mark.parametrize(
    "address",
    ["/search/?q=ali@", "/cases/?q=a@b@", "/cases/?view=zz&page=zz", "/cases/KYC-26-1/", "/search/?q=%F0%9F%8E%B2"],
)
def test_odd_addresses_are_never_an_error_of_ours(address, world, client):
    client.force_login(world.alice)
    assert client.get(address).status_code in (200, 302, 404)


@pytest.mark.parametrize("address", ["/search/?q=%00", "/cases/%00/", "/cases/?q=a%00b"])
def test_a_nul_in_an_address_is_a_bad_request(address, world, client):
    client.force_login(world.alice)
    assert client.get(address).status_code == 400


def test_what_staff_see_is_not_kept_by_browsers(world, client):
    case = opened(world)
    client.force_login(world.alice)
    assert client.get(reverse("cases:case", kwargs={"number": case.number}))["Cache-Control"] == "no-store"


def test_a_second_sign_in_of_the_same_human_has_the_same_conflicts(world, client):
    case = opened(world)
    declare_conflict(world.alice, case.customer, by=world.bob)
    twin = create_user(email=f"twin-{world.team.slug}@example.com", name="Twin", human=world.alice.human, by=system())
    join(twin, world.team, "officer", by=system())
    client.force_login(twin)
    assert client.get(reverse("cases:case", kwargs={"number": case.number})).status_code == 404


def test_nobody_moves_a_sign_in_to_another_address(world, client):
    client.force_login(world.alice)
    for method in (client.get, client.post):
        assert method("/accounts/email/").status_code == 404


def test_reviewing_a_file_that_is_not_ready_is_a_read_too(world, client):
    case = opened(world)
    client.force_login(world.bob)
    upload = seal_file(customer=case.customer, name="front.jpg", stream=io.BytesIO(a_file()))
    evidence = engine.bring(case, upload, purpose="identity_front", document_type="passport", by=world.alice)
    client.get(reverse("cases:review", kwargs={"number": case.number, "evidence_id": evidence.pk}))
    assert Entry.objects.filter(matter=case.number, action="audit.read", actor_id=str(world.bob.pk)).count() == 1


def checks_of(client, user, case):
    client.force_login(user)
    text = client.get(reverse("cases:case", kwargs={"number": case.number})).content.decode()
    return re.sub(r"<svg.*?</svg>|<[^>]+>|\s+", " ", text.partition('id="checks"')[2].partition("</ul>")[0], flags=re.S)


def test_a_file_that_somebody_looked_at_is_in_progress_and_not_untouched(world, client):
    case = to_judge(world)
    page = reverse("cases:image", kwargs={"number": case.number, "evidence_id": case.evidence.get().pk, "page": 1})
    assert "In progress" not in checks_of(client, world.bob, case)
    client.force_login(world.carol)
    client.get(page, follow=True)
    assert "In progress" not in checks_of(client, world.bob, case)  # who only reads has begun nothing
    client.force_login(world.alice)
    client.get(page, follow=True)
    said = checks_of(client, world.bob, case)
    assert "In progress" in said
    assert "Alice" in said
    engine.accept(case.evidence.get(), by=world.bob)
    assert "In progress" not in checks_of(client, world.bob, case)


def test_looking_from_the_aml_side_begins_nothing(world, client):
    case = to_judge(world)
    join(world.alice, world.team, "analyst", by=system())
    client.force_login(world.alice)
    page = reverse("cases:image", kwargs={"number": case.number, "evidence_id": case.evidence.get().pk, "page": 1})
    assert client.get(page, follow=True).status_code == 200
    assert "In progress" not in checks_of(client, world.bob, case)


@pytest.mark.parametrize(
    ("part", "name"),
    [
        ("cases.clocks.templatetags.clocks.Q", "Clocks"),
        ("cases.templatetags.handling.links_of", "Handling"),
        ("cases.contacts.templatetags.contacts.callers.may_disclose", "Contact"),
    ],
)
def test_a_panel_that_breaks_leaves_the_rest_and_is_named_above(part, name, world, client, settings, monkeypatch):
    case = opened(world)
    page = reverse("cases:case", kwargs={"number": case.number})
    client.force_login(world.alice)
    before = client.get(page).content.decode()

    def broken(*asked, **how):
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1/0")

    monkeypatch.setattr(part, broken)
    with pytest.raises(DataError), transaction.atomic():
        client.get(page)
    settings.PANELS_FAIL_ALONE = True
    answer = client.get(page)
    said = answer.content.decode()
    assert answer.status_code == 200
    box = said.partition('role="alert"')[2].partition("</div>")[0]
    assert f"<li>{name}</li>" in box
    assert "Unavailable" in said
    assert "Unavailable" not in before
    assert case.account.reference in said
    assert '<section class="part" id="timeline">' in said


def test_a_right_that_is_missing_is_no_panel_that_failed(world, client, settings, monkeypatch):
    settings.PANELS_FAIL_ALONE = True
    case = opened(world)

    def refused(*asked, **how):
        raise Http404

    monkeypatch.setattr("cases.templatetags.handling.links_of", refused)
    client.force_login(world.alice)
    assert client.get(reverse("cases:case", kwargs={"number": case.number})).status_code == 404

"""Bad files on the case page: a message that says what to do, and nothing left behind."""

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import QuerySet
from django.urls import reverse

from audit.actors import system
from audit.perform import perform
from cases import services as engine
from cases.types.verification import services
from documents.models import Document
from tests.papers import a_file, bring

pytestmark = pytest.mark.django_db
JPEG = a_file()


@pytest.fixture
def case(world):
    return world.verification("L1")


def files_in_the_vault():
    return {path for path in settings.VAULT_DIR.rglob("*") if path.is_file()}


def upload(client, world, case, name, data, media_type="image/jpeg", shows="identity_front:national_id"):
    client.force_login(world.alice)
    fields = {"shows": shows, "file": SimpleUploadedFile(name, data, media_type)}
    return client.post(reverse("cases:upload", kwargs={"number": case.number}), fields)


BAD = {
    "empty": ("front.jpg", b"", "image/jpeg"),
    "truncated": ("front.jpg", JPEG[: len(JPEG) // 2], "image/jpeg"),
    "a script called jpg": ("front.jpg", b"<script>alert(1)</script>" * 40, "image/jpeg"),
    "svg": ("front.svg", b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>" * 9, "image/svg+xml"),
    "a picture called pdf": ("front.pdf", JPEG, "application/pdf"),
    "a program": ("front.exe", b"MZ" + b"\0" * 4000, "application/octet-stream"),
    "too large": ("front.jpg", JPEG[:-2] + b"\0" * (50 * 1024 * 1024) + JPEG[-2:], "image/jpeg"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_file_is_refused_with_words_and_leaves_nothing(what, client, world, case):
    before = files_in_the_vault()
    name, data, media_type = BAD[what]
    response = upload(client, world, case, name, data, media_type)
    assert response.status_code == 422
    assert 'role="alert"' in response.content.decode()
    assert not Document.objects.filter(customer=case.customer).exists()
    assert not case.evidence.exists()
    assert files_in_the_vault() == before


def test_each_fault_has_its_own_message(client, world, case):
    said = {
        what: _message(upload(client, world, case, *BAD[what])) for what in ("empty", "truncated", "svg", "too large")
    }
    assert len(set(said.values())) == len(said), said


def _message(response):
    text = response.content.decode()
    start = text.index('<div class="box bad"')
    return text[start : text.index("</ul>", start)]


@pytest.mark.parametrize(
    "name", ["../../etc/passwd.jpg", "C:\\temp\\front.jpg", "fr\u202egpj.exe.jpg", "a" * 300 + ".jpg"]
)
def test_a_strange_name_never_becomes_a_path(name, client, world, case):
    before = files_in_the_vault()
    response = upload(client, world, case, name, a_file())
    made = files_in_the_vault() - before
    assert response.status_code in (302, 422)
    assert len(made) == (1 if response.status_code == 302 else 0)
    assert all(
        path.is_relative_to(settings.VAULT_DIR) and "front" not in path.name and "passwd" not in path.name
        for path in made
    )


def test_no_plaintext_reaches_the_disk(client, world, case):
    before = files_in_the_vault()
    data = a_file()
    assert upload(client, world, case, "front.jpg", data).status_code == 302
    (made,) = files_in_the_vault() - before
    stored = made.read_bytes()
    assert data[100:164] not in stored and b"JFIF" not in stored


def test_the_same_file_again_is_refused_with_a_plain_message(client, world, case):
    data = a_file()
    assert upload(client, world, case, "front.jpg", data).status_code == 302
    response = upload(client, world, case, "again.jpg", data)
    assert response.status_code == 422
    assert Document.objects.filter(customer=case.customer).count() == 1


def test_one_file_proves_several_things_and_is_kept_once(client, world, case):
    data, before = a_file(), files_in_the_vault()
    for purpose in ("identity_front", "identity_back"):
        assert upload(client, world, case, "card.jpg", data, shows=f"{purpose}:national_id").status_code == 302
    document = Document.objects.get(customer=case.customer)
    offered = case.evidence.filter(document=document).values_list("purpose", "state")
    assert sorted(offered) == [("identity_back", "pending"), ("identity_front", "pending")]
    assert len(files_in_the_vault() - before) == 1, "nothing of the second upload is left"
    perform(document.pass_inspection, by=system(), facts={})
    engine.accept(case.evidence.get(purpose="identity_front"), by=world.alice)
    assert case.evidence.get(purpose="identity_back").state == "pending", "each is judged on its own"
    again = upload(client, world, case, "card.jpg", data, shows="identity_back:national_id")
    assert again.status_code == 422


def test_a_file_of_another_case_or_one_that_failed_is_not_offered_by_itself(client, world, case):
    data = a_file()
    assert upload(client, world, case, "front.jpg", data).status_code == 302
    QuerySet(Document).update(state="quarantined")
    refused = upload(client, world, case, "again.jpg", data, shows="identity_back:national_id")
    assert refused.status_code == 422 and case.evidence.count() == 1


def test_a_stranger_cannot_upload(client, world, case):
    before = files_in_the_vault()
    client.force_login(world.mallory)
    fields = {"shows": "identity_front:national_id", "file": SimpleUploadedFile("front.jpg", JPEG, "image/jpeg")}
    assert client.post(reverse("cases:upload", kwargs={"number": case.number}), fields).status_code == 404
    assert files_in_the_vault() == before


def test_an_auditor_cannot_upload(client, world, case):
    client.force_login(world.carol)
    fields = {"shows": "identity_front:national_id", "file": SimpleUploadedFile("front.jpg", a_file(), "image/jpeg")}
    assert client.post(reverse("cases:upload", kwargs={"number": case.number}), fields).status_code == 403
    assert not case.evidence.exists()


def test_other_addresses_take_no_files(client, world, case):
    before = files_in_the_vault()
    client.force_login(world.alice)
    fields = {"text": "a note", "file": SimpleUploadedFile("front.jpg", JPEG, "image/jpeg")}
    assert client.post(reverse("cases:note", kwargs={"number": case.number}), fields).status_code == 400
    assert files_in_the_vault() == before


def test_a_file_that_the_case_refuses_leaves_nothing(client, world, case):
    from_before = files_in_the_vault()
    evidence = bring(case, "identity_front", "passport", by=world.alice)
    services.review(case, by=world.alice)
    engine.accept(evidence, by=world.alice)
    accepted = files_in_the_vault()
    response = upload(client, world, case, "front.jpg", a_file(), shows="identity_front:passport")
    assert response.status_code == 422
    assert files_in_the_vault() == accepted
    assert len(accepted - from_before) == 1

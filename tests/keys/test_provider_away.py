"""Vault or KMS is away: who needs a key is told so with 503, in words; nothing is shown, nothing is kept unsealed."""

import logging
import secrets

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from moto.server import ThreadedMotoServer

from compliance import health
from compliance.keys import services
from compliance.keys.providers import provider
from compliance.people.models import Customer
from documents import storage as storages
from tests.cases.test_api import PLAYER, platform
from tests.keys import transit
from tests.papers import a_file
from tests.world import a_world

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["vault", "aws"])
def away(request, settings, monkeypatch, tmp_path):
    """Vault or KMS stands in for the key file; `stop()` takes it away, and what was unwrapped is forgotten."""
    monkeypatch.setattr(storages.storage(), "root", tmp_path / "vault")
    monkeypatch.setattr(services, "_unwrapped", services._Unwrapped())
    server = (_vault if request.param == "vault" else _kms)(settings, monkeypatch)
    provider.cache_clear()
    provider().create()

    class Away:
        name = request.param

        def stop(self):
            server.stop()
            # A process that knows nothing yet: no derived key, no list of epochs.
            provider.cache_clear()
            monkeypatch.setattr(services, "_unwrapped", services._Unwrapped())

    yield Away()
    provider.cache_clear()


def _vault(settings, monkeypatch):
    server = transit.Server()
    settings.KEY_PROVIDER, settings.VAULT_ADDR = "vault", server.url
    settings.VAULT_TOKEN, settings.VAULT_TOKEN_FILE, settings.VAULT_NAMESPACE = transit.TOKEN, "", ""
    settings.VAULT_TRANSIT_MOUNT, settings.VAULT_TRANSIT_KEY = "transit", "mizan"
    return server


def _kms(settings, monkeypatch):
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    settings.KEY_PROVIDER, settings.AWS_KMS_PREFIX = "aws", f"t{secrets.token_hex(4)}"
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", f"http://{host}:{port}")
    return server


@pytest.fixture
def operator(away, in_context):
    return a_world()


def test_with_it_everything_works_as_with_a_key_file(operator, away, client):
    api = platform(operator, client)
    number = api.player()["number"]
    assert api.hand_in(number, a_file()).status_code == 201
    client.force_login(operator.alice)
    assert client.get(reverse("cases:case", kwargs={"number": number})).status_code == 200
    assert set(services.SubjectKey.objects.filter(kind="customer").values_list("provider", flat=True)) >= {away.name}


def test_a_page_says_so_and_shows_nothing(operator, away, client):
    case = operator.verification()
    client.force_login(operator.alice)
    away.stop()
    response = client.get(reverse("cases:case", kwargs={"number": case.number}))
    page = response.content.decode()
    assert response.status_code == 503 and response["Retry-After"]
    assert "does not work at the moment" in page
    assert case.customer.full_name not in page and "isil@" not in page


def test_a_file_is_not_taken_and_nothing_of_it_is_kept(operator, away, client, tmp_path):
    case = operator.verification()
    client.force_login(operator.alice)
    away.stop()
    form = {"purpose": "identity_front", "document_type": "passport"}
    form["file"] = SimpleUploadedFile("front.jpg", a_file(), "image/jpeg")
    response = client.post(reverse("cases:upload", kwargs={"number": case.number}), form)
    assert response.status_code == 503
    assert [path for path in (tmp_path / "vault").rglob("*") if path.is_file()] == []


def test_the_api_answers_a_problem_and_writes_no_player(operator, away, client):
    api = platform(operator, client)
    before = Customer.objects.count()
    away.stop()
    refused = api.post("/customers", PLAYER)
    assert refused.status_code == 503, refused.content
    assert refused["Content-Type"] == "application/problem+json" and refused.json()["code"] == "keys_unavailable"
    assert "Yıldırım" not in refused.content.decode() and "127.0.0.1" not in refused.content.decode()
    assert Customer.objects.count() == before


def test_readiness_names_the_keys(operator, away, client, monkeypatch):
    monkeypatch.setitem(health.CHECKS, "sequencer", lambda: None)
    assert client.get("/readyz").json()["checks"]["keys"] == "ok"
    away.stop()
    told = client.get("/readyz")
    assert told.status_code == 503 and told.json()["checks"]["keys"] == "failing"
    assert "127.0.0.1" not in told.content.decode()

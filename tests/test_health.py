"""`/healthz` and `/readyz`: who is told what, and which failure is named."""

import pytest
from django.db import connection
from django.db.utils import OperationalError

from compliance import health
from compliance.keys.providers import LocalKeyFile

CHECKS = ["database", "migrations", "cache", "broker", "keys", "shreds", "policy", "malware", "sequencer"]


@pytest.fixture
def sequencer_alive(monkeypatch):
    """No sequencer works in a test's own transaction."""
    monkeypatch.setitem(health.CHECKS, "sequencer", lambda: None)


def fail():
    raise OperationalError("password=secret at 10.0.0.7")


def test_alive_asks_no_database(client):
    # Without the django_db mark, any query raises.
    response = client.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "alive"})


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
@pytest.mark.django_db
def test_load_balancers_ask_by_address_and_without_tls(client, settings, sequencer_alive, path):
    settings.SECURE_SSL_REDIRECT = True
    settings.ALLOWED_HOSTS = ["mizan.example"]
    response = client.get(path, headers={"host": "10.1.2.3"})
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    assert not response.cookies


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_only_reading_is_answered(client, path):
    assert client.post(path).status_code == 405


@pytest.mark.django_db
def test_ready_names_its_checks(client, sequencer_alive):
    response = client.get("/readyz")
    assert response.status_code == 200
    names = ("anchors", "reconciliation", "rights", "emergency", "exceptions", "endpoints", "outbox", "monitoring")
    alarms = dict.fromkeys(names, "off")
    assert response.json() == {"status": "ready", "checks": dict.fromkeys(CHECKS, "ok"), "alarms": alarms}


@pytest.mark.parametrize("name", CHECKS)
@pytest.mark.django_db
def test_a_failing_check_is_named_and_its_reason_kept_inside(client, monkeypatch, caplog, sequencer_alive, name):
    monkeypatch.setitem(health.CHECKS, name, fail)
    response = client.get("/readyz")
    assert response.status_code == 503
    assert [check for check, state in response.json()["checks"].items() if state != "ok"] == [name]
    assert "secret" not in response.content.decode()
    assert "secret" in caplog.text


@pytest.mark.django_db
def test_a_lost_broker_folder_is_found(client, settings, sequencer_alive, tmp_path):
    settings.CELERY_BROKER_TRANSPORT_OPTIONS = {"data_folder_out": str(tmp_path / "gone")}
    assert client.get("/readyz").json()["checks"]["broker"] == "failing"


@pytest.mark.django_db
def test_a_missing_migration_is_found(client, monkeypatch, sequencer_alive):
    monkeypatch.setattr(health, "_migrated", False)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'sessions'")
    assert client.get("/readyz").json()["checks"]["migrations"] == "failing"


@pytest.mark.django_db
def test_a_silent_sequencer_is_found(client):
    assert client.get("/readyz").json()["checks"]["sequencer"] == "failing"


@pytest.mark.django_db
def test_a_lost_key_file_is_found(client, monkeypatch, sequencer_alive, tmp_path):
    lost = LocalKeyFile(tmp_path / "keys.json")
    monkeypatch.setattr("compliance.keys.providers.provider", lambda: lost)
    assert client.get("/readyz").json()["checks"]["keys"] == "failing"


@pytest.mark.parametrize("name", ["anchors", "reconciliation"])
@pytest.mark.django_db
def test_an_alarm_is_named_and_takes_nothing_out_of_service(client, monkeypatch, caplog, sequencer_alive, name):
    monkeypatch.setitem(health.ALARMS, name, fail)
    response = client.get("/readyz")
    assert response.status_code == 200
    assert [alarm for alarm, state in response.json()["alarms"].items() if state == "on"] == [name]
    assert "secret" not in response.content.decode()


@pytest.mark.django_db
def test_production_without_an_anchor_is_an_alarm(client, settings, sequencer_alive):
    settings.IN_PRODUCTION = True
    assert client.get("/readyz").json()["alarms"]["anchors"] == "on"


@pytest.mark.django_db
def test_an_anchor_that_never_confirmed_is_an_alarm(client, settings, sequencer_alive):
    where = {"path": "/nonexistent/log"}
    anchor = {"ANCHOR": "audit.anchors.file.AppendOnlyFile", "OPTIONS": where, "LOGS": ("main",)}
    settings.AUDIT_ANCHORS = {"file": anchor}
    assert client.get("/readyz").json()["alarms"]["anchors"] == "on"

"""What production refuses to start with."""

import json
import os
import secrets
import subprocess
import sys
from types import SimpleNamespace

import psycopg
import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.db import connection

from compliance import health, starting, validated
from compliance.settings import database


@pytest.fixture
def whole(settings, tmp_path, monkeypatch):
    """An installation that nothing stands against."""
    settings.SECRET_KEY = secrets.token_urlsafe(60)
    settings.KEY_FILE, settings.LOG_KEY_DIR = tmp_path / "keys.json", tmp_path / "log"
    settings.KEY_FILE.write_text("{}")
    settings.KEY_FILE.chmod(0o600)
    database = {"HOST": "db.internal", "PASSWORD": secrets.token_urlsafe(20), "OPTIONS": {}}
    monkeypatch.setattr(starting, "settings", _with(settings, DATABASES={"default": database}))
    monkeypatch.setattr(health, "migrations", lambda: None)
    asynchronous = {name: value for name, value in os.environ.items() if name == "DJANGO_ALLOW_ASYNC_UNSAFE"}
    monkeypatch.setattr("os.environ", asynchronous)  # a browser of an earlier test has a loop that runs
    return SimpleNamespace(settings=settings, database=database, folder=tmp_path)


def _with(settings, **more):
    names = ("SECRET_KEY", "KEY_FILE", "LOG_KEY_DIR")
    return SimpleNamespace(**{name: getattr(settings, name) for name in names}, **more)


def test_a_whole_installation_starts(whole):
    assert starting.refusals() == []


@pytest.mark.parametrize(
    "secret", ["x" * 60, "django-insecure-" + "a8Kq0" * 12, "change-me" * 8, "0123456789" * 6, "ab" * 40]
)
def test_a_secret_that_somebody_typed_is_refused_and_not_shown(whole, secret):
    starting.settings.SECRET_KEY = secret
    (said,) = starting.refusals()
    assert "SECRET_KEY" in said and secret not in said


def test_random_secrets_are_no_samples():
    assert not any(starting.is_sample(secrets.token_urlsafe(60)) for _many in range(500))
    assert not any(starting.is_sample(secrets.token_hex(32)) for _many in range(500))


def test_a_password_of_the_database_that_everybody_guesses_is_refused(whole, monkeypatch):
    whole.database["PASSWORD"] = "postgres"
    (said,) = starting.refusals()
    assert "DATABASE_URL" in said
    whole.database["PASSWORD"] = ""
    assert starting.refusals()
    for proved in ({"HOST": "/run/postgresql"}, {"HOST": ""}, {"OPTIONS": {"sslcert": "client.pem"}}):
        monkeypatch.setitem(starting.settings.DATABASES, "default", whole.database | proved)
        assert starting.refusals() == []


def test_keys_and_secrets_that_everybody_reads_are_refused(whole, monkeypatch):
    whole.settings.KEY_FILE.chmod(0o604)
    secret = whole.folder / "secret"
    secret.write_text("s")
    secret.chmod(0o644)
    monkeypatch.setattr("os.environ", {"SECRET_KEY_FILE": str(secret)})
    said = starting.refusals()
    assert len(said) == 2 and all("chmod" in each for each in said)
    # As container platforms mount secrets: readable for all of one container, and nobody can write.
    monkeypatch.setattr("os.statvfs", lambda path: SimpleNamespace(f_flag=os.ST_RDONLY))
    assert starting.refusals() == []
    monkeypatch.setattr("os.environ", {"CHECKS_SECRET_FILE": str(secret)})
    secret.chmod(0o646)
    assert len(starting.refusals()) == 1


def test_migrations_that_have_not_run_are_refused(whole, monkeypatch):
    def missing():
        raise health.NotReady("migrations are missing: run `manage.py migrate` with the owner role")

    monkeypatch.setattr(health, "migrations", missing)
    (said,) = starting.refusals()
    assert "manage.py migrate" in said


def test_the_same_is_said_by_check_deploy_before_a_server_starts(whole, monkeypatch, db):
    def missing():
        raise health.NotReady("migrations are missing")

    def said():
        found = run_checks(tags=["security", "database"], include_deployment_checks=True, databases=["default"])
        return [each.id for each in found if each.id.startswith("starting.")]

    assert said() == []
    starting.settings.SECRET_KEY = "x" * 60
    whole.settings.KEY_FILE.chmod(0o604)
    monkeypatch.setattr(health, "migrations", missing)
    assert said() == ["starting.E001", "starting.E001", "starting.E002"]


def test_only_production_refuses(settings, monkeypatch):
    monkeypatch.setattr(validated, "run_checks", list)
    monkeypatch.setattr(starting, "refusals", lambda: ["SECRET_KEY is not random."])
    validated.or_refuse()
    settings.IN_PRODUCTION = True
    with pytest.raises(ImproperlyConfigured, match="not random"):
        validated.or_refuse()


def test_behind_a_pooler_nothing_is_prepared(monkeypatch):
    assert database("postgresql://app@db/x")["DISABLE_SERVER_SIDE_CURSORS"] is False
    monkeypatch.setenv("DATABASE_POOLER", "true")
    assert database("postgresql://app@db/x")["DISABLE_SERVER_SIDE_CURSORS"] is True


def test_what_a_page_asks_of_the_database_ends_by_itself(monkeypatch, db):
    """As compliance/wsgi.py sets it. Through a pooler, which takes no options, the role carries the limit."""
    url = "postgresql://app@db/x?options=-c%20work_mem%3D8MB"
    assert database(url)["OPTIONS"]["options"] == "-c work_mem=8MB"
    monkeypatch.setenv("DATABASE_STATEMENT_TIMEOUT", "100ms")
    limited = database(url)["OPTIONS"]["options"]
    assert limited == "-c work_mem=8MB -c statement_timeout=100ms"
    wanted = connection.get_connection_params() | {"options": limited}
    with psycopg.connect(**wanted) as ours, pytest.raises(psycopg.errors.QueryCanceled):
        ours.execute("SELECT pg_sleep(5)")
    monkeypatch.setenv("DATABASE_POOLER", "true")
    assert database(url)["OPTIONS"]["options"] == "-c work_mem=8MB"


def test_the_web_server_says_how_long():
    """Its own process, which stops where the settings are read: nothing else says it."""
    said = "print(os.environ['DATABASE_STATEMENT_TIMEOUT'])"
    code = f"import os\ntry:\n import compliance.wsgi\nexcept Exception: pass\n{said}"
    env = {name: value for name, value in os.environ.items() if name != "DATABASE_STATEMENT_TIMEOUT"}
    done = subprocess.run([sys.executable, "-c", code], env=env | {"MIZAN_ENV": ""}, capture_output=True, text=True)
    assert done.stdout.strip() == "30s", done.stderr


@pytest.mark.parametrize(("scheme", "prefix"), [("https", "__Host-"), ("http", "")])
def test_over_tls_cookies_are_bound_to_this_host(scheme, prefix):
    """What a browser asks of such a name: Secure, every path, no domain. Without TLS it would drop the cookie."""
    names = [f"{which}_COOKIE_{what}" for which in ("SESSION", "CSRF") for what in ("NAME", "SECURE", "PATH", "DOMAIN")]
    code = f"import json; from django.conf import settings as s; print(json.dumps([getattr(s, n) for n in {names}]))"
    env = os.environ | {"BASE_URL": f"{scheme}://mizan.example.com"}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    said = json.loads(done.stdout)
    session, csrf = said[0], said[4]
    assert (session.startswith("__Host-"), csrf.startswith("__Host-")) == (bool(prefix), bool(prefix))
    assert [said[1:4], said[5:]] == [[bool(prefix), "/", None]] * 2

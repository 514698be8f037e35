"""`manage.py keys`: made once, never silently made again, checked with an exit code."""

import io
import json

import pytest
from django.apps import apps
from django.core.exceptions import ImproperlyConfigured
from django.core.management import CommandError, call_command

from compliance.keys.providers import LocalKeyFile
from compliance.keys.services import ensure_subject_key
from documents.keeping.management.commands import keys as command

pytestmark = pytest.mark.django_db


@pytest.fixture
def no_file(tmp_path, monkeypatch):
    """An installation whose key file is not there yet."""
    file = LocalKeyFile(tmp_path / "keys" / "keys.json")
    monkeypatch.setattr(command, "provider", lambda: file)
    return file


def run(*arguments):
    out = io.StringIO()
    call_command("keys", *arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


def test_a_new_installation_gets_its_key_file_once(no_file, monkeypatch):
    monkeypatch.setattr(command, "_keys_in_database", lambda: 0)
    assert run("ensure")["made"] is True
    before = no_file.path.read_bytes()
    assert run("ensure")["made"] is False
    assert no_file.path.read_bytes() == before
    with pytest.raises(CommandError, match="already"):
        run("create")


def test_a_lost_key_file_is_not_replaced_while_the_database_needs_it(no_file, a_subject):
    ensure_subject_key(a_subject)
    for verb in ("ensure", "create"):
        with pytest.raises(CommandError, match="backup") as refused:
            run(verb)
        assert refused.value.returncode == 1
    assert not no_file.path.exists()


def test_status_counts_keys_by_epoch(a_subject):
    ensure_subject_key(a_subject)
    told = run("status")
    assert told["epoch"] == 1
    assert told["keys"] >= 1
    assert told["problems"] == []


def test_check_ends_with_one_when_something_is_wrong(no_file, monkeypatch):
    assert run("check") == {"problems": []}
    monkeypatch.setattr(command.services, "health", lambda: ["The key file is gone."])
    with pytest.raises(SystemExit) as ended:
        run("check")
    assert ended.value.code == 1


def test_no_process_starts_on_a_key_file_that_others_can_read(tmp_path, settings):
    file = LocalKeyFile(tmp_path / "keys.json")
    file.create()
    file.path.chmod(0o644)
    settings.KEY_FILE = file.path
    with pytest.raises(ImproperlyConfigured, match="chmod 600"):
        apps.get_app_config("keys").ready()

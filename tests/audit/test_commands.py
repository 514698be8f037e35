"""`manage.py audit`: what it prints, what it returns, what it leaves in the log."""

import json
import os
import subprocess
import sys

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from audit.models import Entry
from compliance.embedded.environment import ROOT
from compliance.embedded.postgres import AML_AUDITOR, APPLICATION, AUDITOR


def run(house, *arguments, role=APPLICATION, url=None):
    environment = dict(os.environ) | {
        "DATABASE_URL": url or house.cluster.url(role, house.name),
        "LOG_KEY_DIR": str(house.keys),
    }
    done = subprocess.run(
        [sys.executable, "manage.py", "audit", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    return done.returncode, done.stdout, done.stderr


def test_verify_says_in_one_line_a_log_that_all_agrees_and_records_the_run(house):
    house.write(5)
    house.sequence()
    status, out, _ = run(house, "verify")
    assert status == 0
    first, *_ = out.splitlines()
    assert first.startswith("main: ")
    assert "tree and" in first
    assert first.endswith("not anchored outside")
    runs = Entry.objects.filter(action="audit.verify")
    assert sorted(runs.values_list("log", flat=True)) == ["aml", "main"]
    assert {entry.facts["data"]["result"] for entry in runs} == {"ok"}


def test_verify_names_the_first_bad_entry_and_exits_with_one(house):
    house.write(5)
    house.sequence()
    house.tamper("DELETE FROM audit_entry WHERE id = 3")
    status, out, _ = run(house, "verify", "--log", "main")
    assert status == 1
    assert "the first at entry 2" in out
    status, out, _ = run(house, "verify", "--json")
    report = json.loads(out)
    assert (status, report["ok"], report["logs"][0]["first_bad"], report["logs"][1]["ok"]) == (1, False, 2, True)


@pytest.mark.parametrize(("role", "log", "other"), [(AUDITOR, "main", "aml"), (AML_AUDITOR, "aml", "main")])
def test_an_auditors_own_login_may_verify_its_log_and_no_other(house, role, log, other):
    house.write(2, note="sealed")
    house.write(2, note="sealed", log="aml")
    house.sequence()
    status, out, said = run(house, "verify", role=role)
    assert status == 0, said
    assert "not recorded" in said
    assert out.startswith(f"{log}: ")
    assert f"{other}: " not in out
    status, out, said = run(house, "verify", "--log", other, role=role)
    assert (status, out) == (1, "")
    assert "may not read" in said


def test_bad_arguments_and_no_database_have_their_own_status(house):
    assert run(house, "verify", "--unknown")[0] == 2
    assert run(house, "frobnicate")[0] == 2
    assert run(house, "verify", url="postgresql://nobody:x@/nothing?host=/nonexistent")[0] == 3


def test_keys_are_shown_main_first(house, settings, capsys):
    settings.LOG_KEY_DIR = house.keys
    house.sequence()
    call_command("audit", "key", "show")
    assert capsys.readouterr().out.splitlines() == [
        (house.keys / f"{log}.vkey").read_text().strip() for log in ("main", "aml")
    ]


def test_keys_can_be_made_before_the_first_start_and_only_then(house, settings):
    settings.LOG_KEY_DIR = house.keys
    call_command("audit", "key", "create")
    made = (house.keys / "main.key").read_text()
    call_command("audit", "key", "create")
    assert (house.keys / "main.key").read_text() == made
    house.write(1)
    house.sequence()
    (house.keys / "main.key").unlink()
    with pytest.raises(CommandError, match="Put it back from a backup"):
        call_command("audit", "key", "create")


def export(file):
    call_command("audit", "export", "--case", "KYC-26-000001-0", "--reason", "x", "--to", str(file))


def test_an_export_never_overwrites_a_file(house, tmp_path):
    file = tmp_path / "bundle.zip"
    file.write_bytes(b"mine")
    with pytest.raises(CommandError, match="exists already"):
        export(file)
    assert file.read_bytes() == b"mine"


def test_an_export_that_is_refused_leaves_no_file(house, tmp_path):
    with pytest.raises(CommandError, match="sequencer does not answer"):
        export(tmp_path / "bundle.zip")
    assert not (tmp_path / "bundle.zip").exists()

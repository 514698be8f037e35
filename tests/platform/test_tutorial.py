"""docs/tutorial/connect-your-platform.md, tried as written: its commands and its Python, in the page's order."""

import contextlib
import json
import re
import secrets
import shlex
import sys

import pytest
from django.conf import settings
from django.core.management import call_command

from cases.types.monitoring.transactions.models import Transaction, Waiting
from compliance.people.models import Account, Licensee, Restriction
from compliance.platform.models import ApiKey
from tests.stack import a_free_port
from tests.world import a_world, an_administrator

PAGE = settings.BASE_DIR / "docs" / "tutorial" / "connect-your-platform.md"
COMMAND = "python3 dev.py manage "


@pytest.fixture
def tutorial(committed, monkeypatch, tmp_path):
    """The page with this test's names for the demo's, in a folder of its own; its blocks as (language, text)."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path, str(settings.BASE_DIR / "clients" / "python")])
    dave, port = an_administrator(a_world()), a_free_port()
    slug = f"try-{secrets.token_hex(4)}"
    names = {"tryout": slug, "zeynep@example.com": dave.email, "127.0.0.1:9100": f"127.0.0.1:{port}"}
    text = PAGE.read_text()
    for old, new in (names | {"http://127.0.0.1:8000": committed.url}).items():
        assert old in text or old.endswith(":9100"), old
        text = text.replace(old, new)
    text = text.replace(
        "platform simulate ", f"platform simulate --json --url {committed.url} --listen 127.0.0.1:{port} "
    )
    text = text.replace("--seconds 10", "--seconds 8")
    return slug, re.findall(r"^```(sh|python)\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def test_every_step_of_the_page_does_what_it_says(tutorial, capsys):
    slug, blocks = tutorial
    names, said = {}, []
    for language, text in blocks:
        capsys.readouterr()
        if language == "python":
            exec(text, names)
            said.append(capsys.readouterr().out)
            continue
        for line in text.splitlines():
            assert line.startswith(COMMAND), line
            command, _file, name = line.removeprefix(COMMAND).partition(" > ")
            with open(name, "w") if name else contextlib.nullcontext() as file:
                call_command(*shlex.split(command), **({"stdout": file} if file else {}))
    report = json.loads(capsys.readouterr().out)
    licensee = Licensee.objects.get(slug=slug)
    assert licensee.is_test and ApiKey.objects.get(licensee=licensee).prefix.startswith("mzt_")
    assert said[0] == "True\n" and Account.objects.filter(licensee=licensee, reference="T-1").count() == 1
    assert said[1].startswith("True False\n{'allowed': False, 'code': 'self_excluded'")
    assert said[2] == "refused: wrong signature\n"
    assert report["ok"] is True and report["accounts"] == 4, report
    # Both moments of a stop for later are told: when it is set, and when it begins.
    assert report["heard"] >= 2 and "forged" not in report
    assert report["deposit.allowed"] > 0
    kept = {
        pk
        for model in (Waiting, Transaction)
        for pk in model.objects.filter(licensee=licensee).values_list("pk", flat=True)
    }
    assert len(kept) == report["reported"] > 0
    stopped = Restriction.objects.get(account__licensee=licensee, account__reference__endswith="-stop5")
    assert stopped.source == "test" and stopped.cover_code == "play_stopped"
    assert report.get("stopped", 0) + report.get("play.refused", 0) + report.get("deposit.refused", 0) > 0

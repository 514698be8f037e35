"""The how-to pages on keys, tried as written: every `manage.py` line of their `sh` blocks runs, in the page's order."""

import json
import re
import shlex
import string

import pytest
from django.core.management import call_command

from compliance.embedded.environment import ROOT
from compliance.keys.providers import provider
from compliance.proposals.models import Proposal
from compliance.proposals.services import confirm
from documents.keeping.models import Erasure, LegalHold
from tests.documents.test_end_of_a_player import a_player_of_old, house, officers, vault  # noqa: F401  fixtures
from tests.world import a_world

HOW_TO = ROOT / "docs" / "how-to"


def commands(page):
    text = (HOW_TO / page).read_text()
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)
    lines = [re.sub(r"\s+# .*", "", line).strip() for block in blocks for line in block.splitlines()]
    assert all(line.startswith("manage.py ") for line in lines if line), lines
    return [line.removeprefix("manage.py ") for line in lines if line]


@pytest.fixture
def follow(house, tmp_path, monkeypatch, capsys):  # noqa: F811
    """Run a page's commands in an empty folder. `known` are its variables; what a command prints may fill more."""
    folder = tmp_path / "desk"
    folder.mkdir()
    monkeypatch.chdir(folder)
    known = {}

    def follow(page):
        for line in commands(page):
            arguments = shlex.split(string.Template(line).substitute(known))
            capsys.readouterr()
            call_command(*arguments, "--json")
            told = json.loads(capsys.readouterr().out)
            if "public" in told:
                known[arguments[-1].removesuffix(".pem").upper()] = told["public"]
            if "hold" in told:
                known["HOLD"] = told["hold"]
            yield line, told

    follow.known = known
    follow.folder = folder
    return follow


def test_the_key_ceremony(follow, house):  # noqa: F811
    told = dict(follow("hold-the-keys.md"))
    [check] = [answer for line, answer in told.items() if "escrow check" in line]
    assert check["opened"] is True and check["problems"] == []
    restored = follow.folder / "restored" / "keys.json"
    assert restored.read_bytes() == house.key_file.read_bytes()
    assert restored.stat().st_mode & 0o777 == 0o600


def test_rotation(follow):
    follow.known["CUSTOMER"] = str(a_world().account().customer.pk)
    told = dict(follow("rotate-the-keys.md"))
    assert told["keys rotate"]["epoch"] == 2
    assert told["keys rotate --destroy-old"]["epoch"] == 3
    assert provider().epochs() == [3]
    assert told["keys rotate --customer $CUSTOMER"]["version"] == 2


def test_disaster_recovery(follow):
    told = dict(follow("recover-from-a-disaster.md"))
    assert told["keys check"]["problems"] == []
    assert told["keys replay-shreds"]["replayed"] == 0


def test_the_erasure_of_a_player(follow, house):  # noqa: F811
    world = a_world()
    frank, grace = officers(world)
    frank.email = "frank@example.com"
    frank.save()
    customer, _document = a_player_of_old(world, frank)
    follow.known["CUSTOMER"] = str(customer.pk)
    said = {}
    for line, answer in follow("erase-a-player.md"):
        said[line] = answer
        if line.startswith("retention lift") or line.startswith("keys shred"):
            approve(answer["proposal"], grace)
        if line.startswith("keys shred"):
            assert Erasure.objects.get(customer=customer).decided_by == f"staff:{grace.pk}"
    assert LegalHold.objects.get().lifted_by == f"staff:{grace.pk}"
    assert (follow.folder / "certificate.pdf").read_bytes().startswith(b"%PDF-")
    assert said["retention plan"]["due"] == []
    assert said["retention check"]["problems"] == []


def approve(proposal, by):
    confirm(Proposal.objects.get(pk=proposal), by=by)

"""The how-to pages on keys, tried as written: every line of their `sh` blocks runs, in the page's order."""

import io
import json
import re
import shlex
import shutil
import string
import subprocess

import pytest
from django.core.management import call_command
from django.db import connections

from audit.actors import system
from audit.perform import perform
from compliance.embedded.binaries import find_binaries
from compliance.embedded.environment import ROOT
from compliance.embedded.postgres import OWNER
from compliance.keys.providers import provider
from compliance.people.models import Customer
from compliance.proposals.models import Proposal
from compliance.proposals.services import confirm
from documents.keeping.models import Erasure, LegalHold
from documents.models import Document
from documents.services import open_document, receive
from documents.storage import storage
from documents.uploads import seal_file
from tests.documents import samples
from tests.documents.test_end_of_a_player import (  # noqa: F401  fixtures
    a_player_of_old,
    erase,
    finish,
    house,
    officers,
)
from tests.world import a_world

HOW_TO = ROOT / "docs" / "how-to"


def commands(page, section=""):
    """(line, its comment) of a page, or of one section of it."""
    text = (HOW_TO / page).read_text()
    if section:
        text = text.split(f"\n## {section}\n")[1].split("\n## ")[0]
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)
    lines = [line.strip() for block in blocks for line in block.splitlines()]
    assert lines, page
    return [(line.partition(" #")[0].strip(), line.partition(" #")[2].strip()) for line in lines if line]


@pytest.fixture
def follow(house, tmp_path, monkeypatch, capsys):  # noqa: F811
    """Run a page's commands in an empty folder. `known` are its variables; what a command prints may fill more."""
    folder = tmp_path / "desk"
    folder.mkdir()
    monkeypatch.chdir(folder)
    known = {}

    def follow(page, section=""):
        for line, comment in commands(page, section):
            if not line.startswith("manage.py "):
                in_the_shell(line, house, known)
                continue
            line = line.removeprefix("manage.py ")
            arguments = shlex.split(string.Template(line).substitute(known))
            capsys.readouterr()
            try:
                call_command(*arguments, "--json")
            except SystemExit as ended:
                assert comment.startswith(f"exit code {ended.code} "), line
            else:
                assert not comment.startswith("exit code 1 while"), line
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


def in_the_shell(line, house, known):  # noqa: F811
    connections.close_all()
    binaries = find_binaries()
    env = binaries.environment() | known
    done = subprocess.run(["sh", "-ec", line], env=env, capture_output=True, text=True)
    assert done.returncode == 0, f"{line}\n{done.stderr}"


def test_disaster_recovery(follow, house):  # noqa: F811
    """Back up, erase somebody, lose everything, restore: the page's commands in its order, on a real dump."""
    page = "recover-from-a-disaster.md"
    world = a_world()
    frank, grace = officers(world)
    erased, _document = a_player_of_old(world, frank)
    kept = world.account().customer
    brought = samples.photo()
    document = receive(customer=kept, upload=a_page(kept, brought), by=world.alice)
    document = perform(document.pass_inspection, by=system(), facts={})
    folder = house.key_file.parent
    follow.known |= {"OWNER_URL": house.cluster.url(OWNER, house.database), "KEYS": str(folder)}
    follow.known |= {"VAULT_DIR": str(storage().root)}
    assert list(follow(page, "Back up")) == []
    erase(erased, frank, grace)
    finish()
    # The keys are copied after every erasure, as the page says: its last command once more.
    in_the_shell(commands(page, "Back up")[-1][0], house, follow.known)
    lose_everything(house, folder)
    told = []
    for line, answer in follow(page, "Restore"):
        told.append((line, answer))
        if line == "keys replay-shreds":
            finish()  # what the worker does once the services run again
    checks = [answer["problems"] for line, answer in told if line == "keys check --all"]
    assert "1 shreds are not in this database" in checks[0][0] and checks[1] == []
    assert dict(told)["keys replay-shreds"]["replayed"] == 1
    assert dict(told)["documents scrub --everything"]["failed"] == 0
    assert b"".join(open_document(document, by=world.alice, purpose="test")) == brought
    assert Customer.objects.get(pk=erased.pk).full_name == ""
    assert Document.objects.get(customer=erased).state == "destroyed"


def a_page(customer, data):
    return seal_file(customer=customer, name="front.jpg", declared="", stream=io.BytesIO(data))


def lose_everything(house, folder):  # noqa: F811
    connections.close_all()
    house.cluster.drop_database(house.database)
    shutil.rmtree(folder)
    shutil.rmtree(storage().root)
    house.cluster.create_database(house.database)


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

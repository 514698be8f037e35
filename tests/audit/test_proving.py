"""Proofs from the command line, checked by the verifier alone."""

from hashlib import sha256
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from audit.models import Entry
from audit.queries import standing
from audit.verifier import verify as outside
from tests.audit.bundling import check, check_here
from tests.world import a_world


@pytest.fixture
def log(house):
    house.ids = house.write(300)
    house.sequence()
    return house


def prove(folder, *words):
    call_command("audit", "prove", "--to", str(folder), *map(str, words))


def test_an_entry_is_handed_out_with_its_proof(log, tmp_path):
    event_id, vkey = log.ids[70], standing().vkey
    prove(tmp_path, event_id)
    entry, proof = tmp_path / f"{event_id}.json", tmp_path / f"{event_id}.tlog-proof"
    status, report = check(entry, vkey, "--proof", proof)
    assert (status, report["entry"]["id"]) == (0, str(event_id))
    assert Entry.objects.get(action="audit.prove").facts["data"]["seq"] == report["seq"]
    for file in (entry, proof):
        data = file.read_bytes()
        for place in range(0, len(data), 5):
            file.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
            assert check_here(entry, vkey, "--proof", proof) == 1, f"{file.name}, byte {place}"
        file.write_bytes(data)
    with pytest.raises(CommandError, match="cannot be written"):
        prove(tmp_path, event_id)


def test_what_is_not_signed_yet_has_no_proof(log, tmp_path):
    (fresh,) = log.write(1)
    with pytest.raises(CommandError, match="has no place yet"):
        prove(tmp_path, fresh)
    with pytest.raises(CommandError, match="no proof from 9999"):
        prove(tmp_path, "--since", 9999)
    assert not list(tmp_path.glob("*.tlog-proof")) + list(tmp_path.glob("*.continues"))


def test_the_page_hands_out_the_same_and_names_the_verifier(log, client, tmp_path):
    kept, size = tmp_path / "kept", standing().signed_size
    kept.write_text(standing().note)
    log.write(50)
    log.sequence()
    client.force_login(a_world().carol)
    assert sha256(Path(outside.__file__).read_bytes()).hexdigest() in client.get("/audit/export/").content.decode()
    proof = tmp_path / "a.continues"
    proof.write_bytes(client.get("/audit/main/continues/", {"size": size}).content)
    assert check_here(proof, standing().vkey, "--checkpoint", kept) == 0
    for wrong in ("0", "99999", "x", ""):
        assert client.get("/audit/main/continues/", {"size": wrong}).status_code == 404
    assert client.get("/audit/aml/continues/", {"size": 1}).status_code == 404


def test_a_checkpoint_is_shown_to_be_continued(log, tmp_path):
    kept, vkey = tmp_path / "kept", standing().vkey
    kept.write_text(standing().note)
    size = standing().signed_size
    log.write(50)
    log.sequence()
    prove(tmp_path, "--since", size)
    proof = tmp_path / f"{size}.continues"
    status, report = check(proof, vkey, "--checkpoint", kept)
    assert (status, report["continues_checkpoint"]) == (0, size)
    assert check_here(proof, vkey) == 3
    proof.write_text(proof.read_text().replace("\n", "\nAAAA\n", 1))
    assert check_here(proof, vkey, "--checkpoint", kept) == 1

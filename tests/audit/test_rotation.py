"""A log gets another key: who pinned the old one follows to the new one, and to no stranger's."""

import io
import json
import zipfile

import pytest
from django.core.management import CommandError, call_command

from audit import rotation
from audit.actors import system
from audit.checkpoints import BadNote, Checkpoint, KeyChanged, Signer
from audit.export import export
from audit.models import Entry
from audit.queries import standing
from audit.rotation import Ring, Rotation, notes_in, prepare, rotate
from audit.selections import Selection
from audit.verifier import verify as outside
from tests.audit.conftest import Process, kinds
from tests.audit.test_checkpoints import Tree
from tests.waiting import wait_until

CASE = "KYC-26-004813-9"


class Log:
    """A key folder with a tree, and the notes it signed before and after each change of key."""

    def __init__(self, folder):
        self.folder, self.tree = folder, Tree()
        self.signer = Signer.create(folder, "main", "log.example/main")

    def sign(self, count):
        return self.signer.sign(*self.tree.grow(count), self.tree.prove)

    def rotate(self):
        prepare(self.folder, "main")
        note = rotate(self.folder, "main")
        self.signer = Signer(self.folder, "main")
        return note


@pytest.fixture
def log(tmp_path):
    return Log(tmp_path / "keys")


def refused(trusted, notes):
    """That both implementations refuse a chain, for their own reasons."""
    with pytest.raises(BadNote):
        Ring(trusted, notes)
    with pytest.raises(outside.Tampered):
        outside.Ring(outside.Key(str(trusted)), [note.encode() for note in notes])


def test_both_implementations_follow_the_notes_forward_and_back(log):
    first, early = log.signer.verifier, log.sign(5)
    notes = [log.rotate()]
    between = log.sign(5)
    notes.append(log.rotate())
    late = log.sign(5)
    for trusted in (first, log.signer.verifier, Rotation.parse(notes[0]).new):
        ring, theirs = Ring(trusted, notes), outside.Ring(outside.Key(str(trusted)), [note.encode() for note in notes])
        for note, size in ((early, 5), (between, 10), (late, 15)):
            assert ring.checkpoint(note).size == theirs.checkpoint(note.encode(), "note")[0] == size
        assert ring.newest == log.signer.verifier
    refused(first, notes[1:])
    refused(first, notes[::-1])
    refused(first, [notes[0], notes[0]])


def test_an_attackers_own_note_leads_nowhere(log, tmp_path):
    """He has no private key of the log: his note carries his own signature, or a copied one, in the old key's place."""
    pinned = log.signer.verifier
    log.sign(5)
    true = log.rotate()
    his = Signer.create(tmp_path / "his", "main", "log.example/main")
    other = Signer.create(tmp_path / "other", "main", "log.example/main")
    text = Rotation(1, Checkpoint(pinned.name, 5, bytes(32)), pinned, his.verifier).text
    forged = his.note(text) + his.note(text).rpartition("\n\n")[2]
    refused(pinned, [forged])
    copied = text + "\n" + true.rpartition("\n\n")[2].split("\n")[0] + "\n" + his.note(text).rpartition("\n\n")[2]
    refused(pinned, [copied])
    own = Rotation(1, Checkpoint(pinned.name, 5, bytes(32)), other.verifier, his.verifier).text
    refused(pinned, [other.note(own) + his.note(own).rpartition("\n\n")[2]])  # in itself a good note


def test_every_changed_byte_of_a_note_is_refused(log):
    pinned = log.signer.verifier
    log.sign(5)
    note = log.rotate()
    for place in range(0, len(note), 3):
        changed = note[:place] + chr(ord(note[place]) ^ 1) + note[place + 1 :]
        refused(pinned, [changed])


def test_each_key_signs_only_what_belongs_to_its_time(log, tmp_path):
    """The old key leaks after the change: what it signs from then on is not believed."""
    old, pinned = log.signer, log.signer.verifier
    log.sign(5)
    notes = [log.rotate()]
    size, root = log.tree.grow(5)
    with pytest.raises(KeyChanged):
        old.sign(size, root, log.tree.prove)
    leaked = old.note(Checkpoint(pinned.name, size, root).text)
    early = log.signer.note(Checkpoint(pinned.name, 3, root).text)
    theirs = outside.Ring(outside.Key(str(pinned)), [note.encode() for note in notes])
    for note in (leaked, early):
        with pytest.raises(BadNote, match="not in use at this size"):
            Ring(pinned, notes).checkpoint(note)
        with pytest.raises(outside.Tampered, match="not in use at"):
            theirs.checkpoint(note.encode(), "note")


@pytest.mark.parametrize("killed", ["after the note", "after the key"])
def test_a_kill_in_the_middle_leaves_one_key_in_use(log, monkeypatch, killed):
    log.sign(5)
    before, following = log.signer.verifier, prepare(log.folder, "main")
    written = rotation.write_durably

    def dies(file, *args):
        if killed == "after the key" and file.suffix == ".vkey":
            raise KeyboardInterrupt
        written(file, *args)
        if killed == "after the note":
            raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(rotation, "write_durably", dies)
        rotate(log.folder, "main")
    signer = Signer(log.folder, "main")
    signer.publish()
    assert signer.verifier == (before if killed == "after the note" else following)
    ring = Ring(signer.verifier, notes_in(log.folder, "main"))
    assert ring.newest == signer.verifier
    if killed == "after the note":
        rotate(log.folder, "main")
        assert Ring(before, notes_in(log.folder, "main")).newest == following


@pytest.fixture
def changed(house, settings):
    """A log whose key was changed while its sequencer worked: (house, the old verifier key)."""
    settings.LOG_KEY_DIR = house.keys
    house.write(5, matter=CASE)
    process = Process(house)
    wait_until(lambda: standing().alive and standing().signed_size > 5)
    pinned = standing().vkey
    call_command("audit", "key", "rotate", "--log", "main")
    house.write(5, matter=CASE)
    yield house, pinned
    process.end()


def test_the_command_announces_changes_and_goes_on(changed, tmp_path, capsys):
    house, pinned = changed
    newest = standing().vkey
    assert newest != pinned
    assert (house.keys / "main.vkey").read_text().strip() == newest
    wait_until(lambda: Entry.objects.filter(action="audit.rotate_key", log="main").exists())  # written after the change
    announced, changed_at = (
        Entry.objects.get(action=f"audit.{verb}_key", log="main") for verb in ("announce", "rotate")
    )
    assert announced.facts["data"] == {"before": pinned, "vkey": newest}
    assert changed_at.facts["data"]["vkey"] == newest
    wait_until(lambda: standing().waiting == 0)
    assert kinds(house.verify()) == set()

    for selection in (Selection("case", CASE), Selection("full")):
        out = io.BytesIO()
        export(selection, out, by=system(), reason="x")
        file = tmp_path / f"{selection.kind}.zip"
        file.write_bytes(out.getvalue())
        for trusted in (pinned, newest):
            assert outside.main([str(file), "--vkey", trusted, "--json"]) == 0
            report = json.loads(capsys.readouterr().out)
            assert report["keys"] == [pinned, newest]
    assert "keys/rotations/1" in zipfile.ZipFile(file).namelist()
    assert outside.main([str(file), "--vkey", pinned]) == 0
    assert f"Pin the newest: {newest}" in capsys.readouterr().out


def test_without_its_sequencer_no_key_is_changed(house, settings):
    settings.LOG_KEY_DIR = house.keys
    house.write(1)
    house.sequence()
    house.sql("UPDATE audit_state SET beat_at = now() - interval '1 hour'")
    key = (house.keys / "main.key").read_text()
    with pytest.raises(CommandError, match="sequencer does not answer"):
        call_command("audit", "key", "rotate", "--log", "main")
    with pytest.raises(CommandError, match="Say which"):
        call_command("audit", "key", "rotate")
    assert (house.keys / "main.key").read_text() == key
    assert Entry.objects.filter(action="audit.announce_key").count() == 0

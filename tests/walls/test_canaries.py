"""Words of a player go in by every door. Where may they lie? Nowhere but in the columns named here, and sealed."""

import base64
import json
import logging
import re
from contextlib import suppress

import pytest
from django.conf import settings
from django.db import connection, transaction

from cases import restricting
from cases import services as engine
from cases.glass import services as glass
from cases.looking import services as looking
from compliance.outbox.broker import Channel
from tests import database
from tests.papers import a_file, bring
from tests.world import a_world

# What staff search for stands in the open, and is emptied by an erasure (documents/keeping/reach.py).
OPEN = {"people_customer": {"full_name", "name_fold", "name_latin", "address"}}
CANARY = {
    "name": "Zyxworia",
    "address": "Quarzlampenweg",
    "id": "10000000146",
    "mail": "isil@example.com",
    "phone": "5321234567",
    "note": "canarynote",
    "message": "canarymessage",
    "reason": "canaryreason",
    "file": "canaryfile",
}
NEEDLES = {form.lower() for word in CANARY.values() for form in (word.encode(), word.encode().hex().encode())}
# Digits amid the hexadecimal ones of something sealed are chance: its head is "0100000001" already.
NUMBERS = {
    word.encode(): re.compile(rb"(?<![0-9a-f])%s(?![0-9a-f])" % word.encode())
    for word in CANARY.values()
    if word.isdigit()
}


@pytest.fixture
def kept(migrated, django_db_setup, django_db_blocker, in_context):
    """A database on which what is done is committed: only of such a one there are backups and messages."""
    copy = database.a_copy(migrated, "canaries")
    with copy as name, django_db_blocker.unblock(), database.connected_to(name, cluster=migrated):
        yield name


@pytest.fixture
def messages(tmp_path, monkeypatch):
    """A folder of the broker's own, from which no worker takes anything."""
    # A property, as a channel that an earlier test opened keeps the folder it found.
    monkeypatch.setattr(Channel, "data_folder_out", property(lambda channel: str(tmp_path)))
    return tmp_path


def test_what_is_known_of_a_player_lies_nowhere_in_the_open(kept, migrated, messages, caplog, tmp_path_factory):
    """In no column, backup, message of the broker or file of the data folder; `caplog` is what goes to a log."""
    caplog.set_level(logging.DEBUG)
    before = _files()
    with transaction.atomic():
        _go_in(a_world())
    assert _found() == {(table, column) for table, columns in OPEN.items() for column in columns} - _unused()
    assert _holding(caplog.text.encode()) == set()
    sent = [_body(file) for file in messages.glob("*.msg")]
    assert sent and set().union(*map(_holding, sent)) == set()
    written = {file for file, stood in _files().items() if before.get(file) != stood}
    assert [file for file in written if _holding(_read(file))] == []
    assert any(settings.VAULT_DIR in file.parents for file in written)
    backup = tmp_path_factory.mktemp("backup") / "dump.sql"
    database.dump(migrated, kept, backup, kind="plain")
    assert _tables_in(backup.read_bytes()) == set(OPEN)


def _go_in(world):
    facts = {"full_name": f"{CANARY['name']} Yıldırım", "national_id": CANARY["id"]}
    case = world.verification(**facts, address=f"{CANARY['address']} 7")
    engine.assign(case, to=world.alice, by=world.alice)
    engine.write_note(case, by=world.alice, text=CANARY["note"])
    engine.write_message(case, "received", by=world.alice, text=CANARY["message"])
    looking.say_why(case, by=world.bob, because="other", note=CANARY["reason"])
    paper = {"data": a_file() + CANARY["file"].encode(), "inspected": False}
    bring(case, "identity_front", "passport", by=world.alice, **paper)
    _hide(case, world)


def _hide(case, world):
    restricting.restrict(case, to=[world.alice], by=world.bob, because="sensitive")
    glass.open_case(case.number, by=world.erin, because="danger", note=CANARY["reason"] * 2, minutes=15)


def _unused():
    """Columns of OPEN that a name in Latin letters leaves empty."""
    return {("people_customer", "name_latin")}


def _holding(data):
    """Which of the words are in these bytes, as they are or in hexadecimal digits."""
    low = data.lower()
    return {needle for needle in NEEDLES if needle in low and (needle not in NUMBERS or NUMBERS[needle].search(low))}


def _files():
    """What lies in the data folder, beside the database's own files."""
    folders = [folder for folder in settings.DATA_DIR.iterdir() if folder.is_dir() and folder.name != "postgres"]
    found = {}
    for file in (file for folder in folders for file in folder.rglob("*")):
        with suppress(FileNotFoundError):  # a worker took its message meanwhile
            if file.is_file():
                found[file] = (file.stat().st_size, file.stat().st_mtime_ns)
    return found


def _read(file):
    """Nothing of what was taken away meanwhile."""
    with suppress(FileNotFoundError):
        return file.read_bytes()
    return b""


def _body(file):
    """What a message says: its body is packed once more."""
    said = json.loads(file.read_text())
    return file.read_bytes() + base64.b64decode(said["body"])


def _tables_in(backup):
    """The tables of a plain dump whose rows hold a word; "" stands for everything between them."""
    found, table = set(), ""
    for line in backup.splitlines():
        if begins := re.match(rb"COPY \w+\.(\w+) ", line):
            table = begins[1].decode()
        if _holding(line):
            found.add(table)
        if line == b"\\.":
            table = ""
    return found


def _found():
    """(table, column) of every value that holds one of the words, as text or as bytes, in every schema of ours."""
    found = set()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'public'"
            " AND data_type IN ('text', 'character varying', 'jsonb', 'json', 'bytea', 'ARRAY')"
            " AND table_name IN (SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            " AND has_table_privilege(quote_ident(tablename), 'SELECT'))"
        )
        columns = {}
        for table, column, kind in cursor.fetchall():
            columns.setdefault(table, []).append((column, kind))
        for table, named in columns.items():
            tests = ", ".join(f"coalesce(bool_or({_holds(column, kind)}), false)" for column, kind in named)
            cursor.execute(f'SELECT {tests} FROM "{table}"')
            found |= {(table, column) for (column, _kind), hit in zip(named, cursor.fetchone(), strict=True) if hit}
    return found


def _holds(column, kind):
    if kind == "bytea":
        return " OR ".join(
            f"position('{word.encode().hex()}' in encode(\"{column}\", 'hex')) > 0" for word in CANARY.values()
        )
    return " OR ".join(f"position('{word.lower()}' in lower(\"{column}\"::text)) > 0" for word in CANARY.values())

"""Words of a player go in by every door. Where may they lie? Nowhere but in the columns named here, and sealed."""

import logging

from django.db import connection

from cases import restricting
from cases import services as engine
from cases.glass import services as glass
from cases.looking import services as looking
from tests.papers import bring

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
}


def test_what_is_known_of_a_player_lies_nowhere_in_the_open(world, caplog):
    """The tables are what a backup holds and the broker's messages are made of; `caplog` is what goes to a file."""
    caplog.set_level(logging.DEBUG)
    facts = {"full_name": f"{CANARY['name']} Yıldırım", "national_id": CANARY["id"]}
    case = world.verification(**facts, address=f"{CANARY['address']} 7")
    engine.assign(case, to=world.alice, by=world.alice)
    engine.write_note(case, by=world.alice, text=CANARY["note"])
    engine.write_message(case, "received", by=world.alice, text=CANARY["message"])
    looking.say_why(case, by=world.bob, because="other", note=CANARY["reason"])
    bring(case, "identity_front", "passport", by=world.alice, inspected=False)
    _hide(case, world)
    assert _found() == {(table, column) for table, columns in OPEN.items() for column in columns} - _unused()
    assert [word for word in CANARY.values() if word.lower() in caplog.text.lower()] == []


def _hide(case, world):
    restricting.restrict(case, to=[world.alice], by=world.bob, because="sensitive")
    glass.open_case(case.number, by=world.erin, because="danger", note=CANARY["reason"] * 2, minutes=15)


def _unused():
    """Columns of OPEN that a name in Latin letters leaves empty."""
    return {("people_customer", "name_latin")}


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

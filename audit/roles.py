"""The product's roles in a database of the operator's own: made once by a superuser, each with its rights and no more.

The statements are those by which the embedded database is made: three files, each safe to repeat.
"""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlencode

import psycopg
from django.conf import settings
from django.db import connections
from psycopg import sql

from audit.database import connect, one

# Each role with the end of the name of the file that its address goes to: deploy/systemd reads the first three.
ROLES = {
    "mizan_owner": "owner",
    "mizan_app": "app",
    "mizan_sequencer": "sequencer",
    "mizan_auditor": "auditor",
    "mizan_aml_auditor": "aml_auditor",
}
_STATEMENTS = Path(settings.BASE_DIR) / "compliance" / "embedded" / "roles"


class CannotMakeRoles(Exception):
    """The text says why, and what to do."""


def make_roles(database: str, folder: Path) -> Iterator[str]:
    """Make what is missing of roles, database and rights; a line for each. The addresses of new roles go to `folder`.

    A role that is there keeps its password. Signs in as DATABASE_URL says, which must be a superuser's.
    """
    with connect() as connection:
        (superuser,) = one(connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user"))
        if not superuser:
            raise CannotMakeRoles("A superuser of the server makes the roles: give its address as DATABASE_URL.")
        # One without a password is as new: a run that was cut off made it, and nobody can sign in with it.
        known = connection.execute("SELECT rolname FROM pg_authid WHERE rolpassword IS NOT NULL").fetchall()
        there = {name for (name,) in known}
        new = [role for role in ROLES if role not in there]
        if new and not os.access(folder, os.W_OK | os.X_OK):
            raise CannotMakeRoles(f"{folder} is no folder that can be written. Make it first: addresses go there.")
        if in_the_way := [str(path) for role in new if (path := _file(folder, role)).exists()]:
            raise CannotMakeRoles(f"Addresses of roles that are not there: move {', '.join(in_the_way)} away first.")
        connection.execute(_statements("roles"))
        for role in new:
            yield f"{role}: made, its address is in {_give_password(connection, role, database, folder)}"
        yield from (f"{role}: there already, its password stays" for role in ROLES if role in there)
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone() is None:
            make = "CREATE DATABASE {} OWNER mizan_owner TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'"
            connection.execute(sql.SQL(make).format(sql.Identifier(database)))
            yield f"database {database}: made"
    with connect(database) as connection:
        connection.execute(_statements("connect"))
        connection.execute(_statements("rights"))
    yield f"database {database}: each role has its rights"


def _statements(name: str) -> bytes:
    return (_STATEMENTS / f"{name}.sql").read_bytes()


def _file(folder: Path, role: str) -> Path:
    return folder / f"database_url.{ROLES[role]}"


def _give_password(connection: psycopg.Connection, role: str, database: str, folder: Path) -> Path:
    """The address first, on disk: a role whose password nobody knows could not be made again."""
    password, path, where = secrets.token_hex(24), _file(folder, role), connection.info
    more = urlencode(connections["default"].settings_dict["OPTIONS"] | {"host": where.host, "port": where.port})
    address = f"postgresql://{role}:{password}@/{quote(database)}?{more}\n"
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(address)
        os.fchmod(file.fileno(), 0o640)  # whatever the umask: the services read it by their group
        os.fsync(file.fileno())
    # Hashed here: the server's own log may hold the statement.
    hashed = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256")
    connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(hashed.decode())))
    return path

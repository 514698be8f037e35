"""`manage.py audit roles`: a database of the operator's own, from nothing, on a server of its own."""

import stat
from importlib import import_module
from pathlib import Path

import psycopg
import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connections
from django.db.migrations import RunSQL

from audit import migrations
from audit.database import weaknesses
from compliance.embedded.postgres import OWNER, ROLES, SUPERUSER, Cluster

FILES = {role: f"database_url.{role.removeprefix('mizan_')}" for role in ROLES}
DATABASE = "kyc"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server where nobody made anything of ours."""
    with Cluster(tmp_path_factory.mktemp("server"), durable=False) as cluster:
        cluster.drop_database("mizan")
        cluster.sql("".join(f"DROP ROLE {role};" for role in ROLES))
        yield cluster


@pytest.fixture
def roles(server, tmp_path, monkeypatch, capsys):
    """Runs the command as `login` and returns what it says."""

    def run(login=SUPERUSER, password=None, to=tmp_path):
        here = {"NAME": "postgres", "USER": login, "PASSWORD": password or server.password(SUPERUSER)}
        for key, value in (here | {"HOST": str(server.socket_dir)}).items():
            monkeypatch.setitem(connections["default"].settings_dict, key, value)
        call_command("audit", "roles", "--to", str(to), "--database", DATABASE)
        return capsys.readouterr().out

    return run


def test_roles_and_database_are_made_once_and_their_addresses_work(server, roles, tmp_path):
    said = roles()
    address = {role: (tmp_path / file).read_text().strip() for role, file in FILES.items()}
    for role, url in address.items():
        assert stat.S_IMODE((tmp_path / FILES[role]).stat().st_mode) == 0o640
        assert ask(url, "SELECT current_user, current_database()") == [(role, DATABASE)]
        assert password_of(url) not in said
    kept = "SELECT pg_get_userbyid(datdba), has_database_privilege('public', oid, 'CONNECT') FROM pg_database"
    assert ask(address[OWNER], f"{kept} WHERE datname = 'kyc'") == [("mizan_owner", False)]

    make_the_log(address[OWNER])
    for url in address.values():
        with psycopg.connect(url) as connection:
            assert weaknesses(connection.cursor()) == []

    assert roles().count("its password stays") == len(ROLES)
    assert address == {role: (tmp_path / file).read_text().strip() for role, file in FILES.items()}
    with pytest.raises(CommandError, match="superuser"):
        roles(OWNER, password_of(address[OWNER]))

    # A version that brings a role: the schema is there before it, and so may be a file of that name.
    role = "mizan_aml_auditor"
    server.sql(f"DROP OWNED BY {role}", database=DATABASE)
    server.sql(f"DROP ROLE {role}")
    with pytest.raises(CommandError, match=r"move .*database_url\.aml_auditor"):
        roles()
    (tmp_path / FILES[role]).unlink()
    assert f"{role}: made" in roles()
    url = (tmp_path / FILES[role]).read_text().strip()
    assert ask(url, "SELECT log FROM audit_state") == [("aml",)]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        ask(url, "SELECT log FROM public.audit_state")


def test_a_run_that_was_cut_off_strands_no_role(server, roles, tmp_path):
    """Its roles are there and have no password: the next run, with a folder to write to, gives them one."""
    roles()
    role, there = "mizan_auditor", tmp_path / "there"
    server.sql(f"ALTER ROLE {role} PASSWORD NULL")
    with pytest.raises(CommandError, match="Make it first"):
        roles(to=there)
    there.mkdir()
    assert f"{role}: made" in roles(to=there)
    assert ask((there / FILES[role]).read_text().strip(), "SELECT current_user") == [(role,)]


def ask(url, question):
    with psycopg.connect(url) as connection:
        return connection.execute(question).fetchall()


def password_of(url):
    return url.partition("@")[0].rpartition(":")[2]


def make_the_log(url):
    """The log's own migrations, without the seconds that the others take."""
    names = sorted(path.stem for path in Path(migrations.__path__[0]).glob("0*.py"))
    with psycopg.connect(url) as connection:
        for name in names:
            for step in import_module(f"audit.migrations.{name}").Migration.operations:
                if isinstance(step, RunSQL):
                    connection.execute(step.sql)

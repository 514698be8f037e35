"""What lies outside: handed over, kept, recorded, missed, and what it shows."""

import base64
import json
import shutil
import subprocess
import threading
import uuid
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from itertools import accumulate

import boto3
import pytest
from django.core import mail
from django.core.management import call_command
from hypothesis import given as given_some
from hypothesis import settings as settings_of_hypothesis
from hypothesis import strategies as some
from moto.server import ThreadedMotoServer

from audit.actors import system
from audit.anchors import CannotAnchor, NotAsked, WrongProof, configured
from audit.anchors.checking import Bounds
from audit.anchors.placing import late, newest_of, place_due
from audit.anchors.standing import in_words
from audit.anchors.timestamps import TimeStamps
from audit.anchors.witness import Witness
from audit.export import export_to_folder
from audit.models import Entry
from audit.queries import standing
from audit.selections import Selection
from audit.verifier import verify as outside_verify
from audit.verifier import witness as outside
from audit.verifier.verify import Key
from tests.audit.authority import Authority
from tests.audit.bundling import CASE, check, check_here
from tests.audit.clocks import clock
from tests.audit.conftest import Process, kinds
from tests.required import needs
from tests.waiting import wait_until

needs_openssl = needs("openssl", there=shutil.which("openssl"), package="openssl")
DAY = timedelta(days=1)


def given(settings, **anchors):
    settings.AUDIT_ANCHORS = {
        name: {"ANCHOR": path, "OPTIONS": options, "LOGS": ("main",)} for name, (path, options) in anchors.items()
    }
    return {one.name: one.anchor for one in configured()}


@pytest.fixture
def log(house, settings):
    """Ten entries, placed and signed."""
    settings.LOG_KEY_DIR = house.keys
    house.write(10)
    house.sequence()
    return house


@pytest.fixture
def file(log, settings, tmp_path):
    given(settings, file=("audit.anchors.file.AppendOnlyFile", {"path": str(tmp_path / "outside.jsonl")}))
    return tmp_path / "outside.jsonl"


@pytest.fixture
def authority(tmp_path):
    with Authority(tmp_path / "authority") as running:
        yield running


@pytest.fixture
def bucket():
    server = ThreadedMotoServer(port=0)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        patch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        name = f"log-{uuid.uuid4().hex[:8]}"  # moto keeps its buckets for the whole process
        yield {"bucket": name, "days": 3650, "endpoint": f"http://{host}:{port}"}
    server.stop()


@pytest.fixture
def witness(log, tmp_path):
    known = outside.Witness(tmp_path / "witness", "auditor.example/w", [Key((log.keys / "main.vkey").read_text())])
    running = outside.server(known, "127.0.0.1", 0)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield {"url": f"http://127.0.0.1:{running.server_port}", "vkey": known.vkey}
    running.shutdown()
    running.server_close()


# ------------------------------------------------------------------------------------------------ the schedule
def test_each_checkpoint_that_is_handed_over_is_a_row_and_an_entry(log, file):
    (outcome,) = place_due()
    size = standing().signed_size
    assert (outcome.problem, outcome.size) == ("", size)
    kept = newest_of("main", "file")
    assert (kept.note, kept.size) == (standing().note, size)
    entry = Entry.objects.get(action="audit.anchor")
    assert entry.facts["object"] == {"t": "anchor", "id": "file"}
    assert entry.facts["data"]["size"] == size
    assert json.loads(file.read_bytes())["note"] == kept.note


def test_it_is_done_when_due_and_only_for_what_is_new(log, file):
    now = datetime.now(UTC)
    assert len(place_due(now=now)) == 1
    assert place_due(now=now + timedelta(minutes=59)) == []
    assert place_due(now=now + DAY) == []  # the same checkpoint again says nothing
    log.sequence()
    assert len(place_due(now=now + timedelta(minutes=61))) == 1
    assert len(file.read_bytes().splitlines()) == 2


def test_two_tasks_at_once_do_it_once(log, file):
    with log.sequencer() as (_, connection):
        connection.execute("SELECT pg_advisory_lock(hashtext('audit_anchor'))")
        assert place_due() == []
        connection.execute("SELECT pg_advisory_unlock(hashtext('audit_anchor'))")  # an end gives it back only later
    assert len(place_due()) == 1


def test_an_anchor_that_is_late_raises_one_alarm_until_it_confirms_again(log, file, settings):
    missing = file.with_name("missing") / "outside.jsonl"
    given(settings, file=("audit.anchors.file.AppendOnlyFile", {"path": str(missing)}))
    (outcome,) = place_due()
    assert "cannot be written" in outcome.problem
    place_due()
    assert late() == [("main", "file", None)]
    assert Entry.objects.filter(action="audit.lack_anchor").count() == 1
    missing.parent.mkdir()
    place_due()
    assert late() == []
    assert late(datetime.now(UTC) + DAY)[0][:2] == ("main", "file")
    place_due(now=datetime.now(UTC) + DAY)
    assert Entry.objects.filter(action="audit.lack_anchor").count() == 2


def test_the_command_says_what_is_confirmed_and_what_is_not(log, settings, tmp_path, capsys):
    call_command("audit", "anchor", "--log", "main")
    assert "Nothing outside this server confirms the log" in capsys.readouterr().out
    given(settings, file=("audit.anchors.file.AppendOnlyFile", {"path": str(tmp_path / "outside")}))
    call_command("audit", "anchor", "--log", "main")
    said = capsys.readouterr().out
    assert f"file confirmed {standing().signed_size} entries" in said
    assert "newer entries rest on this server alone" in said
    given(settings, file=("audit.anchors.file.AppendOnlyFile", {"path": str(tmp_path / "no" / "folder")}))
    log.sequence()
    with pytest.raises(SystemExit) as stopped:
        call_command("audit", "anchor", "--log", "main")
    assert stopped.value.code == 1


def test_nothing_is_handed_over_of_the_aml_log_where_its_size_would_be_read(log, settings, tmp_path):
    given(settings, file=("audit.anchors.file.AppendOnlyFile", {"path": str(tmp_path / "outside")}))
    log.write(3, log="aml")
    log.sequence()
    place_due()
    assert newest_of("aml", "file") is None
    assert in_words("aml").startswith("aml: no anchor")


# ------------------------------------------------------------------------------------------------ each anchor
def test_a_file_that_lost_a_line_is_found_out(log, file):
    place_due()
    (anchor,), kept = configured(), newest_of("main", "file")
    anchor.anchor.check(kept.held, kept.proof)
    file.write_bytes(b"")
    with pytest.raises(WrongProof, match="does not hold"):
        anchor.anchor.check(kept.held, kept.proof)


@needs_openssl
def test_a_time_stamp_is_kept_with_its_chain_and_openssl_believes_it(log, authority, settings, tmp_path):
    anchors = given(settings, tsa=("audit.anchors.timestamps.TimeStamps", stamps(authority)))
    (outcome,) = place_due()
    assert outcome.problem == ""
    kept = newest_of("main", "tsa")
    anchors["tsa"].check(kept.held, kept.proof)
    assert abs(kept.at - datetime.now(UTC)) < timedelta(minutes=1)
    assert 300 < (kept.expires_at - kept.at).days <= 365
    for name, data in (("note", kept.note.encode()), ("token.tsr", kept.proof), ("chain.pem", kept.chain.encode())):
        (tmp_path / name).write_bytes(data)
    command = "openssl ts -verify -data note -in token.tsr -CAfile chain.pem"
    done = subprocess.run(command.split(), cwd=tmp_path, capture_output=True, text=True)
    assert "Verification: OK" in done.stdout + done.stderr


def stamps(authority):
    return {"url": authority.url, "chain": str(authority.chain)}


@needs_openssl
def test_a_time_stamp_of_something_else_or_by_somebody_else_is_not_taken(log, authority, settings, tmp_path):
    stranger = Authority(tmp_path / "stranger")
    options = stamps(authority) | {"chain": str(stranger.chain)}
    given(settings, tsa=("audit.anchors.timestamps.TimeStamps", options))
    (outcome,) = place_due()
    assert "does not hold" in outcome.problem
    assert newest_of("main", "tsa") is None
    mine = TimeStamps(**stamps(authority))
    proof = mine.stamp(b"another text")
    with pytest.raises(WrongProof):
        mine.check_stamp(b"the text", proof.proof)
    authority.down = True
    with pytest.raises(CannotAnchor, match="answers 503"):
        mine.stamp(b"the text")


@needs_openssl
def test_a_time_stamp_is_renewed_before_its_certificate_ends(log, authority, settings):
    given(settings, tsa=("audit.anchors.timestamps.TimeStamps", stamps(authority)))
    authority.certify(days=20)
    problems = [outcome.problem for outcome in place_due()]
    assert problems[0] == ""
    assert "has no successor" in problems[1]
    old = newest_of("main", "tsa")
    authority.certify(days=365)
    assert [outcome.problem for outcome in place_due()] == [""]
    (row,) = log.sql("SELECT renews, proof, expires_at FROM audit_anchor WHERE renews IS NOT NULL")
    assert row[0] == old.id
    TimeStamps(**stamps(authority)).check_stamp(old.proof, row[1])
    assert row[2] > old.expires_at
    assert Entry.objects.filter(action="audit.renew_anchor").count() == 1
    assert place_due() == []


def test_an_object_in_a_locked_bucket_cannot_be_deleted_and_is_read_again(log, bucket, settings):
    store = boto3.client("s3", endpoint_url=bucket["endpoint"])
    place = {"LocationConstraint": "eu-west-1"}
    store.create_bucket(Bucket=bucket["bucket"], ObjectLockEnabledForBucket=True, CreateBucketConfiguration=place)
    anchors = given(settings, bucket=("audit.anchors.bucket.LockedBucket", bucket))
    (outcome,) = place_due()
    assert outcome.problem == ""
    kept = newest_of("main", "bucket")
    anchors["bucket"].check(kept.held, kept.proof)
    said = json.loads(kept.proof)
    with pytest.raises(store.exceptions.ClientError, match="AccessDenied"):
        store.delete_object(Bucket=bucket["bucket"], Key=said["key"], VersionId=said["version"])
    with pytest.raises(WrongProof):
        anchors["bucket"].check(kept.held, kept.proof.replace(b'"key":"', b'"key":"x'))


def test_a_bucket_without_a_lock_is_no_anchor(log, bucket, settings):
    store = boto3.client("s3", endpoint_url=bucket["endpoint"])
    store.create_bucket(Bucket=bucket["bucket"], CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    given(settings, bucket=("audit.anchors.bucket.LockedBucket", bucket))
    (outcome,) = place_due()
    assert f"the bucket {bucket['bucket']}" in outcome.problem


def test_a_letter_brings_auditors_the_checkpoint(log, settings):
    anchors = given(settings, mail=("audit.anchors.mail.Letters", {"to": ["audit@example.com"]}))
    (outcome,) = place_due()
    assert outcome.problem == ""
    (letter,) = mail.outbox
    assert letter.attachments[0].content == standing().note.encode()
    assert letter.to == ["audit@example.com"]
    kept = newest_of("main", "mail")
    with pytest.raises(NotAsked):
        anchors["mail"].check(kept.held, kept.proof)


# ------------------------------------------------------------------------------------------------ the witness
def test_a_witness_cosigns_what_continues(log, witness, settings):
    anchors = given(settings, witness=("audit.anchors.witness.Witness", witness))
    now = datetime.now(UTC)
    assert [outcome.problem for outcome in place_due(now=now)] == [""]
    log.write(300)
    log.sequence()
    assert [outcome.problem for outcome in place_due(now=now + DAY)] == [""]
    kept = newest_of("main", "witness")
    assert kept.size > 300
    anchors["witness"].check(kept.held, kept.proof)
    assert abs(kept.at - now) < timedelta(minutes=1)


def test_a_witness_that_remembers_more_than_we_is_asked_for_its_size(log, witness, settings):
    """Its answer to the last checkpoint was lost: we think that it has none."""
    anchors = given(settings, witness=("audit.anchors.witness.Witness", witness))
    place_due()
    log.write(5)
    log.sequence()
    log.tamper("TRUNCATE audit_anchor")
    assert [outcome.problem for outcome in place_due()] == [""]
    kept = newest_of("main", "witness")
    with pytest.raises(WrongProof):
        anchors["witness"].check(kept.held, kept.proof[:-9] + b"AAAAAAA=\n")


def test_a_mistyped_key_of_a_witness_is_refused(witness):
    with pytest.raises(CannotAnchor, match="mistyped"):
        Witness(witness["url"], witness["vkey"].replace("+", "+0", 1))


# ------------------------------------------------------------------------------------------------ what they show
def test_a_verification_says_what_is_anchored_and_what_is_not(log, witness, settings):
    given(settings, witness=("audit.anchors.witness.Witness", witness))
    assert log.verify().line.endswith("; not anchored outside")
    place_due()
    log.sequence()
    report = log.verify()
    assert kinds(report) == set()
    size = newest_of("main", "witness").size
    assert report.anchored_to == size < report.entries
    assert report.line.endswith(f"anchored to {size}, the {report.entries - size} since rest on this server alone")


def rewrite(log):
    """What somebody does who has the database and the key folder: another history, signed with the right key."""
    log.tamper(
        "TRUNCATE audit_entry, audit_leaf, audit_tile, audit_checkpoint, audit_anchor, audit_sealed, audit_pending;"
        "UPDATE audit_state SET size = 0, signed_size = 0, note = NULL, latest_at = NULL;"
    )
    empty = base64.b64encode(sha256(b"").digest()).decode()
    (log.keys / "main.state").write_text(json.dumps({"size": 0, "root": empty}))
    log.write(30)
    log.sequence()


def test_a_history_rewritten_with_the_logs_own_key_shows_at_an_anchor_only(log, file, settings):
    place_due()
    rewrite(log)
    assert "rewritten" in kinds(log.verify())
    settings.AUDIT_ANCHORS = {}
    report = log.verify()
    assert kinds(report) == set()
    assert report.line.endswith("not anchored outside")


@pytest.mark.parametrize(
    "attack",
    [
        "DELETE FROM audit_anchor",
        "UPDATE audit_anchor SET proof = proof || '\\x0a'",
        "UPDATE audit_anchor SET note = (SELECT note FROM audit_checkpoint WHERE log = 'aml' LIMIT 1)",
    ],
)
def test_a_proof_that_was_taken_away_or_changed_is_missed(log, file, attack):
    place_due()
    log.sequence()
    log.tamper(attack)
    assert kinds(log.verify()) & {"anchor", "bad_checkpoint"}


def test_an_entry_that_claims_another_time_is_caught_between_two_anchors(log, witness, settings, monkeypatch):
    given(settings, witness=("audit.anchors.witness.Witness", witness))
    place_due()
    with clock(monkeypatch, timedelta(hours=-2)):
        log.write(1)
    with clock(monkeypatch, timedelta(hours=2)):
        log.write(1)
    log.sequence()
    place_due(at_once=True)
    found = [finding for finding in log.verify().findings if finding.kind == "outside_its_time"]
    assert len(found) == 2
    assert all(finding.notice for finding in found)
    assert "the log was shorter on" in found[0].text
    assert "but was there on" in found[1].text


# ------------------------------------------------------------------------------------------------ in an export
@pytest.fixture
def anchored(log, witness, authority, settings, tmp_path):
    """Everything that can be exported: a stamp with its renewal, a cosignature, a receipt; two checkpoints."""
    given(
        settings,
        tsa=("audit.anchors.timestamps.TimeStamps", stamps(authority)),
        witness=("audit.anchors.witness.Witness", witness),
        file=("audit.anchors.file.AppendOnlyFile", {"path": str(tmp_path / "outside.jsonl")}),
    )
    authority.certify(days=20)
    log.write(300, matter=CASE)
    log.sequence()
    place_due()
    authority.certify(days=365)
    log.write(5, matter=CASE)
    log.sequence()
    place_due(at_once=True)
    process = Process(log)
    wait_until(lambda: standing().alive and standing().waiting == 0)
    yield log
    process.end()


def exported(selection, folder):
    export_to_folder(selection, folder, by=system(), reason="Yearly audit")
    return folder


@needs_openssl
@pytest.mark.parametrize("selection", [Selection("case", CASE), Selection("full")], ids=["case", "full"])
def test_a_bundle_brings_the_proofs_and_says_who_checks_what(anchored, witness, authority, tmp_path, selection, capsys):
    folder, vkey = exported(selection, tmp_path / "bundle"), standing().vkey
    status, report = check(folder, vkey, "--witness", witness["vkey"])
    assert status == 0
    assert report["anchored"] is True
    assert report["anchored_to"] == newest_of("main", "witness").size < report["tree_size"]
    assert sum(row["holds"] for row in report["anchors"]) == 2
    assert [row for row in report["anchors"] if row["says"].startswith("lies with file since")]

    commands = [row["says"].partition("its signature: ")[2] for row in report["anchors"]]
    commands = [command for command in commands if command]
    assert len(commands) == 3  # two stamps, and one of them renewed
    for command in commands:
        words = command.replace("YOUR-TSA-ROOT.pem", str(authority.chain)).split()
        assert "Verification: OK" in run(words, folder)

    assert check_here(folder, vkey) == 0
    assert "Unanchored" in capsys.readouterr().out
    stranger = outside.Witness(tmp_path / "stranger", "auditor.example/w", [])
    assert check(folder, vkey, "--witness", stranger.vkey)[1]["anchored"] is False
    assert check(folder, vkey, "--witness", "x")[0] == 3


def run(words, folder):
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True)
    return done.stdout + done.stderr


@needs_openssl
def test_a_proof_about_something_else_is_refused(anchored, witness, tmp_path):
    """Even where the manifest is signed: the operator himself laid it there."""
    folder, vkey = exported(Selection("case", CASE), tmp_path / "bundle"), standing().vkey
    sizes = sorted(int(file.name) for file in (folder / "checkpoints").iterdir())
    old, new = (
        next(folder.glob(f"anchors/{size}-tsa.tsr")) for size in sizes if (folder / f"anchors/{size}-tsa.tsr").exists()
    )
    key = outside_verify.Key(vkey)
    for name, data, problem in (
        (f"anchors/{new.name}", old.read_bytes(), "a time stamp over something else"),
        (f"anchors/{new.name}", b"0\x03\x02\x01\x00", "not a time stamp"),
        (f"cosignatures/{new.name.replace('tsa.tsr', 'witness')}", None, "not what auditor.example/w signed"),
    ):
        other = next(folder.glob(f"cosignatures/{old.name.replace('tsa.tsr', 'witness')}")).read_bytes()
        bundle = outside_verify.Bundle(outside_verify.Folder(str(folder)), key)
        honest, replaced = bundle.read, {name: data or other}
        bundle.read = lambda wanted, honest=honest, replaced=replaced: replaced.get(wanted) or honest(wanted)
        with pytest.raises(outside_verify.Tampered, match=problem):
            outside_verify.Check(bundle, [outside_verify.Cosigner(witness["vkey"])]).run()


@needs_openssl
def test_the_verifier_bounds_times_by_the_anchors_too(anchored, witness, tmp_path, monkeypatch):
    with clock(monkeypatch, timedelta(hours=-2)):
        (late_one,) = anchored.write(1, matter=CASE)
    wait_until(lambda: standing().waiting == 0)
    folder = exported(Selection("case", CASE), tmp_path / "bundle")
    status, report = check(folder, standing().vkey, "--witness", witness["vkey"])
    assert status == 0
    (found,) = (row for row in report["time_anomalies"] if "between" in row)
    assert found["ts"] < found["between"][0]


@settings_of_hypothesis(max_examples=50, deadline=None)
@given_some(
    steps=some.lists(some.tuples(some.integers(1, 50), some.integers(0, 3600)), min_size=1, max_size=8),
    seq=some.integers(0, 200),
    at=some.integers(-3600, 40000),
)
def test_bounds_are_those_of_the_anchors_around_an_entry(steps, seq, at):
    start, skew = datetime(2026, 1, 1, tzinfo=UTC), timedelta(minutes=5)
    sizes = list(accumulate(size for size, _ in steps))
    times = list(accumulate(seconds for _, seconds in steps))
    known = [(size, start + timedelta(seconds=second)) for size, second in zip(sizes, times, strict=True)]
    moment = start + timedelta(seconds=at)
    possible = all(moment >= when - skew if seq >= size else moment <= when + skew for size, when in known)
    assert (Bounds(known).broken_by(seq, moment, skew) is None) == possible

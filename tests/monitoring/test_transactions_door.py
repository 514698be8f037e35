"""The doors of transactions: the API and files. All or nothing, and whatever is wrong is named."""

import csv
import json
import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from audit.models import Entry
from cases.types.monitoring.rules import counting
from cases.types.monitoring.transactions import importing, likeness, reading
from cases.types.monitoring.transactions.generating import TYPOLOGIES
from cases.types.monitoring.transactions.models import Import, PaymentInstrument, Transaction, Waiting
from compliance.platform.services import issue_key

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def send(world, client):
    """Posts rows as the platform does; the answer."""
    _key, token = issue_key(
        owner=world.bob,
        licensee=world.licensee,
        name="platform",
        scopes=["transactions:read", "transactions:write"],
        expires_at=timezone.now() + timedelta(days=1),
        created_by=world.bob,
        by=world.bob,
    )

    def post(rows, **headers):
        headers["Authorization"] = f"Bearer {token}"
        body = json.dumps({"transactions": rows})
        return client.post("/api/v1/transactions", body, content_type="application/json", headers=headers)

    post.read = lambda *names: client.get(
        "/api/v1/transactions", {"source_id": names}, headers={"Authorization": f"Bearer {token}"}
    )
    return post


def given(player, number, **facts):
    return {
        "source_id": f"tx-{number}",
        "account": getattr(player, "reference", player),
        "kind": "deposit",
        "amount": 5000,
        "currency": "EUR",
        "at": "2026-09-01T12:00:00+03:00",
    } | facts


def test_the_api_takes_a_batch_whole_or_not_at_all(world, send):
    account = world.account()
    whole = [
        given(account, n, instrument_id="tok-1", holder="YILDIRIM Isil", ip_address="2001:db8::7") for n in range(3)
    ]
    answer = send(whole)
    assert (answer.status_code, answer.json()) == (202, {"accepted": 3, "known": 0})
    assert send(whole).json() == {"accepted": 0, "known": 3}
    once = {"Idempotency-Key": "k1"}
    assert send([given(account, 9)], **once).json() == send([given(account, 9)], **once).json()
    instrument = PaymentInstrument.objects.get()
    assert instrument.holder_match == 100 and b"YILDIRIM" not in bytes(instrument.holder_sealed)
    bad = send(
        [
            given(account, 20),
            given(account, 21, amount="12.50"),
            given(account, 22, kind="theft", at="yesterday"),
            given(account, 23, account="P-nobody"),
            given(account, 24, instrument_id="4111111111111111"),
            given(account, 25, surprise=1),
            given(account, 26, source_id=" ", kind="  ", amount=" ", at="\t", currency=" "),
        ]
    )
    assert bad.status_code == 422
    errors = {(one["pointer"], one["code"]) for one in bad.json()["errors"]}
    assert errors == {
        ("/transactions/1/amount", "invalid"),
        ("/transactions/2/kind", "unknown"),
        ("/transactions/2/at", "invalid"),
        ("/transactions/4/instrument_id", "card_number"),
        ("/transactions/5/surprise", "unknown_field"),
        *((f"/transactions/6/{field}", "missing") for field in ("source_id", "kind", "amount", "at", "currency")),
    }
    assert "4111111111111111" not in bad.content.decode()
    stranger = send([given(account, 23, account="P-nobody"), given(account, 30)])
    assert [one["pointer"] for one in stranger.json()["errors"]] == ["/transactions/0/account"]
    assert Waiting.objects.count() == 4
    assert send([]).status_code == send([given(account, n) for n in range(501)]).status_code == 422
    accepted = Entry.objects.filter(action="transactions.accept")
    assert {entry.log for entry in accepted} == {"aml"}
    counting.count_waiting()
    assert Transaction.objects.count() == 4


def test_a_file_goes_on_where_it_stopped_and_says_what_it_refused(world, tmp_path, monkeypatch, capsys):
    account, file = world.account(), tmp_path / "day.csv"
    with file.open("w", newline="") as out:
        table = csv.writer(out)
        table.writerow(["nr", "player", "what", "eur", "when"])
        for number in range(1200):
            table.writerow([number, account.reference, "DEP", f"{number}.50", f"2026-09-0{1 + number % 9}T10:00:00Z"])
        table.writerow(["x", "P-nobody", "DEP", "1.00", "2026-09-01T10:00:00Z"])
        table.writerow(["y", account.reference, "DEP", "0.005", "2026-09-01T10:00:00Z"])
    mapping = tmp_path / "mapping.json"
    mapping.write_text(
        json.dumps(
            {
                "source_id": "nr",
                "account": "player",
                "kind": {"column": "what", "words": {"DEP": "deposit"}},
                "amount": {"column": "eur", "decimals": 2},
                "currency": {"always": "EUR"},
                "at": "when",
            }
        )
    )
    options = {"licensee": world.licensee.slug, "mapping": mapping, "json": True, "no_progress": True}
    real, parts = importing.keep, []

    def dies(licensee, rows):
        parts.append(len(rows))
        if len(parts) == 2:
            raise KeyboardInterrupt
        return real(licensee, rows)

    monkeypatch.setattr(importing, "keep", dies)
    synced, real_sync = [], os.fsync
    monkeypatch.setattr("os.fsync", lambda file: (synced.append(Import.objects.get().rows_done), real_sync(file)))
    with pytest.raises(KeyboardInterrupt):
        call_command("transactions", "import", file, **options)
    assert Import.objects.get().rows_done == Waiting.objects.count() == 500
    with pytest.raises(CommandError) as error:
        call_command("transactions", "import", file, **options)
    assert error.value.returncode == 1
    done = Import.objects.get()
    assert (done.rows_done, done.accepted, done.known, done.refused) == (1202, 1200, 0, 2)
    refused = [json.loads(line) for line in (tmp_path / "day.csv.refused.jsonl").read_text().splitlines()]
    assert [(one["row"], one["wrong"][0]["field"]) for one in refused] == [(1201, "account"), (1202, "amount")]
    with pytest.raises(CommandError):
        call_command("transactions", "import", file, **options)
    assert Waiting.objects.count() == 1200 and synced[-1] == 1202
    with pytest.raises(CommandError, match="not known"):
        mapping.write_text('{"colour": "red"}')
        call_command("transactions", "import", file, **options)


def test_what_nobody_sees_is_refused_and_blanks_around_are_not():
    hidden = {"device_id": "a\x00b", "holder": "\ud800", "instrument_id": "a\x85b", "counterparty": " \t "}
    wrong = reading.read(given("P-1", 1, **hidden), 0)
    assert {(one.field, one.code) for one in wrong} == {(name, "invalid") for name in list(hidden)[:3]}
    row = reading.read(given("P-1", 1, account=" P-1\n", kind="bet ", amount=" 5", at=" 2026-09-01T12:00:00Z "), 0)
    assert (row.account, row.kind, row.amount) == ("P-1", "bet", 5)


def test_names_are_alike_whatever_script_and_order():
    assert likeness.likeness("Işıl Yıldırım", "YILDIRIM, ISIL") == 100
    assert likeness.likeness("Ирина Петрова", "Petrova Irina") == 100
    assert likeness.likeness("Işıl Ayşe Yıldırım", "Işıl Yıldırım") >= 85
    assert likeness.likeness("Işıl Yıldırım", "I. Yıldırım") >= 85
    assert likeness.likeness("Işıl Yıldırım", "Bogdan Wójcik") < 60
    assert likeness.likeness("", "Anybody") == 0


@pytest.mark.slow
def test_the_generator_is_seeded_and_the_shipped_rules_find_what_it_labels(world, capsys, tmp_path):
    options = {"licensee": world.licensee.slug, "json": True, "no_progress": True}
    facts = {"customers": 38, "days": 210, "one_in": 2, "seed": "t1"}
    call_command("transactions", "generate", **options, **facts)
    made = json.loads(capsys.readouterr().out)
    assert made["rows"] == made["counted"] == Transaction.objects.count() > 1000
    assert set(Transaction.objects.exclude(label="").values_list("label", flat=True)) == set(TYPOLOGIES)
    page = tmp_path / "page.md"
    call_command("rules", "evaluate", licensee=world.licensee.slug, write=page, json=True)
    measured = json.loads(capsys.readouterr().out)
    missed = {label: one["recall"] for label, one in measured.items() if one["recall"] != "1.00"}
    assert missed == {"shared_device": "0.67"}  # the first of three on a device shares it with nobody yet
    assert {one["precision"] for one in measured.values()} == {"1.00"}
    said, kept = (file.read_text().splitlines() for file in (page, ROOT / "docs/reference/monitoring-rules.md"))
    assert [line.split("|")[1:3] for line in said if "|" in line] == [
        line.split("|")[1:3] for line in kept if "|" in line
    ]
    assert "| structuring | R01 | 2 | 2 | 1.00 |" in page.read_text()
    with pytest.raises(CommandError, match="used before"):
        call_command("transactions", "generate", **options, **facts)


def test_what_was_sent_is_read_back_by_its_own_numbers(world, send):
    account, other = world.account(), world.account()
    send([given(account, "a/1"), given(account, "&2", kind="withdrawal", amount=70), given(other, 3)])
    counting.count_waiting()
    send([given(account, 4)])
    said = send.read("tx-4", "tx-none", "tx-a/1", "tx-&2", "tx-4").json()
    assert [one["source_id"] for one in said["items"]] == ["tx-4", "tx-a/1", "tx-&2"]  # waiting or counted
    assert said["missing"] == ["tx-none"]
    assert said["items"][2] == {
        "source_id": "tx-&2",
        "account": account.reference,
        "kind": "withdrawal",
        "amount": 70,
        "currency": "EUR",
        "at": "2026-09-01T09:00:00Z",
    }
    assert Entry.objects.filter(action="transactions.read").count() == 1


def test_no_other_key_reads_what_was_sent(world, send, client):
    send([given(world.account(), 1)])
    other = world.mallory.memberships.get().team.queues.get().licensee
    facts = {"owner": world.mallory, "created_by": world.mallory, "by": world.mallory, "name": "platform"}
    for licensee, scope, said in ((other, "transactions:read", 200), (other, "transactions:write", 403)):
        ends = timezone.now() + timedelta(days=1)
        _key, token = issue_key(**facts, licensee=licensee, scopes=[scope], expires_at=ends)
        headers = {"Authorization": f"Bearer {token}"}
        answer = client.get("/api/v1/transactions", {"source_id": ["tx-1"]}, headers=headers)
        assert answer.status_code == said
        assert said != 200 or answer.json() == {"items": [], "missing": ["tx-1"]}
    assert send.read().status_code == 422 and send.read(*(f"n-{n}" for n in range(101))).status_code == 422

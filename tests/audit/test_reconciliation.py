"""The night's run: what it looks at, that it is an entry, and when the alarm goes."""

from datetime import UTC, datetime, timedelta

import pytest

from audit.models import Entry
from audit.reconciliation import NotReconciled, ensure_reconciled
from audit.tasks import reconcile_logs

FLIPPED = "set_byte(data, 2240, 255 - get_byte(data, 2240))"  # in the hash of entry 70


@pytest.fixture
def log(house, settings):
    settings.LOG_KEY_DIR = house.keys
    house.write(300)
    house.sequence()
    return house


def the_run():
    return Entry.objects.filter(action="audit.reconcile", log="main").order_by("-id").first().facts["data"]


def test_the_nights_run_is_an_entry_in_both_logs(log):
    reconcile_logs()
    assert sorted(Entry.objects.filter(action="audit.reconcile").values_list("log", flat=True)) == ["aml", "main"]
    assert the_run()["result"] == "ok"
    assert the_run()["size"] >= 300
    ensure_reconciled("main")


@pytest.mark.parametrize(
    ("attack", "finding"),
    [
        ("DELETE FROM audit_leaf WHERE log = 'main' AND seq = 70", "removed"),
        ("DELETE FROM audit_entry WHERE id = 70", "removed"),
        ("DELETE FROM audit_pending", "lost"),
        (f"UPDATE audit_tile SET data = {FLIPPED} WHERE log = 'main' AND (level, idx) = (0, 0)", "changed"),
        ("UPDATE audit_entry SET outcome = 'done' WHERE id = 70", "changed_column"),
    ],
)
def test_what_it_finds_is_named_and_raises_the_alarm(log, attack, finding):
    log.write(1)  # waits for its place
    log.tamper(attack)
    reconcile_logs()
    assert the_run()["result"] == "failed"
    assert finding in the_run()["findings"]
    with pytest.raises(NotReconciled, match="does not agree with itself"):
        ensure_reconciled("main")


def test_a_night_without_a_run_is_missed_after_two(log):
    ensure_reconciled("main")
    later = datetime.now(UTC) + timedelta(hours=37)
    with pytest.raises(NotReconciled, match="was not reconciled since"):
        ensure_reconciled("main", later)
    reconcile_logs()
    with pytest.raises(NotReconciled, match="was not reconciled since"):
        ensure_reconciled("main", later + timedelta(hours=1))

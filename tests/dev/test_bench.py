"""The bench runner: one row per promise, the circumstances beside them, and a status that tells."""

import json
import math
import sys
import uuid
from types import ModuleType

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.http import HttpResponse

from bench import Row
from bench import __main__ as runner
from bench.desk import Desk
from compliance.people.access.models import Session

pytestmark = pytest.mark.django_db

KEPT = Row("planted.kept", 0.9, ">=", 0.5, 8, "ratio")
MISSED = Row("planted.missed", 300, "<=", 250, 100, "ms")


@pytest.fixture
def planted(monkeypatch):
    """Lets a test say what the bench `planted` measures."""
    module = ModuleType("bench.planted")
    module.DATA = {"rows": 10, "indexes": "primary key"}
    monkeypatch.setitem(sys.modules, "bench.planted", module)
    monkeypatch.setattr(runner, "names", lambda: ["planted"])

    def measures(*rows):
        module.rows = lambda quick: list(rows)

    return measures


def test_kept_promises_are_a_success(planted, capsys):
    planted(KEPT)
    assert runner.main(["planted", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["rows"] == [
        {"id": "planted.kept", "value": 0.9, "op": ">=", "bound": 0.5, "ok": True, "n": 8, "unit": "ratio"}
    ]
    assert report["data"] == {"rows": 10, "indexes": "primary key"}
    assert report["database"]["synchronous_commit"] == "on"
    assert report["database"]["fsync"] == "off"
    assert report["machine"]["cores"] >= 1
    assert "python" in report["versions"]


def test_one_missed_promise_is_a_failure(planted, capsys):
    planted(KEPT, MISSED)
    assert runner.main(["planted"]) == 1
    kept, missed, *_ = capsys.readouterr().out.splitlines()
    assert "ok" in kept
    assert "MISSED" in missed


def test_measuring_nothing_is_a_failure(planted):
    planted()
    assert runner.main(["planted"]) == 1


def test_a_page_of_the_desk_counts_as_the_one_that_asked_most_without_the_note_that_the_session_was_seen():
    """The first three warm up. One page of twenty asks once more than the others: that is what the page may ask."""
    unlike = {2: 9, 7: 5, 9: 8}

    class Caller:
        def get(self, address):
            for _ in range(unlike.get(address, 4)):
                connection.cursor().execute("SELECT 1")
            if address == 9:
                Session.objects.filter(pk=uuid.uuid4()).update(seen_at=Now())
            return HttpResponse()

    desk = object.__new__(Desk)
    desk._client = Caller()
    assert desk._one(lambda n: n, 20)[1] == 5


def test_no_number_keeps_no_promise():
    assert not Row("planted", math.nan, ">=", 0.0, 1, "ratio").ok
    assert not Row("planted", math.nan, "<=", 1.0, 1, "ratio").ok


def test_an_unknown_name_lists_the_known(planted, capsys):
    assert runner.main(["nothing"]) == 2
    assert "planted" in capsys.readouterr().err

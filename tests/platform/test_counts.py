"""Completeness: the platform's daily counts against ours, through API, command and page."""

import csv
import io
import json
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core.management import call_command
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from audit.actors import system
from audit.models import Entry
from compliance.people.models import Account
from compliance.platform import counts
from compliance.platform.models import DailyCount
from compliance.platform.scopes import Scope
from compliance.sheets import cell, csv_text
from tests.world import a_world

ISTANBUL = ZoneInfo("Europe/Istanbul")


@pytest.fixture
def world(db, in_context):
    """Three players of yesterday, one of today."""
    world = a_world()
    with time_machine.travel(timezone.now() - timedelta(days=1), tick=False):
        world.yesterday = [world.account().reference for _ in range(3)]
    world.today = world.account().reference
    world.day = timezone.localdate(timezone.now(), ISTANBUL) - timedelta(days=1)
    return world


@pytest.fixture
def key(issue, world):
    return issue(Scope.COUNTS_WRITE, licensee=world.licensee)


def report(api, key, world, **given):
    body = {"day": world.day.isoformat(), "counts": {"accounts_opened": 3}} | given
    return api.post("/api/v1/daily-counts", json.dumps(body), content_type="application/json", headers=key.headers)


class TestReporting:
    def test_what_agrees_agrees(self, api, key, world):
        answer = report(api, key, world, references={"accounts_opened": world.yesterday}).json()
        assert answer["agrees"] is True
        assert answer["counts"] == [{"thing": "accounts_opened", "theirs": 3, "ours": 3, "missing": [], "extra": []}]

    def test_each_difference_is_named(self, api, key, world):
        theirs = [*world.yesterday[1:], "P-LOST"]
        answer = report(api, key, world, references={"accounts_opened": theirs}).json()
        assert answer["agrees"] is False  # although the numbers are the same
        assert answer["counts"][0]["missing"] == ["P-LOST"]
        assert answer["counts"][0]["extra"] == world.yesterday[:1]
        entry = Entry.objects.filter(action="platform.report_counts").latest("id")
        assert entry.facts["data"] == {"day": world.day.isoformat(), "counted": 1, "differing": 1}

    def test_a_day_is_the_licensees(self, api, key, world):
        """An account opened at 23:30 in İstanbul is of that day, though UTC is hours behind."""
        late = datetime.combine(world.day, datetime.min.time(), ISTANBUL) + timedelta(minutes=5)
        Account.objects.filter(reference=world.yesterday[0]).update(created_at=late)
        Account.objects.filter(reference=world.yesterday[1]).update(created_at=late - timedelta(minutes=10))
        Account.objects.filter(reference=world.yesterday[2]).update(created_at=late + timedelta(hours=23, minutes=50))
        assert report(api, key, world).json()["counts"][0]["ours"] == 2

    def test_a_second_report_replaces_the_first(self, api, key, world):
        report(api, key, world, counts={"accounts_opened": 9})
        report(api, key, world)
        assert [row.theirs for row in DailyCount.objects.all()] == [3]

    @pytest.mark.parametrize(
        "wrong",
        [
            {"counts": {"cats": 1}},
            {"counts": {"accounts": -1}},
            {"counts": {}},
            {"day": "2020-01-01"},
            {"day": "2999-01-01"},
            {"references": {"cats": ["P-1"]}},
            {"counts": {"accounts": 3_000_000_000}},
            {"references": {"accounts": ["P-1\n"]}},
            {"references": {"accounts": ["P" * 65]}},
        ],
    )
    def test_what_makes_no_sense_is_refused_and_nothing_kept(self, api, key, world, wrong):
        assert report(api, key, world, **wrong).status_code == 422
        assert not DailyCount.objects.exists()

    def test_it_needs_its_scope(self, api, issue, world):
        assert report(api, issue(Scope.CASES_READ, licensee=world.licensee), world).status_code == 403


class TestReconciling:
    def test_an_account_that_came_late_settles_the_difference(self, api, key, world, capsys):
        report(api, key, world, counts={"accounts_opened": 4}, references={"accounts_opened": [*world.yesterday, "L"]})
        with pytest.raises(SystemExit) as stopped:
            call_command("platform", "reconcile", "--licensee", world.licensee.slug, "--day", str(world.day))
        assert stopped.value.code == 1
        said = capsys.readouterr().out
        assert "theirs 4, ours 3  DIFFERS" in said
        assert "missing here: L" in said
        with time_machine.travel(timezone.now() - timedelta(days=1), tick=False):
            Account.objects.filter(pk=world.account().pk).update(reference="L")
        call_command("platform", "reconcile", "--licensee", world.licensee.slug, "--day", str(world.day), "--json")
        assert [row["agrees"] for row in json.loads(capsys.readouterr().out)] == [True]

    def test_a_day_without_a_report_is_a_difference(self, world, capsys):
        with pytest.raises(SystemExit):
            call_command("platform", "reconcile", "--licensee", world.licensee.slug)
        assert f"{world.day}  nothing reported" in capsys.readouterr().out
        counts.report(world.licensee, world.day, {"accounts_opened": 3}, {}, by=system())
        call_command("platform", "reconcile", "--licensee", world.licensee.slug)


class TestThePage:
    def test_an_auditor_sees_each_difference_and_takes_it_along(self, api, key, world, client):
        report(api, key, world, references={"accounts_opened": [*world.yesterday, "=SUM(A1)"]})
        client.force_login(world.carol)
        text = client.get("/platform/counts/").content.decode()
        assert "Differs" in text
        assert "=SUM(A1)" in text
        assert client.post("/platform/counts/?differing=1", {"reason": ""}).status_code == 422
        taken = client.post("/platform/counts/?differing=1", {"reason": "Yearly audit"})
        file = b"".join(taken.streaming_content).decode()
        rows = list(csv.DictReader(io.StringIO(file.lstrip("\ufeff"))))
        assert file.startswith("\ufeff")
        assert [row["missing here"] for row in rows if row["licensee"] == world.licensee.slug] == ["'=SUM(A1)"]
        entry = Entry.objects.get(action="platform.take_counts")
        assert entry.facts["data"] == {"rows": len(rows)}
        assert b"Yearly audit" not in entry.entry

    def test_pages_and_licensees_are_named_and_nothing_is_cut_unsaid(self, world, client, monkeypatch, settings):
        monkeypatch.setattr("compliance.platform.views.PAGE", 2)
        for ago in range(1, 6):
            counts.report(world.licensee, world.day - timedelta(days=ago), {"accounts_opened": ago}, {}, by=system())
        client.force_login(world.carol)
        address, seen = f"/platform/counts/?licensee={world.licensee.slug}", []
        while address:
            page = client.get(address)
            seen += [shown["row"].theirs for shown in page.context["rows"]]
            address = page.context["older_url"] and f"/platform/counts/{page.context['older_url']}"
        assert seen == [1, 2, 3, 4, 5]
        assert client.get("/platform/counts/?licensee=another").context["rows"] == []
        settings.AUDIT_EXPORT_ALONE = 4
        refused = client.post("/platform/counts/", {"reason": "all of it"})
        assert refused.status_code == 422
        assert "at most 4 rows" in refused.content.decode()
        assert not Entry.objects.filter(action="platform.take_counts").exists()

    def test_nobody_else_does(self, world, client):
        client.force_login(world.bob)
        assert client.get("/platform/counts/").status_code == 403


@given(st.lists(st.text(max_size=30), min_size=1, max_size=4))
def test_no_cell_is_a_formula(row):
    shown = [str(cell(text)) for text in row]
    assert not any(text.startswith(("=", "+", "-", "@", "\t", "\r")) for text in shown)
    clean = [text.replace("\r", " ").replace("\n", " ").replace("\x00", "") for text in row]
    file = "".join(csv_text(["a"] * len(row), [clean]))
    (_head, back) = csv.reader(io.StringIO(file.lstrip("\ufeff")))
    assert back == [str(cell(text)) for text in clean]
    assert cell(-3) == -3

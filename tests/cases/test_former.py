"""Open cases of a former system from a file: tried first, taken over once, found by the number they had there."""

import csv
import io
import json
from datetime import date

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from audit import context
from audit.models import Entry
from cases.former.models import FormerNumber
from cases.models import Case
from tests.world import a_world

pytestmark = pytest.mark.django_db
COLUMNS = ("number", "reference", "opened_on", "level", "note")


@pytest.fixture
def world(db):
    with context.use(context.new("test")):
        yield a_world()


def a_file(folder, *rows):
    path = folder / "cases.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.DictWriter(file, COLUMNS)
        out.writeheader()
        out.writerows(rows)
    return path


def row(account, number="ZD-4711", **more):
    facts = {"opened_on": "2026-01-15", "level": "L1", "note": "Asked twice; card 4111 1111 1111 1111 on the slip"}
    return {"number": number, "reference": account.reference, **facts, **more}


def run(world, path, *options):
    said = io.StringIO()
    command = ("cases", "import", str(path), "--licensee", world.licensee.slug, "--json", "--no-progress", *options)
    call_command(*command, stdout=said, stderr=io.StringIO())
    told = json.loads(said.getvalue())
    return {name: told[name] for name in ("rows", "opened", "known", "refused")}


def test_a_file_is_tried_first_and_then_taken_over_once(world, tmp_path, mailoutbox):
    path, before = a_file(tmp_path, row(world.account())), Entry.objects.count()
    told = {"rows": 1, "opened": 1, "known": 0, "refused": 0}
    assert run(world, path, "--dry-run") == told
    assert (Case.objects.count(), FormerNumber.objects.count()) == (0, 0)
    assert Entry.objects.count() == before
    assert run(world, path) == told
    case = Case.objects.get()
    assert (case.kind, case.state, case.former.number, case.former.opened_on) == (
        *("verification", "open", "ZD-4711"),
        date(2026, 1, 15),
    )
    assert case.verification_facts.because == "former" and case.messages.count() == 0
    assert case.requirements.first().crossed_at.date().isoformat() == "2026-01-14"  # midnight in Istanbul
    assert run(world, path) == told | {"opened": 0, "known": 1}


def test_it_is_found_by_its_former_number_and_its_note_stands_in_the_timeline(world, tmp_path, client):
    run(world, a_file(tmp_path, row(world.account())))
    number = Case.objects.get().number
    client.force_login(world.alice)
    assert number in client.get("/search/?q=ZD-4711").content.decode()
    page = client.get(reverse("cases:case", args=[number])).content.decode()
    assert "ZD-4711" in page and "Asked twice" in page and "4111 1111 1111 1111" not in page
    client.force_login(world.mallory)
    assert number not in client.get("/search/?q=ZD-4711").content.decode()


def test_each_fault_is_named_by_row_and_field_and_holds_nobody_up(world, tmp_path):
    first, second = world.account(), world.account(full_name="Bora Kaya")
    wrong = {
        "reference": row(first, "A-1") | {"reference": "nobody"},
        "opened_on": row(first, "A-2", opened_on="15.01.2026"),
        "number": row(first, "x" * 61),
        "": row(first, "A-4", level="L9"),
    }
    path = a_file(tmp_path, *wrong.values(), row(second, "A-5", opened_on="2999-01-01"), row(second, "A-6"))
    with pytest.raises(CommandError, match="5 rows were refused"):
        run(world, path)
    said = [json.loads(line) for line in (tmp_path / "cases.csv.refused.jsonl").read_text().splitlines()]
    assert [next(iter(one["wrong"])) for one in said] == [*wrong, "opened_on"]
    assert FormerNumber.objects.get().number == "A-6" and Case.objects.count() == 1


def test_a_kind_that_takes_none_over_is_named(world, tmp_path):
    with pytest.raises(CommandError, match=r"there is no kind gaming\. Known: verification"):
        run(world, a_file(tmp_path), "--kind", "gaming")

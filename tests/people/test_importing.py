"""Players of a former system from a file: tried first, taken in once, gone on with, each fault named."""

import csv
import io
import json

import pytest
from django.core.management import CommandError, call_command

from audit import context
from audit.actors import system
from audit.models import Entry
from compliance.people import importing
from compliance.people.gate import permissions_of
from compliance.people.models import Account, Customer, Person
from tests.world import a_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(db):
    with context.use(context.new("test")):
        yield a_world()


ROW = {
    "reference": "P-1",
    "brand": "brand",
    "full_name": "Işıl Yıldırım",
    "birth_date": "1991-03-14",
    "nationality": "TR",
    "email": "isil@example.com",
    "phone": "",
    "level": "L2",
    "verified_on": "2025-05-01",
}


def row(number, **more):
    return ROW | {"reference": f"P-{number}", "email": f"p{number}@example.com", "full_name": f"Player {number}"} | more


def a_csv(folder, rows):
    path = folder / "players.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.DictWriter(file, list(ROW))
        out.writeheader()
        out.writerows(rows)
    return path


def a_jsonl(folder, lines):
    path = folder / "players.jsonl"
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines) + "\n")
    return path


def run(world, path, *options):
    said = io.StringIO()
    call_command(
        *("customers", "import", str(path), "--licensee", world.licensee.slug, "--json", "--no-progress", *options),
        stdout=said,
        stderr=io.StringIO(),
    )
    return json.loads(said.getvalue())


def test_a_file_is_tried_first_and_then_taken_in_once(world, tmp_path, settings):
    settings.VERIFIED_BEFORE_PLAY = True
    path = a_csv(tmp_path, [row(1), row(2, level="", verified_on="")])
    told = {"rows": 2, "opened": 2, "verified": 1, "known": 0, "refused": 0}
    before = Entry.objects.count()
    assert run(world, path, "--dry-run") == told | {"dry_run": True}
    assert (Person.objects.count(), Entry.objects.count()) == (0, before)
    assert run(world, path) == told | {"dry_run": False}
    verified, other = (Account.objects.get(reference=name).customer for name in ("P-1", "P-2"))
    assert (verified.level, verified.full_name, str(verified.birth_date)) == ("L2", "Player 1", "1991-03-14")
    assert permissions_of(world.licensee.pk, "P-1")["play"].allowed
    assert permissions_of(world.licensee.pk, "P-2")["play"].code == "verification_needed"
    assert other.level == "L0" or not other.level
    assert Entry.objects.filter(action="people.import_level").count() == 1
    again = run(world, path)
    assert (again["known"], again["opened"], Customer.objects.count()) == (2, 0, 2)


def test_each_fault_is_named_by_row_and_field_without_its_content_and_holds_nobody_up(world, tmp_path):
    wrong = {
        "brand": row(2, brand="nowhere"),
        "birth_date": row(3, birth_date="14.03.1991"),
        "full_name": row(4, full_name=""),
        "level": row(5, level="L9"),
        "verified_on": row(6, verified_on="2999-01-01"),
        "reference": row(1),
        "national_id": row(7, national_id="12345"),
    }
    path = a_jsonl(tmp_path, [row(1), *wrong.values(), "no json", row(8, verified_on="")])
    with pytest.raises(CommandError, match="9 rows were refused"):
        run(world, path)
    said = [json.loads(line) for line in (tmp_path / "players.jsonl.refused.jsonl").read_text().splitlines()]
    assert [one["row"] for one in said] == list(range(2, 11))
    assert [next(iter(one["wrong"])) for one in said[:7]] == list(wrong)
    assert set(said[7]["wrong"]) == set(importing.NEEDED) and set(said[8]["wrong"]) == {"level"}
    assert "Player" not in (tmp_path / "players.jsonl.refused.jsonl").read_text()
    assert Customer.objects.count() == 1, "of a refused row nothing is left"


def test_what_was_cut_off_goes_on_where_it_stopped(world, tmp_path, monkeypatch):
    monkeypatch.setattr(importing, "BLOCK", 2)
    path = a_csv(tmp_path, [row(number) for number in range(5)])

    def cut(done, total):
        assert total == 5
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        importing.take_in(world.licensee, path, refused_to=tmp_path / "refused", by=system(), say=cut)
    assert Account.objects.count() == 4
    assert run(world, path) == {"rows": 5, "opened": 1, "verified": 1, "known": 4, "refused": 0, "dry_run": False}


def test_a_column_that_nobody_knows_is_refused_by_name(world, tmp_path):
    path = tmp_path / "players.csv"
    path.write_text(",".join([*ROW, "self_excluded"]) + "\n" + ",".join([*ROW.values(), "yes"]) + "\n")
    with pytest.raises(CommandError, match=r"self_excluded.*who is kept out is told over the API"):
        run(world, path)
    path.write_text(",".join(ROW) + "\n" + ",".join([*ROW.values(), "yes"]) + "\n")
    with pytest.raises(CommandError, match="1 rows were refused"):
        run(world, path)
    with pytest.raises(CommandError, match="1 rows were refused"):
        run(world, a_jsonl(tmp_path, [row(1, self_excluded=True), row(2, self_excluded=None)]))
    said = json.loads((tmp_path / "players.jsonl.refused.jsonl").read_text())
    assert list(said["wrong"]) == ["self_excluded"] and "over the API" in said["wrong"]["self_excluded"][0]
    assert Account.objects.get().reference == "P-2"


@pytest.mark.parametrize(("name", "text"), [("players.xlsx", ""), ("players.csv", "a,b\n1,2\n")])
def test_a_file_that_cannot_be_read_is_refused_with_words(world, tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(CommandError, match=r"players\.(xlsx: The name ends in|csv: The first line names)"):
        run(world, path)

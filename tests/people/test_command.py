"""`manage.py people`: the operator and the first administrators of an installation."""

import json

import pytest
from django.core.management import CommandError, call_command

from compliance.people.models import Brand, User

LICENSEE = ("--name", "Anadolu Bahis", "--slug", "anadolu")


@pytest.fixture
def run(db, capsys):
    def command(*arguments):
        call_command("people", *arguments, "--json")
        return json.loads(capsys.readouterr().out)

    return command


def test_a_team_with_two_people_in_it(run, entries):
    assert run("add-team", "Doğrulama") == {"team": "dogrulama"}
    added = run(
        "add-user", "Alice@example.com", "--name", "Alice", "--language", "tr", "--time-zone", "Europe/Istanbul"
    )
    run("join", "alice@example.com", "dogrulama", "agent")
    user = User.objects.get(email="alice@example.com")
    assert user.check_password(added["password"])
    assert user.has_perm("people.reveal_customer")
    assert run("list") == {"member": ["alice@example.com dogrulama/agent"]}
    [entry] = entries("people.join_team")
    assert (entry["actor"]["t"], entry["src"]["app"]) == ("system", "command")


def test_the_operator_and_its_site(run, entries):
    added = run("add-licensee", *LICENSEE, "--jurisdiction", "tr", "--time-zone", "Europe/Istanbul")
    assert added == {"licensee": "anadolu", "jurisdiction": "TR", "time_zone": "Europe/Istanbul"}
    assert run("add-brand", "--licensee", "anadolu", "--name", "Anadolu Casino", "--slug", "casino") == {
        "brand": "casino",
        "licensee": "anadolu",
    }
    assert Brand.objects.get(slug="casino").licensee.name == "Anadolu Bahis"
    written = [*entries("people.create_licensee"), *entries("people.create_brand")]
    assert [entry["actor"]["t"] for entry in written] == ["system", "system"]


def test_a_password_from_a_file_is_not_printed(run, tmp_path):
    (tmp_path / "password").write_text("correct horse battery staple\n")
    added = run("add-user", "a@example.com", "--name", "Alice", "--password-file", str(tmp_path / "password"))
    assert added == {"user": "a@example.com"}
    assert User.objects.get().check_password("correct horse battery staple")


def test_a_second_sign_in_of_one_human(run):
    run("add-user", "a@example.com", "--name", "Alice")
    run("add-user", "b@example.com", "--name", "Alice at home", "--same-human-as", "a@example.com")
    assert len({user.human_id for user in User.objects.all()}) == 1


def test_leaving_and_closing(run):
    run("add-team", "Desk")
    run("add-user", "a@example.com", "--name", "Alice")
    run("join", "a@example.com", "desk", "officer")
    assert run("leave", "a@example.com", "desk", "officer")["left"] == "officer"
    assert run("deactivate", "a@example.com") == {"user": "a@example.com", "active": False}


def test_syncing_is_recorded_only_when_something_changed(run, entries):
    run("sync-roles")
    before = len(entries("people.sync_roles"))
    assert run("sync-roles") == {"changed": []}
    assert len(entries("people.sync_roles")) == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["join", "who@example.com", "desk", "agent"], "email: nobody signs in as who@example.com"),
        (["join", "a@example.com", "nowhere", "agent"], "team: there is no team nowhere. Known: desk."),
        (["leave", "a@example.com", "desk", "agent"], "role: Alice does not have this role"),
        (["add-user", "a@example.com", "--name", "Again"], "email: Somebody signs in with this"),
        (["add-user", "nonsense", "--name", "X"], "email: Enter an e-mail address"),
        (["add-user", "b@example.com", "--name", "B", "--password-file", "/nowhere"], "--password-file"),
        (["add-team", "Desk"], "slug: "),
        (["add-licensee", *LICENSEE, "--jurisdiction", "ZZ", "--time-zone", "UTC"], "jurisdiction: "),
        (["add-licensee", *LICENSEE, "--jurisdiction", "FR", "--time-zone", "UTC"], "jurisdiction: "),
        (["add-licensee", *LICENSEE, "--jurisdiction", "TR", "--time-zone", "Mars/Base"], "time_zone: "),
        (["add-brand", "--licensee", "nobody", "--name", "B", "--slug", "b"], "there is no licensee nobody. Known:"),
        (["join", "a@example.com", "desk", "boss"], "invalid choice: 'boss'"),
    ],
)
def test_what_is_wrong_is_named(run, arguments, said):
    run("add-team", "Desk")
    run("add-user", "a@example.com", "--name", "Alice")
    with pytest.raises(CommandError) as refused:
        call_command("people", *arguments)
    assert said in str(refused.value)

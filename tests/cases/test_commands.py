"""`manage.py cases`: a fresh installation gets its queue, and a conflict of interest is declared."""

import json
from datetime import date

import pytest
from django.core.management import CommandError, call_command

from audit.models import Entry
from cases.models import Case
from cases.types.verification import services as verification
from compliance.people import services as people
from compliance.people.models import Brand, Licensee, User
from tests.world import a_world


@pytest.fixture
def run(db, capsys):
    def command(noun, *arguments):
        call_command(noun, *arguments, "--json")
        return json.loads(capsys.readouterr().out)

    return command


def the_entry(action):
    [entry] = Entry.objects.filter(action=action)
    return entry.facts


def test_commands_alone_lead_to_the_first_case(run, in_context):
    run("people", "add-team", "Desk")
    run("people", "add-user", "alice@example.com", "--name", "Alice")
    run("people", "join", "alice@example.com", "desk", "agent")
    run("people", "add-licensee", "--name", "A", "--slug", "a", "--jurisdiction", "TR", "--time-zone", "UTC")
    run("people", "add-brand", "--licensee", "a", "--name", "A", "--slug", "a")
    opened = run("cases", "open-queue", "--team", "desk", "--licensee", "a", "--kind", "verification")
    assert (opened["team"], opened["licensee"], opened["kind"]) == ("desk", "a", "verification")
    alice = User.objects.get()
    case = verification.open(a_player(alice), level="L1", by=alice)
    assert list(Case.objects.visible_to(alice)) == [case]
    entry = the_entry("cases.open_queue")
    assert (entry["actor"]["t"], entry["src"]["app"]) == ("system", "command")


def a_player(alice):
    customer = people.register_customer(
        licensee=Licensee.objects.get(),
        full_name="Işıl Yıldırım",
        birth_date=date(1991, 3, 14),
        nationality="TR",
        by=alice,
    )
    return people.open_account(customer=customer, brand=Brand.objects.get(), reference="P-1", by=alice)


def test_opening_a_queue_again_changes_nothing(run):
    world = a_world()
    asked = ("--team", world.team.slug, "--licensee", world.licensee.slug, "--kind", "verification")
    before = Entry.objects.filter(action="cases.open_queue").count()
    assert run("cases", "open-queue", *asked) == run("cases", "open-queue", *asked)
    assert Entry.objects.filter(action="cases.open_queue").count() == before


def test_a_conflict_hides_the_player(run, world):
    case = world.verification()
    assert case in Case.objects.visible_to(world.alice)
    player = ("--reference", case.account.reference, "--licensee", world.licensee.slug)
    assert run("cases", "declare-conflict", "--user", world.alice.email.upper(), *player)["user"] == world.alice.email
    assert case not in Case.objects.visible_to(world.alice)
    assert case in Case.objects.visible_to(world.bob)
    assert the_entry("cases.declare_conflict")["src"]["app"] == "command"


@pytest.mark.parametrize(
    ("verb", "changed", "said"),
    [
        ("open-queue", {"--team": "nowhere"}, "team: there is no team nowhere. Known: "),
        ("open-queue", {"--licensee": "nobody"}, "licensee: there is no licensee nobody. Known: "),
        ("open-queue", {"--kind": "verfication"}, "kind: There is no kind of case verfication. Known: "),
        ("declare-conflict", {"--user": "who@example.com"}, "user: nobody signs in as who@example.com."),
        ("declare-conflict", {"--reference": "P-none"}, "has no player P-none."),
    ],
)
def test_what_is_wrong_is_named(world, verb, changed, said):
    right = {"--licensee": world.licensee.slug}
    if verb == "open-queue":
        right |= {"--team": world.team.slug, "--kind": "verification"}
    else:
        right |= {"--user": world.alice.email, "--reference": world.account().reference}
    with pytest.raises(CommandError) as refused:
        call_command("cases", verb, *[word for pair in (right | changed).items() for word in pair])
    assert said in str(refused.value)
    assert refused.value.returncode == 2

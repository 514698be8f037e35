"""Every text area of a form keeps what is typed in it, or is named with the reason why not; none does on the AML side
(tests/monitoring/test_drafts.py), whatever its form.
"""

import importlib
import pkgutil
import re
from uuid import UUID

import pytest
from django import forms
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from audit.actors import system
from cases import protection, restricting
from cases import services as engine
from cases.drafts import services
from cases.drafts.models import ClosedForm, Draft
from cases.looking.models import Fact
from compliance.keys.services import shred_subject
from compliance.people.services import create_user, join

pytestmark = pytest.mark.django_db
HX = {"HX-Request": "true"}
WORDS = "Yarın arayacağımı söyledim"
PACKAGES = ("audit", "cases", "compliance", "documents")


def forms_of_the_product():
    """Every class of a form that a module of ours defines."""
    for package in PACKAGES:
        for found in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
            if "forms" in found.name.rpartition(".")[2]:
                module = importlib.import_module(found.name)
                for one in vars(module).values():
                    if isinstance(one, type) and issubclass(one, forms.BaseForm) and one.__module__ == found.name:
                        yield one


def text_areas():
    return {
        f"{form.__name__}.{name}": field
        for form in forms_of_the_product()
        for name, field in form.base_fields.items()
        if isinstance(field.widget, forms.Textarea)
    }


def test_every_text_area_keeps_a_draft_or_says_why_not():
    areas = text_areas()
    assert len(areas) > 25
    named = {*services.PLACED, *services.UNKEPT}
    assert named <= set(areas), "these are gone: take their names away"
    too_long = {name for name, field in areas.items() if not field.max_length or field.max_length > services.LONGEST}
    assert too_long <= named, "longer than a draft, and not named with a reason"


def test_no_template_draws_a_text_area_by_itself():
    """`components/_field.html` keeps what is typed. Who draws a field without it says here what they draw."""
    without = {"cases/_note.html": "keeps its draft by its own line", "components/_field.html": "the one that keeps"}
    without |= {f"oversight/{name}.html": "days and choices only" for name in ("delays", "population", "file")}
    without |= {
        "monitoring/delays.html": "days only",
        "cases/queue.html": "what a list is narrowed by: choices only",
        "oversight/team.html": "a number of cases and a choice",
        "monitoring/investigation.html": "one note of the AML side, where no page keeps any",
        "platform/api.html": "a request that somebody tries out; it is not sent to be kept",
    }
    drawn = {
        str(file.relative_to(settings.BASE_DIR / "templates"))
        for file in (settings.BASE_DIR / "templates").rglob("*.html")
        if re.search(r"\|control|<textarea|\.as_(p|div|table|ul)\b", file.read_text())
    }
    assert drawn == set(without)


@pytest.fixture
def case(world):
    return world.verification("L1")


@pytest.fixture
def alice(world, client):
    client.force_login(world.alice)
    return client


class Line:
    """The line below the only text area of a page or of a part of it, as the browser finds it."""

    def __init__(self, client, address, of=str):
        self.client, self.page = client, of(client.get(address).content.decode())
        (self.place, self.form) = re.search(r'name="form-(f-\w+)" id="[^"]+" value="([^"]+)"', self.page).groups()
        self.seen = re.search(rf'name="seen-{self.place}" id="[^"]+" value="([^"]*)"', self.page)[1]
        (self.field, self.number) = re.search(
            r"""hx-vals='{"draft_field": "(\w+)", "draft_case": "([^"]*)"}'""", self.page
        ).groups()

    def type(self, text):
        facts = {self.field: text, "draft_field": self.field, "draft_case": self.number, **self.hidden}
        return self.client.post(reverse("cases:draft-of-field", args=[self.place]), facts, headers=HX)

    @property
    def hidden(self):
        return {f"form-{self.place}": self.form, f"seen-{self.place}": self.seen}


def test_it_is_back_in_another_browser_and_goes_when_the_form_is_saved(world, alice, case):
    address = reverse("cases:lift", args=[case.number, stopped(world, case).pk])
    line = Line(alice, address)
    assert "Draft kept" in line.type(WORDS).content.decode()
    other = Client()
    other.force_login(world.alice)
    assert WORDS in other.get(address).content.decode()
    assert WORDS.encode() not in bytes(Draft.objects.get().text_sealed)
    assert alice.post(address, {"note": WORDS, **line.hidden}).status_code == 422  # no reason was chosen
    assert Draft.objects.exists()
    assert alice.post(address, {"note": WORDS, "reason": "mistaken", **line.hidden}).status_code == 302
    assert not Draft.objects.exists() and ClosedForm.objects.filter(pk=UUID(line.form)).exists()
    assert "Draft kept" not in line.type(WORDS).content.decode()  # what the page had sent before comes late
    assert not Draft.objects.exists()


def stopped(world, case):
    return protection.stop_play(case, by=world.alice, reason="player_asked")


def correction_of(world, case):
    note = engine.write_note(case, by=world.alice, text="Aradı.")
    return reverse("cases:correct", args=[case.number, "note", note.pk])


def test_nobody_else_sees_it_and_each_case_has_its_own(world, alice, case):
    address = correction_of(world, case)
    Line(alice, address).type(WORDS)
    assert WORDS in alice.get(address).content.decode()
    assert WORDS not in alice.get(correction_of(world, case)).content.decode()  # of another note
    bob = Client()
    bob.force_login(world.bob)
    assert WORDS not in bob.get(address).content.decode()


def test_who_may_not_see_the_case_any_more_keeps_nothing(world, alice, case):
    line = Line(alice, reverse("cases:lift", args=[case.number, stopped(world, case).pk]))
    restricting.restrict(case, to=[world.erin], by=world.erin, because="sensitive")
    assert line.type(WORDS).status_code == 404
    assert not Draft.objects.exists()


def test_what_was_typed_about_an_erased_player_is_gone_and_breaks_no_page(world, alice, case):
    address = reverse("cases:lift", args=[case.number, stopped(world, case).pk])
    Line(alice, address).type(WORDS)
    shred_subject(case.audit_subject, by=world.bob, reason="retention")
    answer = alice.get(address)
    assert answer.status_code == 200 and WORDS not in answer.content.decode()


def test_without_a_case_it_is_sealed_under_the_writers_own_key(world, client):
    client.force_login(world.bob)
    address = reverse("cases:open-by-exception")
    line = Line(client, address)
    assert line.number == "" and "Draft kept" in line.type(WORDS).content.decode()
    assert Draft.objects.get().case_id is None
    assert WORDS in client.get(address).content.decode()
    client.force_login(world.erin)
    assert WORDS not in client.get(address).content.decode()


def test_a_case_that_is_asked_for_by_its_number_has_a_draft_of_its_own(world, client):
    client.force_login(world.bob)
    address = reverse("cases:open-by-exception") + "?number="
    Line(client, address + "KYC-26-000001-1").type(WORDS)
    assert WORDS in client.get(address + "KYC-26-000001-1").content.decode()
    assert WORDS not in client.get(address + "KYC-26-000002-2").content.decode()


def test_each_remark_of_a_list_has_a_draft_of_its_own(world, client):
    lead = create_user(email=f"grace-{world.team.slug}@example.com", name="Grace", by=system())
    join(lead, world.team, "manager", by=system())
    client.force_login(lead, backend="compliance.people.access.backend.StaffBackend")
    facts = {"kind": "without_case", "day": timezone.localdate(), "count": 9, "usual": 1.0}
    first, second = (Fact.objects.create(user=user, **facts) for user in (world.bob, world.alice))
    address = reverse("cases:looking")
    Line(client, address, of=part(first)).type(WORDS)
    page = client.get(address).content.decode()
    assert WORDS in part(first)(page) and WORDS not in part(second)(page)


def part(fact):
    """Its own piece of the page."""
    return lambda page: page.partition(f'id="fact-{fact.pk}"')[2].partition("</section>")[0]


def test_a_suspicion_keeps_nothing(world, alice):
    page = alice.get(reverse("cases:suspicion-new")).content.decode()
    assert "<textarea" in page and "data-draft" not in page.partition("<textarea")[2]


def test_a_place_that_no_form_has_keeps_nothing(world, alice):
    answer = alice.post("/drafts/elsewhere/", {"draft_field": "text", "text": WORDS}, headers=HX)
    assert answer.status_code == 404 and not Draft.objects.exists()

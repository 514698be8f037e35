"""In a browser: a file goes in pieces, waits out a lost connection, and goes on where it ended; also after a reload."""

import secrets

import pytest
from playwright.sync_api import expect

from cases.models import Evidence
from documents.models import PartialUpload
from tests.documents import samples
from tests.journeys.people import sign_in
from tests.world import a_world

MIB = 1024 * 1024


@pytest.fixture(autouse=True)
def vault():
    """The stack's own."""


@pytest.fixture
def world(committed):
    return a_world()


def a_file():
    data = samples.pdf() + b"%" + secrets.token_hex(2 * MIB).encode() + b"\nstartxref\n0\n%%EOF\n"
    return {"name": "statement.pdf", "mimeType": "application/pdf", "buffer": data}


def chosen(page, file):
    page.locator("#upload select").select_option("identity_front:national_id")
    page.locator("#upload input[type=file]").set_input_files(file)


def test_a_lost_connection_costs_a_piece_and_not_the_file(committed, world, new_context):
    case, file = world.verification(), a_file()
    page = sign_in(committed, new_context, world.alice)
    page.goto(f"/cases/{case.number}/")
    chosen(page, file)
    pieces = []

    def every_third_is_lost(route, request):
        if request.method == "PATCH":
            pieces.append(int(request.headers["upload-offset"]))
            if len(pieces) % 3 == 2:
                return route.abort("connectionfailed")
        return route.continue_()

    page.route("**/uploads/**", every_third_is_lost)
    page.locator("#upload button:not([type=button])").click()
    expect(page.locator("[data-progress] progress")).to_be_visible()
    expect(page.locator(".notices")).to_contain_text("The file arrived", timeout=180_000)
    assert Evidence.objects.get(case_id=case.pk).document.size == len(file["buffer"])
    assert pieces[0] == 0 and len(pieces) > 5
    assert pieces.count(0) == 1  # what had arrived was not sent again


def test_after_a_reload_the_same_file_goes_on_where_it_was(committed, world, new_context, tmp_path):
    case, path = world.verification(), tmp_path / "statement.pdf"
    path.write_bytes(a_file()["buffer"])
    page = sign_in(committed, new_context, world.alice)
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(f"/cases/{case.number}/")
    sent, most = [], [2]

    def no_more(route, request):
        if request.method == "PATCH":
            if len(sent) >= most[0]:
                return route.abort("connectionfailed")
            sent.append(int(request.headers["upload-offset"]))
        return route.continue_()

    page.route("**/uploads/**", no_more)
    chosen(page, path)
    page.locator("#upload button:not([type=button])").click()
    expect(page.locator("[data-progress] output")).to_contain_text("The connection is lost", timeout=180_000)
    assert PartialUpload.objects.get(matter=case.number).offset == 2 * MIB
    page.goto(f"/cases/{case.number}/")
    most[0] = 1000
    chosen(page, path)
    page.locator("#upload button:not([type=button])").click()
    expect(page.locator(".notices")).to_contain_text("The file arrived", timeout=180_000)
    assert sent[:3] == [0, MIB, 2 * MIB]
    assert PartialUpload.objects.filter(matter=case.number).count() == 1


def test_what_is_wrong_with_a_file_is_said_beside_it(committed, world, new_context):
    case = world.verification()
    page = sign_in(committed, new_context, world.alice)
    page.goto(f"/cases/{case.number}/")
    chosen(page, {"name": "statement.pdf", "mimeType": "application/pdf", "buffer": b"MZ" + bytes(2 * MIB)})
    page.locator("#upload button:not([type=button])").click()
    expect(page.locator("[data-upload-wrong]")).to_contain_text(
        "must be a JPEG, a HEIC, a PNG or a PDF", timeout=180_000
    )
    expect(page.locator("#upload button:not([type=button])")).to_be_enabled()

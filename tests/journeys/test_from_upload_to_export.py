"""The main job, in a browser: from an uploaded identity card to an export that an auditor verifies offline.

Alice (agent) opens a verification and asks for the blurred back side again; the platform brings the new one through
the API; Alice proposes and may not confirm; Bob (officer) confirms; Carol (auditor) exports; `verify.py` alone says
yes, and no after any byte was changed.
"""

import email
import email.policy
import json
import random
import re
import subprocess
import sys
import urllib.request
from datetime import date, timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from audit.verifier import verify as released
from cases.demo.specimen import Holder, card_back, card_front, photographed, statement
from tests.journeys.people import eventually, multipart, sign_in
from tests.waiting import PATIENCE
from tests.whole import times
from tests.world import a_world

pytestmark = [pytest.mark.browser, pytest.mark.slow]
HOLDER = Holder("Yıldırım", "Işıl", date(1991, 3, 14))


@pytest.fixture
def world(committed):
    return a_world()


@pytest.fixture
def api_key(committed, world):
    """The platform's key, as an administrator issues it on the command line."""
    said = committed.manage(
        *("platform", "issue-key", "--name", "platform", "--licensee", world.licensee.slug),
        *("--owner", world.bob.email, "--by", world.bob.email, "--scopes", "cases:read,documents:write"),
    )
    return re.search(r"mzn_\S+", said)[0]


@pytest.fixture
def files(tmp_path):
    """What a phone and a bank make of the player's papers: JPEG with noise, turned, with the GPS place in its EXIF."""
    made = {
        "front.jpg": photographed(card_front(HOLDER), seed=1),
        "back-blurred.jpg": photographed(card_back(HOLDER), seed=2, blur=7),
        "back.jpg": photographed(card_back(HOLDER), seed=3),
        "statement.pdf": statement(HOLDER, issued=timezone.localdate() - timedelta(days=20)),
    }
    for name, data in made.items():
        (tmp_path / name).write_bytes(data)
    return tmp_path


def test_from_an_uploaded_card_to_a_verified_export(stack, world, api_key, files, new_context, tmp_path):
    alice, bob, carol = (sign_in(stack, new_context, user) for user in (world.alice, world.bob, world.carol))

    number = open_verification(alice)
    for shows, name in [
        ("identity_front:national_id", "front.jpg"),
        ("identity_back:national_id", "back-blurred.jpg"),
        ("address:bank_statement", "statement.pdf"),
    ]:
        add_file(alice, shows, files / name)
    eventually(lambda: ready_files(alice, number) == 3)

    alice.get_by_role("button", name="Start review").click()
    judge(alice, "Accept")
    judge(alice, "Ask again", reason="image_blurry")
    judge(alice, "Accept")
    letter = alice.locator(".letter").inner_text()
    assert "arka yüz" in letter
    alice.get_by_role("button", name="Send to the player").click()
    assert alice.locator(".idbar .badge").inner_text().strip() == "Waiting for the player"
    eventually(lambda: "arka yüz" in stack_mail(stack, number))

    bring_through_api(stack, api_key, number, files / "back.jpg")
    eventually(lambda: ready_files(alice, number) == 3)
    alice.goto(f"/cases/{number}/")
    assert alice.locator(".idbar .badge").inner_text().strip() == "In review"
    alice.get_by_role("link", name="Review files").click()
    judge(alice, "Accept")

    alice.get_by_role("button", name="Submit for approval").click()
    alice.get_by_role("link", name="Look at the proposal").click()
    alice.wait_for_url(re.compile(r"/approvals/[0-9a-f-]{36}/$"))
    proposal = alice.url
    assert alice.get_by_role("button", name="Confirm").count() == 0
    assert post_as(alice, proposal, "confirm") == 403

    bob.goto(proposal)
    bob.get_by_role("button", name="Confirm").click()
    bob.goto(f"/cases/{number}/")
    assert bob.locator(".idbar .badge").inner_text().strip() == "Approved"
    assert post_as(bob, proposal, "confirm") == 409

    bundle = export(carol, number, tmp_path)
    vkey = stack.manage("audit", "key", "show").strip().splitlines()[0]
    check_bundle(bundle, vkey, tmp_path)


def open_verification(page):
    page.goto("/cases/new/verification/")
    page.get_by_role("textbox", name="Player number").fill(f"P-{random.randrange(10**9)}")
    page.get_by_label("Full name").fill("Işıl Yıldırım")
    page.get_by_label("Date of birth").fill("1991-03-14")
    page.get_by_label("E-mail").fill("isil@example.com")
    page.get_by_role("textbox", name="Phone").fill("0532 123 45 67")
    page.get_by_label("Level").select_option("L2")
    page.get_by_role("button", name="Open verification").click()
    number = page.locator(".idbar h1").inner_text().strip()
    assert re.fullmatch(r"KYC-\d\d-\d{6}-\d", number)
    return number


def add_file(page, shows, path):
    page.get_by_label("What is it?").select_option(shows)
    page.locator("#file").set_input_files(path)
    page.get_by_role("button", name="Add file").click()
    page.get_by_text("The file arrived.").wait_for()


def ready_files(page, number):
    page.goto(f"/cases/{number}/")
    return (
        page.locator(".tasks .st", has_text="To be judged").count()
        + page.locator(".tasks .st", has_text="Accepted").count()
    )


def judge(page, verdict, reason=None):
    picture = page.locator(".viewer img").first
    picture.wait_for()
    assert page.evaluate("async e => { await e.decode(); return e.naturalWidth }", picture.element_handle()) > 100
    page.get_by_role("radio", name=re.compile(verdict)).check()
    if reason:
        page.locator(f"input[name=reasons][value={reason}]").check()
    page.get_by_role("button", name=re.compile("Save, next file")).click()
    page.get_by_text("Verdict saved.").wait_for()


def post_as(page, address, verb):
    """What the server says to a POST that the page does not offer: its own session and CSRF token."""
    return page.evaluate(
        """async ([address, verb]) => {
            const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
            const body = new URLSearchParams({csrfmiddlewaretoken: token});
            return (await fetch(address + verb + "/", {method: "POST", body, redirect: "manual"})).status;
        }""",
        [address, verb],
    )


def stack_mail(stack, number):
    mails = [quoted_text(path.read_bytes()) for path in (stack.data_dir / "mail").glob("*")]
    return "\n".join(mail for mail in mails if number in mail)


def quoted_text(raw):
    message = email.message_from_bytes(raw, policy=email.policy.default)
    return f"{message['subject']}\n{message.get_content()}"


def bring_through_api(stack, api_key, number, path):
    fields = {"purpose": "identity_back", "document_type": "national_id"}
    body, headers = multipart(fields, "back.jpg", path.read_bytes())
    request = urllib.request.Request(
        f"{stack.url}/api/v1/cases/{number}/documents",
        data=body,
        headers=headers | {"Authorization": f"Bearer {api_key}"},
    )
    with urllib.request.urlopen(request, timeout=PATIENCE) as response:
        assert response.status == 201
        assert json.load(response)["purpose"] == "identity_back"


def export(page, number, tmp_path):
    page.goto(f"/audit/?case={number}")
    assert page.locator("table.list tbody tr").count() > 10
    page.get_by_role("link", name=re.compile("Export")).click()
    page.get_by_label("Reason").fill("Yearly audit, sample 7")
    with page.expect_download() as download:
        page.get_by_role("button", name=re.compile("Export")).click()
    bundle = tmp_path / "bundle.zip"
    download.value.save_as(bundle)
    return bundle


def verifier(bundle, vkey, verify):
    """The verifier alone: a separate process, isolated from the project and its packages."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(verify), str(bundle), "--vkey", vkey, "--json"],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    return done.returncode, done.stdout + done.stderr


def check_bundle(bundle, vkey, tmp_path):
    verify = tmp_path / "verify.py"
    verify.write_bytes(Path(released.__file__).read_bytes())
    code, said = verifier(bundle, vkey, verify)
    assert code == 0, said

    data = bytearray(bundle.read_bytes())
    chance = random.Random(7)
    broken = tmp_path / "broken.zip"
    for place in sorted(chance.sample(range(len(data)), times(60, 8))):
        broken.write_bytes(
            bytes(data[:place]) + bytes([data[place] ^ (1 << chance.randrange(8))]) + bytes(data[place + 1 :])
        )
        code, said = verifier(broken, vkey, verify)
        assert code in (1, 2), f"byte {place} of {len(data)} was changed and the verifier said {code}: {said}"

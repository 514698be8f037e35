"""What can be exported besides a case: a customer, a period, sealed parts for one recipient, a copy for reading."""

import base64
import io
import json
import random
import zipfile
from datetime import UTC, date, datetime, timedelta

import pypdfium2
import pytest

from audit.actors import system
from audit.checkpoints import Signer
from audit.export import CannotExport, NeedsTwo, Selection, export, export_to_folder
from audit.moments import span
from audit.queries import standing
from audit.verifier import open_sealed
from tests.audit.bundling import CASE, CASE_ENTRIES, CUSTOMER, Forger, changed, check, check_here

TODAY = datetime.now(UTC).date()


def zipped(selection, **facts):
    out = io.BytesIO()
    export(selection, out, by=system(), reason="Yearly audit", **facts)
    return out.getvalue()


def a_period(first=TODAY, last=TODAY, **facts):
    return Selection("period", from_on=first, to_on=last, **facts)


class TestPeriod:
    def test_an_auditor_accepts_it_and_reads_that_nothing_between_was_left_out(self, running, vkey, tmp_path):
        (tmp_path / "period.zip").write_bytes(zipped(a_period(TODAY - timedelta(days=1), TODAY)))
        status, report = check(tmp_path / "period.zip", vkey)
        assert status == 0, report
        assert (report["kind"], report["of"]) == ("period", f"{TODAY - timedelta(days=1)}_{TODAY}")
        assert report["entries"] > 600
        assert report["complete_from_to"] == [0, report["entries"] - 1]

    def test_a_part_of_the_tree_proves_itself(self, running, vkey, tmp_path, monkeypatch):
        """Three tiles in the middle: neighbours in the tiles are hashed and not counted."""
        monkeypatch.setattr("audit.moments.span", lambda *found: (200, 520))
        (tmp_path / "part.zip").write_bytes(zipped(a_period()))
        status, report = check(tmp_path / "part.zip", vkey)
        assert status == 0, report
        assert report["complete_from_to"] == [200, 520]
        assert report["entries"] == 321
        names = zipfile.ZipFile(tmp_path / "part.zip").namelist()
        assert len([name for name in names if name.startswith("tile/entries/")]) == 3

    def test_a_changed_byte_of_every_file_is_refused(self, running, vkey, tmp_path, monkeypatch):
        monkeypatch.setattr("audit.moments.span", lambda *found: (300, 310))
        folder, chance = tmp_path / "period", random.Random(21)
        export_to_folder(a_period(), folder, by=system(), reason="x")
        files = sorted(path for path in folder.rglob("*") if path.is_file() and path.stat().st_size)
        assert any("entries" in str(file) for file in files)
        for file in files:
            data = file.read_bytes()
            file.write_bytes(changed(data, chance.randrange(len(data)), chance))
            assert check_here(folder, vkey) in (1, 2), file.name
            file.write_bytes(data)
        assert check_here(folder, vkey) == 0

    def test_days_without_entries_are_refused(self, running):
        with pytest.raises(CannotExport, match="no entries of these days"):
            zipped(a_period(date(2020, 1, 1), date(2020, 1, 2)))
        with pytest.raises(CannotExport, match="first and a last day"):
            zipped(a_period(TODAY, TODAY - timedelta(days=1)))

    def test_the_place_of_a_moment_is_where_a_slow_search_finds_it(self, running):
        size = standing("main").size
        times = running.sql(
            "SELECT e.at FROM audit_leaf l JOIN audit_entry e ON e.id = l.entry_id WHERE l.log = 'main' ORDER BY l.seq"
        )[:size]
        chance = random.Random(22)
        for _ in range(20):
            starts, ends = sorted(at for (at,) in chance.sample(times, 2))
            inside = [seq for seq, (at,) in enumerate(times) if starts <= at < ends]
            assert span("main", starts, ends, size) == ((min(inside), max(inside)) if inside else None)


class TestSealedParts:
    @pytest.fixture
    def recipient(self, tmp_path):
        return open_sealed.new_key(str(tmp_path / "private")), tmp_path / "private"

    def test_the_recipient_opens_what_the_verifier_vouches_for(self, running, vkey, tmp_path, recipient, capsys):
        public, private = recipient
        (tmp_path / "bundle.zip").write_bytes(zipped(Selection("case", CASE, recipient=public)))
        status, report = check(tmp_path / "bundle.zip", vkey)
        assert (status, report["sealed"]) == (0, CASE_ENTRIES), report
        assert b"sealed words" not in (tmp_path / "bundle.zip").read_bytes()
        assert open_sealed.main(["open", str(tmp_path / "bundle.zip"), str(private)]) == 0
        found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert [part["sealed"]["note"] for part in found] == ["sealed words"] * CASE_ENTRIES
        ((newest,),) = running.sql("SELECT max(id) FROM audit_entry WHERE action = 'audit.export'")
        assert len(json.loads(running.bytes_of(newest))["data"]["recipient"]) == 16

    def test_nobody_else_opens_them(self, running, tmp_path, recipient):
        (tmp_path / "bundle.zip").write_bytes(zipped(Selection("case", CASE, recipient=recipient[0])))
        open_sealed.new_key(str(tmp_path / "other"))
        assert open_sealed.main(["open", str(tmp_path / "bundle.zip"), str(tmp_path / "other")]) == 1

    def test_one_persons_page_never_hands_them_out(self, running, recipient):
        with pytest.raises(NeedsTwo):
            zipped(Selection("case", CASE, recipient=recipient[0]), alone=10_000)

    def test_a_key_that_is_none_is_refused(self, running):
        with pytest.raises(CannotExport, match="no public key"):
            zipped(Selection("case", CASE, recipient="abc"))

    def test_an_exchanged_ciphertext_is_refused_by_the_verifier(self, running, vkey, tmp_path, recipient):
        """Even with the log's own key over the manifest: the entry names the digest of what it sealed."""
        archive = zipfile.ZipFile(io.BytesIO(zipped(Selection("case", CASE, recipient=recipient[0]))))
        first, *rest = [json.loads(line) for line in archive.read(open_sealed.CIPHERTEXTS).splitlines()]
        first["ciphertext"] = base64.b64encode(b"x" * 60).decode()
        files = {name: archive.read(name) for name in archive.namelist()}
        files[open_sealed.CIPHERTEXTS] = b"".join(
            json.dumps(row, sort_keys=True, separators=(",", ":")).encode() + b"\n" for row in (first, *rest)
        )
        seen = resigned(running, files, tmp_path / "forged.zip")
        status, report = check(seen, vkey)
        assert status == 1
        assert "sealed part is not the one" in report["problem"]


def resigned(house, files, target):
    """The files as a bundle over which the log's own key signed the manifest."""
    forger = Forger.__new__(Forger)
    forger.files, forger.signer = files, Signer(house.keys, "main")
    return forger.seal(target, sign=True)


class TestReadingCopy:
    @pytest.mark.parametrize(("language", "words"), [("en", "What the log says of"), ("tr", "Denetim kaydının dediği")])
    def test_it_is_a_pdf_with_sentences_and_letters(self, bundle, language, words):
        data = zipfile.ZipFile(io.BytesIO(bundle)).read(f"report-{language}.pdf")
        assert b"pdfaid" in data
        text = "".join(page.get_textpage().get_text_range() for page in pypdfium2.PdfDocument(data))
        assert CASE in text
        assert words in text


class TestLimits:
    def test_a_customer_is_counted_before_anything_is_made(self, running):
        with pytest.raises(NeedsTwo, match="13 entries"):
            zipped(Selection("customer", CUSTOMER.id), alone=CASE_ENTRIES)

    @pytest.mark.parametrize("selection", [Selection("full"), a_period()])
    def test_so_are_a_period_and_everything(self, running, selection):
        with pytest.raises(NeedsTwo):
            zipped(selection, alone=500)

    def test_everything_fits_in_a_zip_when_it_is_small(self, running, vkey, tmp_path):
        (tmp_path / "full.zip").write_bytes(zipped(Selection("full"), alone=10_000))
        status, report = check(tmp_path / "full.zip", vkey)
        assert (status, report["complete"]) == (0, True)

    def test_more_than_a_zip_holds_is_refused_in_words(self, running, monkeypatch):
        monkeypatch.setattr("audit.bundles.MOST_FILES", 3)
        with pytest.raises(CannotExport, match="more than one ZIP holds"):
            zipped(Selection("case", CASE))

"""The reference of requirements names files that there are."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "reference" / "asvs.md").read_text(encoding="utf-8")
SHORT = ("compliance/people", "tests/people")  # what "access/…" and a bare file name are short for


def test_every_file_that_it_names_is_there():
    named = set(re.findall(r"`((?:audit|cases|compliance|documents|tests|docs)/[\w./-]+)`", TEXT))
    assert len(named) > 60
    assert sorted(path for path in named if not (ROOT / path).exists()) == []
    short = set(re.findall(r"`((?:access/)?\w+\.py)`", TEXT))
    assert sorted(path for path in short if not any((ROOT / each / path).exists() for each in (*SHORT, *CLOSE))) == []


# Where a bare name follows the name of its folder's neighbour.
CLOSE = ("compliance/people/access", "tests/audit")


def test_every_row_says_where_or_that_it_is_not_yet():
    rows = [line.split("|")[1:-1] for line in TEXT.splitlines() if re.match(r"\| \d", line)]
    assert len(rows) > 55
    for what, where, tried in rows:
        assert where.strip(), what
        assert tried.strip() or "not yet" in where or "SECURITY.md" in where or "OAuth" in where, what

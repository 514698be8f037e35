"""Who helps a player: dated, sourced, by language; nothing is invented."""

from datetime import date

import pytest

from compliance.policy import help_organisations as helping
from compliance.policy.errors import PolicyBroken

FILE = """
country = "XX"
[sources]
H1 = "read somewhere"
[[version]]
id = "XX-HELP-2026-01-01"
effective_from = 2026-01-01
[[version.organisations]]
id = "XX.HELP.ONE"
name = "One"
languages = ["en"]
phone = "1"
source = "H1"
confidence = "P"
last_verified = 2026-01-01
[[version.organisations]]
id = "XX.HELP.TWO"
name = "Two"
languages = ["tr", "en"]
url = "https://two.example"
source = "H1"
confidence = "S"
last_verified = 2026-01-01
"""


def test_those_first_that_answer_in_the_language_and_none_before_the_first_day(tmp_path, monkeypatch):
    (tmp_path / "xx.toml").write_text(FILE)
    read = helping.read(tmp_path)
    monkeypatch.setattr(helping, "countries", lambda: read)
    names = [[one.name for one in helping.help_for("XX", way, on=date(2026, 5, 1))] for way in ("tr", "en-gb")]
    assert names == [["Two", "One"], ["One", "Two"]]
    assert helping.help_for("XX", "tr", on=date(2025, 5, 1)) == ()
    assert helping.help_for("GB", "en", on=date(2026, 5, 1)) == ()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('confidence = "P"', 'confidence = "GK"'),
        ('source = "H1"', 'source = "H9"'),
        ('phone = "1"', ""),
        ("https://", "http://"),
        ('country = "XX"', 'country = "YY"'),
        ("XX-HELP-2026", "XX-HELP-2025"),
    ],
)
def test_what_nobody_verified_or_nobody_can_reach_is_refused(tmp_path, old, new):
    (tmp_path / "xx.toml").write_text(FILE.replace(old, new, 1))
    with pytest.raises(PolicyBroken):
        helping.read(tmp_path)


def test_what_ships_can_be_read():
    assert helping.countries() == {}

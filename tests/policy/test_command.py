"""`manage.py policy check|show|diff`."""

import json

import pytest
from django.core.management import CommandError, call_command

from compliance.policy.book import FOLDER, book


def run(capsys, *arguments):
    call_command("policy", *arguments)
    return capsys.readouterr().out


def test_check_lists_every_version_with_its_digest(capsys):
    told = json.loads(run(capsys, "check", "--json"))
    assert [version["version"] for version in told["versions"]] == list(book().versions)
    assert all(len(version["digest"]) == 64 for version in told["versions"])
    assert told["problems"] == []


def test_check_fails_on_a_broken_file(capsys, tmp_path):
    (tmp_path / "op.toml").write_text((FOLDER / "op.toml").read_text(), encoding="utf-8")
    (tmp_path / "tr.toml").write_text((FOLDER / "tr.toml").read_text().replace("T4", "T9", 1), encoding="utf-8")
    with pytest.raises(SystemExit) as stopped:
        call_command("policy", "check", "--folder", str(tmp_path))
    assert stopped.value.code == 1
    assert "tr.toml, version TR-2026-02-01" in capsys.readouterr().out


def test_check_asks_to_look_again_after_a_year(capsys, time_machine):
    time_machine.move_to("2028-01-01")
    assert "look again: TR-2026-02-01, verification.play_needs: last verified on 2026-11-21" in run(capsys, "check")


def test_show_prints_every_rule_with_its_source(capsys):
    told = run(capsys, "show", "tr", "--on", "2026-11-21")
    assert "thresholds.transaction = single or linked >= 185000.00 TRY" in told
    assert "TR.CDD.AMOUNT  must, S, 2026-11-21" in told
    assert "articles 5(1) and 46(1)" in told


def test_show_as_json_is_the_policy(capsys):
    told = json.loads(run(capsys, "show", "GB", "--on", "2026-01-01", "--json"))
    assert told["version"] == "GB-2025-02-28"
    assert told["four_eyes"]["acts"]["verification.reject"]["id"] == "OP.FOUR_EYES.VERIFICATION_REJECT"


def test_show_of_an_unknown_jurisdiction_is_a_bad_argument():
    with pytest.raises(CommandError, match="No policy for the jurisdiction 'FR'") as refused:
        call_command("policy", "show", "FR")
    assert refused.value.returncode == 2


def test_diff_names_each_rule_that_differs_on_both_sides(capsys):
    old, new = list(book().versions)[:2]
    told = json.loads(run(capsys, "diff", old, new, "--json"))
    assert told and all(one["old"] != one["new"] for one in told)
    words = run(capsys, "diff", old, new)
    assert words.endswith(f"{len(told)} rules differ.\n")
    assert all(f"{one['rule']}\n  - {one['old'] or 'absent'}\n  + {one['new'] or 'absent'}" in words for one in told)
    back = json.loads(run(capsys, "diff", new, old, "--json"))
    assert {(one["rule"], one["new"], one["old"]) for one in back} == {tuple(one.values()) for one in told}
    assert run(capsys, "diff", new, new) == "0 rules differ.\n"


def test_diff_with_an_unknown_version_is_a_bad_argument():
    with pytest.raises(CommandError, match="'GB-1999-01-01'") as refused:
        call_command("policy", "diff", "GB-1999-01-01", next(iter(book().versions)))
    assert refused.value.returncode == 2

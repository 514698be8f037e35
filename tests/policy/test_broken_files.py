"""A broken file names file, key and fix, and nothing starts on it."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compliance.policy import PolicyBroken
from compliance.policy import apps as policy_app
from compliance.policy.book import FOLDER, read

OP = (FOLDER / "op.toml").read_text(encoding="utf-8")
DEFAULT = 'modality = "operator_default", source = "operator", confidence = "GK"'  # of the first operator default
TR = (FOLDER / "tr.toml").read_text(encoding="utf-8")
GB = (FOLDER / "gb.toml").read_text(encoding="utf-8")


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "op.toml").write_text(OP, encoding="utf-8")
    (tmp_path / "tr.toml").write_text(TR, encoding="utf-8")
    (tmp_path / "gb.toml").write_text(GB, encoding="utf-8")
    return tmp_path


def problems_of(folder):
    with pytest.raises(PolicyBroken) as broken:
        read(folder)
    return broken.value.problems


def test_the_shipped_files_are_whole(folder):
    known = ["GB-2025-02-28", "GB-2026-06-30", "GB-2026-11-20", "GB-2026-11-21", "GB-2026-11-22", "GB-2026-11-23"]
    known += ["GB-2026-11-24", "TR-2026-02-01", "TR-2026-11-20", "TR-2026-11-21", "TR-2026-11-23", "TR-2026-11-24"]
    assert list(read(folder).versions) == known


def test_a_union_that_is_not_there_is_named(folder):
    (folder / "tr.toml").write_text(TR.replace("[sources]", 'also = ["EU"]\n\n[sources]', 1), encoding="utf-8")
    assert problems_of(folder) == ["tr.toml, also: there is no eu.toml. Add it or correct the name."]


def test_two_duties_that_nobody_can_compare_stop_the_start(folder):
    """A threshold in pounds beside one in lira: which one protects more is not for a machine to say."""
    (folder / "tr.toml").write_text(TR.replace("[sources]", 'also = ["GB"]\n\n[sources]', 1), encoding="utf-8")
    problems = problems_of(folder)
    assert [problem.partition(":")[0] for problem in problems] == [
        "tr.toml, from 2026-02-01",
        "tr.toml, from 2026-06-30",
        "tr.toml, from 2026-11-20",
        "tr.toml, from 2026-11-21",
        "tr.toml, from 2026-11-22",
        "tr.toml, from 2026-11-23",
        "tr.toml, from 2026-11-24",
    ]
    assert all("cannot be compared: write both in the same terms" in problem for problem in problems)


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("OP", "review_hours = {", "revue_hours = {", "verification.revue_hours: Extra inputs are not permitted."),
        ("OP", "value = 24,", 'value = "many",', "verification.review_hours.value: Input should be a valid integer"),
        ("OP", "value = 24,", "value = 24.5,", "verification.review_hours.value"),
        ("OP", DEFAULT, 'source = "operator", confidence = "GK"', "modality: Field required. Add it."),
        ("OP", 'confidence = "GK"', 'confidence = "sure"', "confidence: Input should be 'P', 'S', 'GK' or 'INF'"),
        ("OP", DEFAULT, DEFAULT.replace("operator_default", "must"), "not verified: leave the key out"),
        ("TR", 'purpose = "address"', 'purpose = "adress"', "required.3.purpose: Input should be"),
        ("OP", 'any_of = ["selfie_photo"]', "any_of = []", "any_of: Tuple should have at least 1 item"),
        ("TR", 'source = "T4"', 'source = "T9"', "source T9 is not in [sources]"),
        ("TR", 'id = "TR.CDD.WIRE"', 'id = "TR.CDD.AMOUNT"', "id TR.CDD.AMOUNT is used twice"),
        ("TR", 'value = "L2"', 'value = "L7"', "verification.play_needs names the unknown level L7"),
        ("OP", 'one_of = ["L2", "L3"]', 'one_of = ["L2", "L4"]', "names the unknown level L4"),
        ("OP", 'one_of = ["medium", "high"]', 'one_of = ["grave"]', "names the unknown risk grave"),
        ("TR", 'amount = "15000.00"', "amount = 15000.10", "write the amount as a string"),
        ("OP", 'includes = "L1"', 'includes = "L8"', "levels.L2.includes: 'L8' is not an earlier level"),
        ("TR", "effective_from = 2026-02-01", "effective_from = 2026-02-02", "must be TR-2026-02-02, from"),
        ("OP", "above = 10000", "above = 10000, one_of = [\"x\"]", 'say either "one_of" or "above"'),
        ("OP", 'alone."people.restrict"', 'alone."verification.reject"', "in acts and in alone: verification.reject"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(folder, file, old, new, said):
    text, version = {"OP": (OP, "OP-2025-02-28"), "TR": (TR, "TR-2026-02-01")}[file]
    assert old in text
    (folder / f"{file.lower()}.toml").write_text(text.replace(old, new, 1), encoding="utf-8")
    problems = problems_of(folder)
    # What is based on it repeats it.
    assert problems[0].startswith(f"{file.lower()}.toml, version {version}, ")
    assert said in problems[0]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('jurisdiction = "TR"', 'jurisdiction = "DE"', 'tr.toml, jurisdiction: must be "TR", like the file\'s name.'),
        ('jurisdiction = "TR"', 'jurisdiction = "TR"\nlaw = 1', "tr.toml, law: not known here."),
        ("[[version]]", "[[version", "tr.toml: not TOML"),
        ("[[version]]", "[[versions]]", "tr.toml, versions: not known here."),
    ],
)
def test_a_wrong_head_is_named(folder, old, new, said):
    first = TR.partition('[[version]]\nid = "TR-2026-11-20"')[0]
    (folder / "tr.toml").write_text(first.replace(old, new), encoding="utf-8")
    assert said in "\n".join(problems_of(folder))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('based_on = "GB-2025-02-28"', 'based_on = "GB-1999-01-01"', "'GB-1999-01-01' is not an earlier version"),
        ('without = ["thresholds.transaction"]', 'without = ["thresholds.nothing"]', "'thresholds.nothing' is not in"),
        ('id = "GB-2026-06-30"\nbased_on', 'id = "GB-2025-02-28"\nbased_on', "must be GB-2026-06-30"),
    ],
)  # fmt: skip
def test_a_version_that_leans_on_nothing_is_named(folder, old, new, said):
    assert old in GB
    (folder / "gb.toml").write_text(GB.replace(old, new, 1), encoding="utf-8")
    assert said in "\n".join(problems_of(folder))


def test_a_changed_rule_keeps_no_old_source(folder):
    """A rule is replaced whole: a new number without a source is refused, it does not borrow the old one's."""
    new = GB + '\n[version.age]\nminimum = { value = 21, modality = "must" }\n'
    (folder / "gb.toml").write_text(new, encoding="utf-8")
    assert any("age.minimum.source: Field required" in problem for problem in problems_of(folder))


def test_every_broken_file_is_named_at_once(folder):
    (folder / "tr.toml").write_text(TR.replace('source = "T4"', 'source = "T9"'), encoding="utf-8")
    (folder / "gb.toml").write_text(GB.replace("GB.FVC", "gb.fvc"), encoding="utf-8")
    assert {problem.split(",")[0] for problem in problems_of(folder)} == {"tr.toml", "gb.toml"}


JUNK = ["3", "-1", "1.5", '"x"', '""', "[]", "[[]]", "{}", "true", "2026-01-01", "[3, 4]", '{ a = "b" }']
WORDS = ["verification", "levels", "L2", "required", "four_eyes", "version", "sources", "title", "age", "three"]


@given(data=st.data(), name=st.sampled_from(["tr", "gb", "op"]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
def test_whatever_is_in_a_file_it_is_read_or_named(data, name, tmp_path):
    """Never another error than PolicyBroken: a traceback names no file."""
    lines = {"tr": TR, "gb": GB, "op": OP}[name].splitlines()
    for _change in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(lines) - 1))
        key, equals, _value = lines[place].partition(" = ")
        if equals and not lines[place].startswith("["):
            lines[place] = data.draw(st.sampled_from(["", *(f"{key} = {junk}" for junk in JUNK)]))
        elif lines[place].startswith("["):
            word = data.draw(st.sampled_from(WORDS))
            lines[place] = data.draw(
                st.sampled_from(["", f"[{word}]", f"[version.{word}]", f"[[version.{word}]]", "[[version]]"])
            )
    file = tmp_path / name / f"{name}.toml"
    file.parent.mkdir(exist_ok=True)
    for beside, text in (("op.toml", OP), ("tr.toml", TR)):
        (file.parent / beside).write_text(text, encoding="utf-8")
    file.write_text("\n".join(lines), encoding="utf-8")
    try:
        read(file.parent)
    except PolicyBroken as broken:
        assert all(problem.startswith((file.name, "tr.toml, version")) for problem in broken.problems)


def test_an_empty_folder_is_no_policy(tmp_path):
    assert "no *.toml in this folder" in problems_of(tmp_path)[0]


def test_the_start_up_check_shows_each_problem(monkeypatch):
    def broken():
        raise PolicyBroken(["tr.toml: one", "gb.toml: two"])

    monkeypatch.setattr(policy_app, "book", broken)
    found = policy_app.check_policies()
    assert [(error.id, error.msg) for error in found] == [
        ("policy.E001", "tr.toml: one"),
        ("policy.E001", "gb.toml: two"),
    ]


def test_the_start_up_check_is_silent_about_whole_policies():
    assert policy_app.check_policies() == []

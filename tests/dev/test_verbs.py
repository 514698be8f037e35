"""What the verbs of dev.py do with their arguments."""

import pytest

import dev
from compliance.embedded.installation import Installation
from compliance.platform.management.commands.platform import Command as PlatformCommand


@pytest.mark.parametrize("rest", [["-x", "--help"], ["tests/audit", "-k", "seal or open"], ["--maxfail=2", "-q"], []])
def test_arguments_of_test_go_to_pytest(rest):
    assert dev.parse(["test", *rest]).rest == rest


@pytest.mark.parametrize("rest", [["migrate", "--plan", "-v2"], ["audit", "verify", "--json"], ["--help"]])
def test_arguments_of_manage_go_to_django(rest):
    assert dev.parse(["manage", *rest]).rest == rest


def test_slow_tests_are_left_out_by_default():
    assert dev.without_slow(["tests/audit", "--maxfail=2"]) == ["-m", "not slow", "tests/audit", "--maxfail=2"]


@pytest.mark.parametrize("rest", [["-m", ""], ["-mslow"], ["-q", "-m", "slow or browser"]])
def test_a_choice_of_marks_is_respected(rest):
    assert dev.without_slow(rest) == rest


@pytest.mark.parametrize(
    ("command", "role"),
    [
        (["migrate"], "mizan_owner"),
        (["makemigrations", "cases"], "mizan_owner"),
        (["audit", "sequence"], "mizan_sequencer"),
        (["audit", "verify"], "mizan_app"),
        (["shell"], "mizan_app"),
        ([], "mizan_app"),
    ],
)
def test_each_command_signs_in_as_the_role_that_may(command, role):
    assert dev.role_of(command) == role


def test_the_defaults_of_run():
    options = dev.parse(["run"])
    assert (options.port, options.demo, options.simulate) == (8000, True, False)
    assert options.data == dev.ROOT / ".data"


@pytest.mark.parametrize("arguments", [[], ["fly"], ["run", "--port", "many"], ["run", "--no-dem"], ["bench"]])
def test_unknown_words_are_refused(arguments, capsys):
    with pytest.raises(SystemExit) as refused:
        dev.parse(arguments)
    assert refused.value.code == 2
    assert "dev.py" in capsys.readouterr().err


def test_the_simulator_beside_the_demo_is_a_command_that_there_is(tmp_path):
    service = Installation(tmp_path, None).simulator(licensee="deneme", by="zeynep@example.com", currency="TRY")
    _python, manage, *arguments = map(str, service.command)
    assert manage == str(dev.ROOT / "manage.py") and arguments[0] == "platform"
    parsed = vars(PlatformCommand().create_parser("manage.py", "platform").parse_args(arguments[1:]))
    assert (parsed["verb"], parsed["licensee"], parsed["listen"]) == ("simulate", "deneme", "127.0.0.1:0")
    assert parsed["seconds"] > 3600 and parsed["key_file"] is None

"""The command line, as Go's flag package reads it."""

from __future__ import annotations

import pytest

from vr.pilot.flags import BadFlags, parse_flags
from vr.pilot.main import main


@pytest.mark.parametrize(
    ("words", "config", "rest"),
    [
        (["-config", "X", "app", "-v"], "X", ("app", "-v")),
        (["--config=X", "app", "-config", "Y"], "X", ("app", "-config", "Y")),
        (["-config", "X", "--", "-app"], "X", ("-app",)),
        (["app"], None, ("app",)),
        (["-config", "-", "-"], "-", ("-",)),
        ([], None, ()),
    ],
)
def test_options_end_at_the_first_other_word(words, config, rest):
    options = parse_flags(words)
    assert (options.config, options.words) == (config, rest)


def test_switches():
    options = parse_flags(["-version=false", "--template", "-out=file:///x"])
    assert (options.version, options.template, options.out) == (False, True, "file:///x")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-x"], "flag provided but not defined: -x"),
        (["-config"], "flag needs an argument: -config"),
        (["---config"], "bad flag syntax: ---config"),
        (["-version=perhaps"], 'invalid boolean value "perhaps" for -version'),
    ],
)
def test_bad_flags(words, message, capsys):
    with pytest.raises(BadFlags, match=message):
        parse_flags(words)
    assert main(words) == 2
    assert "Usage of containerpilot" in capsys.readouterr().err


def test_version_and_help(capsys):
    assert main(["-version"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Version: ")
    assert lines[1].startswith("GitHash: ")
    assert main(["-h"]) == 0


def test_a_template_is_rendered_to_stdout_or_a_file(tmp_path, capfdbinary, monkeypatch):
    monkeypatch.setenv("NAME", "x")
    source = '{"consul": "{{.NAME}}", "services": '
    assert main(["-template", "-config", source]) == 0
    assert capfdbinary.readouterr().out == b'{"consul": "x", "services": '
    target = tmp_path / "out.json"
    assert main(["-template", "-out", f"file://{target}", "-config", source]) == 0
    assert target.read_text() == '{"consul": "x", "services": '
    assert target.stat().st_mode & 0o777 == 0o644
    assert main(["-template", "-out", str(target), "-config", source]) == 1
    assert b"-out must be - or file://PATH" in capfdbinary.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["out.json"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "-config flag is required"),
        (["-config", "file:///no/such"], "Could not read config file: open /no/such: no such file"),
        (["-config", "{{nope}}"], "Could not apply template to config: template: line 1"),
        (["-config", "{}"], "No discovery backend defined"),
    ],
)
def test_a_bad_configuration_is_told_on_stderr(words, message, capfd, monkeypatch):
    monkeypatch.delenv("CONTAINERPILOT", raising=False)
    assert main(words) == 1
    assert message in capfd.readouterr().err


def test_without_the_flag_the_variable_counts(capfd, monkeypatch):
    monkeypatch.setenv("CONTAINERPILOT", '{"consul": 5}')
    assert main([]) == 1
    assert "consul: expected the agent's address" in capfd.readouterr().err
    assert main(["-config", "{}"]) == 1
    assert "No discovery backend defined" in capfd.readouterr().err

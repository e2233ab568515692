"""From variables to settings: what is let through, and that every problem is told at once."""

from __future__ import annotations

import re
from dataclasses import asdict, fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vr.errors import InvalidInput
from vr.settings.reading import checked, read, settings_or_exit
from vr.settings.setting import Process, Setting
from vr.settings.table import TABLE, Settings

SOURCE = Path(__file__).parents[3] / "src"
# Between our own processes, or names of Django's settings: nobody sets them for us.
INTERNAL = {"VR_PARENT", "VR_GIT_USER", "VR_GIT_PASSWORD", "VR_VERSION"}


def server(**env: str) -> Settings:
    return checked(*read(env, Process.SERVER))


def problems(process: Process = Process.SERVER, **env: str) -> list[str]:
    return read(env, process)[1]


@pytest.mark.parametrize("process", Process)
def test_no_process_needs_a_variable(process: Process) -> None:
    assert problems(process) == []


def test_an_empty_environment_gives_the_documented_defaults() -> None:
    settings = server()
    assert settings.home == Path("/var/lib/velociraptor")
    assert settings.files == Path("/var/lib/velociraptor/files")
    assert settings.ports == range(5000, 6000)
    assert settings.supervisor_url == "unix:///var/lib/velociraptor/run/supervisor.sock"
    assert settings.database["NAME"] == "/var/lib/velociraptor/velociraptor.sqlite3"
    assert settings.broker_url == settings.redis_url == "redis://localhost:6379/0"
    assert (settings.start_seconds, settings.drain_seconds) == (60.0, 35.0)
    assert (settings.default_balancer, settings.debug) == ("default", False)


def test_what_is_given_becomes_typed() -> None:
    settings = server(
        VR_PORT_RANGE="6000-6001",
        VR_DEBUG="Yes",
        VR_RUNTIMES="ruby=/opt/ruby, node = nodejs",
        VR_TRUSTED_ORIGINS="https://a.example,https://b.example",
        VR_START_SECONDS="1.5",
        VR_DATABASE_URL="postgres://me:secret@db/vr",
    )
    assert list(settings.ports) == [6000, 6001]
    assert settings.debug is True
    assert settings.runtimes == {"ruby": "/opt/ruby", "node": "nodejs"}
    assert settings.trusted_origins == ("https://a.example", "https://b.example")
    assert settings.start_seconds == 1.5
    assert (settings.database["HOST"], settings.database["USER"]) == ("db", "me")


def test_an_empty_variable_counts_as_not_given() -> None:
    empty = {name: "" for row in TABLE.values() for name in row.variables}
    for process in (Process.UP, Process.SERVER):
        assert read(empty, process) == read({}, process)


def test_defaults_follow_what_they_are_made_of() -> None:
    settings = server(VR_HOME="/srv/vr", VR_REDIS_URL="unix:///run/r.sock")
    assert settings.files == Path("/srv/vr/files")
    assert settings.broker_url == "unix:///run/r.sock"


def test_a_default_made_of_a_wrong_variable_is_not_named_a_second_time() -> None:
    assert problems(VR_HOME="relative") == [
        "VR_HOME: is 'relative', expected an absolute path without blanks, quotes or any of : , % ;"
    ]
    [problem] = problems(VR_REDIS_URL="localhost")
    assert problem.startswith("VR_REDIS_URL")


WRONG = {
    "VR_HOME": ["relative", "/with blank", "/with:colon"],
    "VR_ROOT": ["apps"],
    "VR_PORT_RANGE": ["abc", "6000-5000", "80-90", "5000-", "-", "5000-99999", "²000-5999"],
    "VR_LOCAL_HOST": ["two words", "a/b"],
    "VR_BUILDER": ["docker", "LOCAL"],
    "VR_NATS_URI": ["http://bus", "bus:4222", "nats://bus:port"],
    "VR_NATS_URI_FILE": ["/no/such/file"],
    "VR_FARM_URL": ["vr.example.org"],
    "VR_BUILDPACKS": ["/no/such/folder"],
    "VR_SECRET_KEY_FILE": ["/no/such/file", "/proc"],
    "VR_SECRET_KEY_FALLBACKS_FILE": ["/no/such/file"],
    "VR_DATABASE_URL": ["mysql://host/name", "velociraptor", "postgres://host:port/name"],
    "VR_REDIS_URL": ["localhost", "http://host", "redis://host:port", "unix://", "redis:///0"],
    "VR_BROKER_URL": ["rabbit", "http://host", "amqp:/host"],
    "VR_FILES": ["files"],
    "VR_FILES_BASE_URL": ["ftp://host"],
    "VR_ACCEL_PREFIX": ["stored", "/stored", "/two words/"],
    "VR_UPLOAD_MB": ["0", "-1", "1e9", "1_000", "many"],
    "VR_LARGEST_SWARM": ["0", "100000"],
    "VR_VOLUME_ROOTS": ["srv", "/srv,data", "/srv/../etc"],
    "VR_HOST_UIDS": ["200000", "1-2", "200001-200000"],
    "VR_DEFAULT_LIMITS": ["mem_limit", "memory=1G", "mem_limit=1K", "pids_limit=1.5"],
    "VR_BUILD_LIMITS": ["mem_limit", "disk_limit=1K"],
    "VR_BUILD_SECONDS": ["0", "soon", "nan"],
    "VR_FETCH_SECONDS": ["0", "soon", "nan"],
    "VR_RUNTIMES": ["ruby", "ruby=", "=x", "ruby=1,ruby=2"],
    "VR_FARM_SECONDS": ["soon", "0"],
    "VR_BALANCERS_FILE": ["/no/such/file"],
    "VR_DEFAULT_BALANCER": ["nope"],
    "VR_SUPERVISOR_URL": ["localhost:9001", "unix://"],
    "VR_TOOLS": ["bin"],
    "VR_START_SECONDS": ["abc", "0", "nan", "inf", "-5"],
    "VR_DRAIN_SECONDS": ["abc", "-1"],
    "VR_CONSUL": ["a b"],
    "VR_TRUSTED_ORIGINS": ["vr.example.org"],
    "VR_SITE_TITLE": ["two\nlines"],
    "VR_DEBUG": ["maybe"],
}


@pytest.mark.parametrize(
    ("variable", "text"), [(name, text) for name, texts in WRONG.items() for text in texts]
)
def test_a_wrong_text_is_named_with_its_variable_alone(variable: str, text: str) -> None:
    [problem] = problems(**{variable: text})
    assert problem.startswith(f"{variable}: ")
    assert "expected" in problem or "can't be read" in problem


def test_all_that_is_wrong_is_told_at_once() -> None:
    wrong = {name: texts[0] for name, texts in WRONG.items()}
    # A default that is no balancer can't be seen while it isn't known which there are.
    del wrong["VR_DEFAULT_BALANCER"], wrong["VR_NATS_URI"]
    with pytest.raises(InvalidInput) as caught:
        server(**wrong)
    assert {problem.partition(":")[0] for problem in caught.value.problems} == set(wrong)
    assert len(caught.value.problems) == len(wrong)


@given(
    st.sampled_from(sorted(TABLE)), st.text(st.characters(codec="utf-8", exclude_characters="\0"))
)
def test_any_text_is_a_value_or_a_problem_never_an_exception(field: str, text: str) -> None:
    row = TABLE[field]
    for process in (Process.UP, Process.SERVER):
        for problem in read(dict.fromkeys(row.variables, text), process)[1]:
            assert problem.startswith((row.variable, "VR_FARM_URL"))


@pytest.mark.parametrize(
    "row", [row for row in TABLE.values() if row.is_hidden], ids=lambda row: row.variable
)
def test_no_problem_shows_a_password(row: Setting) -> None:
    for variable in row.variables:
        for text in ("wrong://me:hunter2@host", "hunter2", "postgres://me:hunter2@host:x/"):
            assert "hunter2" not in " ".join(problems(**{variable: text}))


def test_a_user_in_an_address_that_needs_none_is_not_shown_either() -> None:
    [problem] = problems(VR_FILES_BASE_URL="htp://me:hunter2@files.example.org")
    assert "hunter2" not in problem and "files.example.org" in problem


def test_settings_do_not_print_their_secrets() -> None:
    hidden = {"VR_SECRET_KEY": "hunter2", "VR_NATS_URI": "nats://me:hunter2@bus"}
    settings = server(VR_DATABASE_URL="postgres://me:hunter2@host/x", **hidden)
    assert "hunter2" in str(asdict(settings)) and "hunter2" not in repr(settings)


def test_a_secret_may_stand_in_a_file_that_goes_first(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("from the file\n")
    settings = server(VR_SECRET_KEY="from the variable", VR_SECRET_KEY_FILE=str(file))
    assert settings.secret_key == "from the file"


def test_an_empty_key_file_is_no_key(tmp_path: Path) -> None:
    (tmp_path / "key").touch()
    [problem] = problems(VR_SECRET_KEY_FILE=f"{tmp_path}/key")
    assert problem.startswith("VR_SECRET_KEY_FILE") and "a key" in problem


def test_former_keys_are_words_in_the_variable_and_lines_in_the_file(tmp_path: Path) -> None:
    assert server(VR_SECRET_KEY_FALLBACKS="one, two").secret_key_fallbacks == ("one", "two")
    file = tmp_path / "keys"
    file.write_text("o,n,e\ntwo\n")
    given = server(VR_SECRET_KEY_FALLBACKS_FILE=str(file))
    assert given.secret_key_fallbacks == ("o,n,e", "two")
    file.write_text("")
    assert server(VR_SECRET_KEY_FALLBACKS_FILE=str(file)).secret_key_fallbacks == ()


@pytest.mark.parametrize(
    ("slip", "meant"),
    [
        ("VR_PORTRANGE", "VR_PORT_RANGE"),
        ("VR_BALANCER_FILE", "VR_BALANCERS_FILE"),
        ("VR_SITE_TITEL", "VR_SITE_TITLE"),
        ("VR_START_SECOND", "VR_START_SECONDS"),
        ("VR_SECRETKEY_FILE", "VR_SECRET_KEY_FILE"),
    ],
)
@pytest.mark.parametrize("process", [Process.UP, Process.SERVER])
def test_a_slip_in_a_name_is_told_with_the_right_one(
    slip: str, meant: str, process: Process
) -> None:
    [problem] = problems(process, **{slip: "1"})
    assert problem.startswith(f"{slip}: ") and problem.endswith(f"did you mean {meant}?")


def test_names_that_are_nothing_like_ours_are_nobodys_business() -> None:
    others = {*INTERNAL, "VR_TEST_PATIENCE", "VR_CHAOS_SEED", "PORT_RANGE", "VRX_PORT_RANGE"}
    assert problems(**dict.fromkeys(others, "1")) == []


def test_every_variable_that_the_code_reads_is_in_the_table() -> None:
    found = {
        name
        for path in SOURCE.rglob("*.py")
        for name in re.findall(r"[\"'](VR_[A-Z_]+)[\"']", path.read_text())
    }
    known = {name for row in TABLE.values() for name in row.variables}
    assert found - INTERNAL - known == set()
    assert len(found & known) > 40, "the expression finds them"


def test_a_process_has_defaults_for_what_is_not_for_it() -> None:
    settings, found = read({"VR_WEB_PORT": "eighty", "VR_REDIS_URL": "?"}, Process.TOOLS)
    assert (settings.web_port, found) == (8000, [])


def test_vr_up_checks_what_it_hands_on_to_the_server() -> None:
    [problem] = problems(Process.UP, VR_START_SECONDS="abc")
    assert problem.startswith("VR_START_SECONDS")


def test_stagers_must_be_told_where_the_server_is() -> None:
    [problem] = problems(VR_BUILDER="nats")
    assert problem.startswith("VR_FARM_URL")
    assert problems(VR_BUILDER="nats", VR_FILES_BASE_URL="http://vr.example.org") == []
    assert problems(Process.UP, VR_BUILDER="nats") == []


def test_the_default_balancer_is_one_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "balancers.yaml"
    file.write_text("BALANCERS: {a: {BACKEND: vr.balancer.dummy.DummyBalancer}}")
    given = {"VR_BALANCERS_FILE": str(file)}
    assert server(**given).default_balancer == "a"
    [problem] = problems(VR_DEFAULT_BALANCER="b", **given)
    assert problem == "VR_DEFAULT_BALANCER: is 'b', expected a balancer of VR_BALANCERS_FILE: a"


def test_wrong_settings_end_a_process_of_the_server_with_sentences_and_code_2(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        settings_or_exit({"VR_START_SECONDS": "abc"})
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("error: environment: VR_START_SECONDS: is 'abc'")


def test_every_field_has_its_own_variable() -> None:
    variables = [name for row in TABLE.values() for name in row.variables]
    assert len(variables) == len(set(variables))
    assert set(TABLE) == {field.name for field in fields(Settings)}


def test_what_follows_from_a_variable_follows_from_its_file_too(tmp_path: Path) -> None:
    path = tmp_path / "redis-url"
    path.write_text("unix://:secret@/run/redis.sock\n")
    found, found_problems = read(
        {"VR_SECRET_KEY": "x", "VR_REDIS_URL_FILE": str(path)}, Process.SERVER
    )
    assert found_problems == []
    assert found.broker_url == found.redis_url == "unix://:secret@/run/redis.sock"

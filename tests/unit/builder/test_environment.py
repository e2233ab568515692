"""The environment of a build: what is fixed, what the host passes on."""

from vr.builder.environment import (
    CA_BUNDLE,
    DEFAULT_PASSED,
    certificate_files,
    passed_patterns,
    passed_through,
    script_environment,
)
from vr.specs.build import BuildSpec

SPEC = BuildSpec(app_name="shop", app_repo_url="/srv/shop", app_repo_type="git", version="v1")


def test_buildpacks_find_what_the_published_ones_need() -> None:
    env = script_environment(SPEC, "f" * 40, {})
    assert env["STACK"] == "heroku-24"
    assert env["HOME"] == "/app"
    assert env["SOURCE_VERSION"] == "f" * 40
    assert env["LANG"] == "C.UTF-8"
    assert not {"PORT", "DYNO", "PYTHONPATH", "GIT_DIR"} & env.keys()


def test_the_same_commit_gets_the_same_environment() -> None:
    assert script_environment(SPEC, "a", {}) == script_environment(SPEC, "a", {})
    assert script_environment(SPEC, "a", {}) != script_environment(SPEC, "b", {})


def test_a_host_cannot_move_home_or_path() -> None:
    env = script_environment(SPEC, "a", {"HOME": "/root", "PATH": "/evil"})
    assert (env["HOME"], "/evil" in env["PATH"]) == ("/app", False)


def test_every_client_is_told_of_the_hosts_certificates() -> None:
    env = script_environment(SPEC, "a", {"PIP_CERT": "/opt/company.pem"})
    assert env["NODE_EXTRA_CA_CERTS"] == env["SSL_CERT_FILE"] == CA_BUNDLE
    assert env["PIP_CERT"] == "/opt/company.pem"


def test_package_and_proxy_settings_pass_and_nothing_else_does() -> None:
    host = {
        "PIP_INDEX_URL": "https://index.example.org/simple",
        "https_proxy": "http://proxy.example.org:3128",
        "npm_config_registry": "https://npm.example.org",
        "AWS_SECRET_ACCESS_KEY": "s3cret",
        "PIP_TARGET": "/somewhere",
        "HOME": "/root",
    }
    passed = passed_through(host, DEFAULT_PASSED)
    assert passed.keys() == {"PIP_INDEX_URL", "https_proxy", "npm_config_registry"}


def test_package_folders_of_the_host_are_left_out() -> None:
    host = {
        "PIP_FIND_LINKS": "/opt/wheels",
        "PIP_EXTRA_INDEX_URL": "file:///opt/simple https://index.example.org/simple",
        "PIP_INDEX_URL": "file:///opt/simple",
    }
    passed = passed_through(host, DEFAULT_PASSED)
    assert passed == {"PIP_EXTRA_INDEX_URL": "https://index.example.org/simple"}


def test_the_list_of_what_passes_can_be_changed() -> None:
    host = {"BAR": "1", "CAR": "2", "NO_PROXY": "x", "PIP_RETRIES": "3"}
    assert passed_through(host, passed_patterns("")).keys() == {"NO_PROXY", "PIP_RETRIES"}
    more = passed_patterns("B*, -PIP_*")
    assert passed_through(host, more).keys() == {"BAR", "NO_PROXY"}


def test_certificate_files_of_the_host_are_named_for_mounting() -> None:
    passed = {"PIP_CERT": "/opt/company.pem", "SSL_CERT_FILE": CA_BUNDLE, "PIP_PROXY": "/x"}
    assert certificate_files(passed) == {"/opt/company.pem"}

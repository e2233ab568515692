"""How git and hg are told who asks, without a process list showing it."""

from vr.repo import git, hg
from vr.repo.source import Credentials

ADA = Credentials("ada", "s3cret")


def test_git_never_asks_and_forgets_the_repository_of_a_calling_hook() -> None:
    host = {"GIT_DIR": "/x", "GIT_SSL_CAINFO": "/ca", "PATH": "/bin"}
    env = git.environment(host, "https://host/a", None)
    assert "GIT_DIR" not in env
    assert env["GIT_TERMINAL_PROMPT"] == "0"
    assert env["GIT_SSL_CAINFO"] == "/ca"
    assert "BatchMode=yes" in env["GIT_SSH_COMMAND"]


def test_git_is_given_credentials_beside_the_configuration_that_is_there() -> None:
    host = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "a.b", "GIT_CONFIG_VALUE_0": "c"}
    env = git.environment(host, "https://host:8443/shop", ADA)
    assert env["GIT_CONFIG_COUNT"] == "2"
    assert env["GIT_CONFIG_KEY_0"] == "a.b"
    assert env["GIT_CONFIG_KEY_1"] == "credential.https://host:8443.helper"
    assert "s3cret" not in env["GIT_CONFIG_VALUE_1"]


def test_the_secrets_of_who_calls_are_not_for_git() -> None:
    host = {"VR_SECRET_KEY": "s3cret", "DATABASE_URL": "x", "https_proxy": "http://p", "HOME": "/h"}
    env = git.environment(host, "https://host/a", None)
    assert env["https_proxy"] == "http://p"
    assert env["HOME"] == "/h"
    assert not {"VR_SECRET_KEY", "DATABASE_URL"} & set(env)


def test_mercurial_gives_credentials_to_their_own_host_only() -> None:
    text = hg.authentication("https://host:8443/shop", ADA)
    assert "source.prefix = host:8443\n" in text
    assert "source.password = s3cret\n" in text

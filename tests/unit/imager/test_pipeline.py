"""What a provisioning script finds in its environment."""

from vr.imager.pipeline import script_environment


def test_proxies_pass_and_the_files_own_variables_win() -> None:
    host = {"https_proxy": "http://proxy:3128", "NO_PROXY": "x", "SECRET": "s3cret"}
    env = script_environment(host, {"HOME": "/srv", "X": "1"})
    assert env["https_proxy"] == "http://proxy:3128"
    assert env["NO_PROXY"] == "x"
    assert "SECRET" not in env
    assert (env["HOME"], env["X"]) == ("/srv", "1")
    assert "/usr/sbin" in env["PATH"]

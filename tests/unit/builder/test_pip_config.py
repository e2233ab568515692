"""pip.conf of the host, as environment variables."""

from vr.builder.pip_config import settings


def test_known_keys_become_the_variables_that_pip_reads() -> None:
    text = "[global]\nindex-url = https://a/simple\nextra-index-url =\n  https://b\n  https://c\n"
    assert settings([text]) == {
        "PIP_INDEX_URL": "https://a/simple",
        "PIP_EXTRA_INDEX_URL": "https://b https://c",
    }


def test_later_files_and_narrower_sections_win() -> None:
    first = "[install]\nindex_url = https://b\n[global]\nindex-url = https://a\n"
    assert settings([first])["PIP_INDEX_URL"] == "https://b"
    assert settings([first, "[global]\nindex-url = https://c\n"])["PIP_INDEX_URL"] == "https://c"


def test_broken_and_foreign_content_counts_for_nothing() -> None:
    assert settings(["not ini", "", "[freeze]\nindex-url = x\n", "[global]\nuser = yes\n"]) == {}

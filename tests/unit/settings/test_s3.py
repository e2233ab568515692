"""A bucket's variables that don't go together are named, each with what was expected."""

from __future__ import annotations

from typing import Any

from vr.settings.reading import read
from vr.settings.s3 import S3Address, s3_problems
from vr.settings.setting import Process


def problems(*, has_library: bool = True, **told: Any) -> list[str]:
    empty = dict.fromkeys(("bucket", "endpoint", "region", "access_key", "secret_key"), "")
    return [*s3_problems(S3Address(**{**empty, **told}), has_library=has_library)]


def test_a_bucket_is_enough_and_so_is_none() -> None:
    assert problems() == []
    assert problems(bucket="vr") == []
    assert problems(bucket="vr", endpoint="http://s3", access_key="a", secret_key="b") == []


def test_keys_come_together() -> None:
    (problem,) = problems(bucket="vr", access_key="a")
    assert problem.startswith("VR_S3_SECRET_KEY: is not given, expected beside VR_S3_ACCESS_KEY")
    (problem,) = problems(bucket="vr", secret_key="b")
    assert problem.startswith("VR_S3_ACCESS_KEY: is not given")


def test_what_is_given_without_a_bucket_would_do_nothing() -> None:
    assert [problem.partition(":")[0] for problem in problems(endpoint="http://s3")] == [
        "VR_S3_ENDPOINT"
    ]


def test_a_missing_library_is_named_with_the_command_that_brings_it() -> None:
    (problem,) = problems(bucket="vr", has_library=False)
    assert "pip install 'velociraptor[s3]'" in problem


def test_no_problem_quotes_a_secret() -> None:
    _, told = read({"VR_S3_SECRET_KEY": "5ecret", "VR_S3_BUCKET": "No Bucket"}, Process.SERVER)
    assert len(told) == 2
    assert not [problem for problem in told if "5ecret" in problem]

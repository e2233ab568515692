"""Where a bucket is, and who we are there."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass, field

_LIBRARY = "storages"


@dataclass(frozen=True)
class S3Address:
    """Without a `bucket` there is none. Without an `endpoint` it is Amazon's; without keys the
    library looks for some where Amazon's tools do."""

    bucket: str
    endpoint: str
    region: str
    access_key: str
    secret_key: str = field(repr=False)


def s3_problems(told: S3Address, *, has_library: bool | None = None) -> Iterator[str]:
    """What doesn't go together, by the variables that say it."""
    if has_library is None:
        has_library = importlib.util.find_spec(_LIBRARY) is not None
    if not told.bucket:
        for variable, text in (
            ("VR_S3_ENDPOINT", told.endpoint),
            ("VR_S3_ACCESS_KEY", told.access_key),
            ("VR_S3_SECRET_KEY", told.secret_key),
        ):
            if text:
                yield f"{variable}: is given, but VR_S3_BUCKET, which it is for, is not"
        return
    if bool(told.access_key) != bool(told.secret_key):
        given, missing = ("ACCESS", "SECRET") if told.access_key else ("SECRET", "ACCESS")
        yield (
            f"VR_S3_{missing}_KEY: is not given, expected beside VR_S3_{given}_KEY; or neither, to "
            "go by what Amazon's tools find"
        )
    if not has_library:
        yield (
            "VR_S3_BUCKET: needs a library that is not installed here: "
            "pip install 'velociraptor[s3]'"
        )

"""What builds and releases are told apart by."""

from __future__ import annotations

import hashlib
import json
from typing import Any


def hash_of(*parts: Any) -> str:
    """Hex MD5 over the concatenated JSON texts with sorted keys."""
    text = "".join(json.dumps(part, sort_keys=True) for part in parts)
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

"""Imported once by the server that tasks are forked from, so that no task has to.

Libraries import much of themselves at first use only; so each is used once here.
"""

from __future__ import annotations

import encodings.cp437
import encodings.idna  # noqa: F401  (for the first connection)
import gc
import shutil  # noqa: F401
import tarfile  # noqa: F401

import httpx
from isal import igzip_threaded  # noqa: F401

import vr.stager.main
import vr.stager.task_process  # noqa: F401

httpx.Client(trust_env=False, verify=False).close()

# A collection in a forked process would write to, and so copy, all that is shared so far.
gc.freeze()

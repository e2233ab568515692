"""Git and Mercurial: a revision of somebody's repository as a folder of files."""

from vr.repo.checkout import Checkout, checkout, find_commit
from vr.repo.source import Kind, Source

__all__ = ["Checkout", "Kind", "Source", "checkout", "find_commit"]

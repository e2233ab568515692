"""vrun gc and vrun doctor as commands: what they print, and their exit codes."""

from __future__ import annotations

import json
from dataclasses import asdict

from vr.paths import Root
from vr.runner.addresses import release_abandoned
from vr.runner.diagnosis import Finding, Verdict
from vr.runner.doctor import examine
from vr.runner.gc import collect
from vr.runner.progress import say

_MARKS = {Verdict.OK: "ok  ", Verdict.WARNING: "warn", Verdict.PROBLEM: "FAIL"}


def gc(root: Root, *, days: float = 0, dry_run: bool = False) -> None:
    """Collect, with a line for each thing removed; raises what `collect` raises."""
    verb = "would remove" if dry_run else "removed"
    total = 0
    for removed in collect(root, days=days, dry_run=dry_run):
        say(f"{verb} {removed.path} ({removed.size / 1e6:.1f} MB)")
        total += removed.size
    if not dry_run:
        for name in release_abandoned(root):
            say(f"freed the private addresses of {name}")
    say(f"{verb} {total / 1e6:.1f} MB in all" if total else "nothing to remove")


def doctor(root: Root, *, as_json: bool = False) -> int:
    """Examine this host and print the findings; 1 if procs can't run here, else 0."""
    findings = examine(root)
    if as_json:
        print(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            _show(finding)
    return int(any(finding.verdict is Verdict.PROBLEM for finding in findings))


def _show(finding: Finding) -> None:
    print(f"{_MARKS[finding.verdict]}  {finding.subject}: {finding.found}")
    if finding.remedy and finding.verdict is not Verdict.OK:
        print(f"      {finding.remedy}")

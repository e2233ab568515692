"""The kernel's messages about kills for want of memory."""

from __future__ import annotations

from vr.container.oom_log import OomKill, oom_kills

GROUP = "lxc.payload.shop-v1-prod-1a2b3c4d-web-5000"
VICTIM = (
    f"oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset={GROUP},mems_allowed=0,"
    f"oom_memcg=/rig/{GROUP},task_memcg=/rig/{GROUP},task=my, worker,pid=11605,uid=65534"
)
KILL = (
    "Memory cgroup out of memory: Killed process 11605 (my, worker) total-vm:320952kB, "
    "anon-rss:64256kB, file-rss:4980kB, shmem-rss:0kB, UID:65534 pgtables:192kB oom_score_adj:0"
)


def test_a_kill_is_told_with_its_group_and_name() -> None:
    messages = ["memory: usage 65536kB, limit 65536kB", VICTIM, "something else", KILL, "and on"]
    assert list(oom_kills(messages)) == [OomKill(GROUP, "my, worker", 64256 * 1024, True)]


def test_a_host_without_memory_is_told_apart() -> None:
    victim = VICTIM.replace("CONSTRAINT_MEMCG", "CONSTRAINT_NONE").replace(
        f"oom_memcg=/rig/{GROUP}", "global_oom"
    )
    (kill,) = oom_kills([victim, KILL.replace("Memory cgroup out", "Out")])
    assert (kill.group, kill.own_limit) == (GROUP, False)


def test_a_kill_of_which_the_kernel_tells_no_group_is_left_out() -> None:
    other = VICTIM.replace("11605", "11604")
    assert list(oom_kills([KILL, other, KILL])) == []

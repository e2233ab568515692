"""The system calls that no container may make (docs/reference/container.md#system-calls)."""

from __future__ import annotations

_CLONE_NEWUSER = 0x10000000

_REFUSED = (
    "kexec_load kexec_file_load open_by_handle_at init_module finit_module delete_module setns "
    "mount umount2 pivot_root move_mount open_tree fsopen fsconfig fsmount fspick mount_setattr "
    "add_key request_key keyctl bpf perf_event_open userfaultfd acct swapon swapoff reboot "
    "settimeofday clock_settime"
)


def profile() -> str:
    """The profile's text: EPERM for what reaches the kernel itself, and no user namespaces.

    clone3 and io_uring answer ENOSYS: their arguments can't be inspected, and every program falls
    back to the older calls.
    """
    no_user_namespace = f"errno 1 [0,{_CLONE_NEWUSER},SCMP_CMP_MASKED_EQ,{_CLONE_NEWUSER}]"
    lines = [
        "2",
        "denylist",
        "reject_force_umount",
        "[all]",
        f"unshare {no_user_namespace}",
        f"clone {no_user_namespace}",
        "clone3 errno 38",
        "io_uring_setup errno 38",
        *(f"{name} errno 1" for name in _REFUSED.split()),
    ]
    return "\n".join(lines) + "\n"

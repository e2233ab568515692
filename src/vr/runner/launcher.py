"""The launcher: a shell script that setup leaves behind, so that a start needs no Python.

It holds the locks, starts the container, turns signals into what the app understands, and leaves
nothing behind (rulings.md, 1 and 2). It is generated from plain values by a pure function.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

_TICKS_PER_SECOND = 50

_SCRIPT = r"""
lock() { # descriptor, path
    flock -w "$patience" "$1" && return
    inode=$(stat -Lc %i "$2")
    holder=$(grep -sl "^lock:.* FLOCK .*:$inode " /proc/[0-9]*/fdinfo/* | cut -d/ -f3 | head -n 1)
    echo "error: $2 is still locked by process ${holder:-unknown}." >&2
    echo "hint: Wait until it has finished, or stop it." >&2
    exit 1
}

# Where LXC makes its cgroups: below those of PID 1. The v2 hierarchy, which can kill, comes first.
groups=
while IFS=: read -r number controllers path; do
    path=${path%/init.scope}
    path=${path%/}
    if [ "$number" != 0 ]; then
        groups="$groups /sys/fs/cgroup/${controllers#name=}$path"
    elif [ -d /sys/fs/cgroup/unified ]; then
        groups="/sys/fs/cgroup/unified$path $groups"
    else
        groups="/sys/fs/cgroup$path $groups"
    fi
done </proc/1/cgroup

each_group() { # payload or monitor, function: called with $group set
    for base in $groups; do
        for group in "$base/lxc.$1.$name" "$base/lxc.$1.$name"-[0-9]*; do
            [ ! -d "$group" ] || "$2"
        done
    done
}

kill_group() {
    read -r pid <"$group/cgroup.procs" || return
    left=1
    if [ -e "$group/cgroup.kill" ]; then
        echo 1 >"$group/cgroup.kill"
    else
        while read -r pid; do kill -KILL "$pid"; done <"$group/cgroup.procs"
    fi
}

remove_group() { rmdir "$group"; }

sweep() { # what a killed monitor left
    tries=200
    while left=; each_group payload kill_group; [ -n "$left" ] && [ "$tries" -gt 0 ]; do
        tries=$((tries - 1))
        sleep 0.01
    done
    each_group payload remove_group
    each_group monitor remove_group
} 2>/dev/null

first_child() { # of a process, into the variable named; fails if it has none
    # The kernel's list ends without a newline, so read finds it and fails all the same.
    read -r "$2" _ <"/proc/$1/task/$1/children" || eval "[ -n \"\$$2\" ]"
}

terminate() { # TERM for every process of the app, once; fails while there is none yet
    init= supervisor=
    first_child "$lxc" init && first_child "$init" supervisor || return
    kill -TERM "$supervisor"
    reached=
    for base in $groups; do
        for group in "$base/lxc.payload.$name" "$base/lxc.payload.$name"-[0-9]*; do
            [ -d "$group" ] || continue
            while read -r pid; do
                [ "$pid" = "$init" ] || [ "$pid" = "$supervisor" ] || {
                    kill -TERM "$pid" && reached=1
                }
            done <"$group/cgroup.procs"
        done
        [ -z "$reached" ] || return 0 # the other hierarchies hold the same processes
    done
    return 1
} 2>/dev/null

forward() { # a signal for the app's main process
    signalled=1 init= supervisor= main=
    first_child "$lxc" init && first_child "$init" supervisor || return
    first_child "$supervisor" main && kill -"$1" "$main"
} 2>/dev/null

[ -e "$yaml" ] || { echo "error: $yaml does not exist." >&2; exit 1; }
exec 9<"$yaml" 8<"$folder"
lock 9 "$yaml"
lock 8 "$folder"
sweep

lxc= stop= signalled= code=143
trap 'stop=1 signalled=1' TERM INT
for signal in HUP QUIT USR1 USR2; do trap "forward $signal" "$signal"; done

# Neither the container nor its monitor may hold the locks' descriptors. A shell would give a
# background job /dev/null as its input, and ignore INT and QUIT in it.
exec 3<&0
env -i --default-signal=INT,QUIT PATH="$PATH" "$@" <&3 3<&- 8<&- 9<&- &
lxc=$!
exec 3<&-

while [ -z "$stop" ]; do
    signalled=
    wait "$lxc"
    code=$?
    [ -n "$signalled" ] || break
done

if [ -n "$stop" ]; then
    reached= killed=
    while kill -0 "$lxc" 2>/dev/null; do
        [ -n "$reached" ] || ! terminate || reached=1
        if [ "$ticks" -le 0 ]; then
            killed=1
            each_group payload kill_group 2>/dev/null
        fi
        ticks=$((ticks - 1))
        sleep 0.02
    done
    wait "$lxc"
    last=$?
    # The status was already handed out if the container ended just before the signal came.
    [ "$last" = 127 ] || code=$last
    [ -z "$killed" ] || code=137
fi
sweep
exit "$code"
"""


def launcher(
    *, name: str, proc_yaml: Path, folder: Path, command: Sequence[str], stop_timeout: float
) -> str:
    """The script. Its one optional argument: seconds to wait for the locks.

    It locks `proc_yaml` and the proc's `folder`, runs `command` (the container) as its child, and
    ends with its exit code; 137 if the app outlived `stop_timeout` seconds after a TERM.
    """
    assignments = {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "name": name,
        "yaml": str(proc_yaml),
        "folder": str(folder),
        "ticks": str(round(stop_timeout * _TICKS_PER_SECOND)),
    }
    head = "".join(f"{key}={shlex.quote(value)}\n" for key, value in assignments.items())
    return (
        "#!/bin/sh\n"
        "# Written by `vrun setup`, which also replaces it.\n"
        f"{head}"
        "patience=${1:-0}\n"
        f"set -- {shlex.join(command)}\n"
        f"{_SCRIPT}"
    )

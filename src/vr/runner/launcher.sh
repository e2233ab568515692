# Starts one proc's container: holds the locks, turns signals into what the app understands, says
# why it ended, and leaves nothing behind. Above are this proc's values, the seconds to wait for
# the locks, if given, and the container's command as "$@".

umask 022

# All but 0 to 2 would reach the app. Supervisor and vrun pass no more; who starts this by hand may.
for descriptor in /proc/self/fd/*; do
    case ${descriptor##*/} in
    [0-2]) continue ;;
    esac
    # The listing's own is gone by now, and the shell has this script open.
    if [ -e "$descriptor" ] && ! [ "$descriptor" -ef "$0" ]; then
        # Only bash can name descriptors above 9.
        exec /bin/bash -c '
            for descriptor in /proc/self/fd/*; do
                number=${descriptor##*/}
                [ "$number" -le 2 ] || eval "exec $number>&-"
            done
            exec "$0" "$@"' "$0" ${patience:+"$patience"}
    fi
done

# Supervisor's procs end with it, even when it is killed: the kernel tells us, if asked to. Started
# by a shell, a proc may outlive it, as with nohup.
if [ -n "${SUPERVISOR_ENABLED-}" ]; then
    if [ -z "${VR_PARENT-}" ]; then
        export VR_PARENT="$PPID"
        exec setpriv --pdeathsig TERM "$0" ${patience:+"$patience"}
    fi
    # It may have died before the kernel was asked; then we belong to an init that isn't Python.
    [ "$PPID" = "$VR_PARENT" ] || exit 1
    [ "$PPID" != 1 ] || case $(readlink /proc/1/exe) in *py*) ;; *) exit 1 ;; esac
    # A Supervisor that was killed is back before the apps of the old one have ended.
    patience=${patience:-$((ticks / ticks_per_second + 5))}
fi

lock() { # descriptor, path
    flock -w "${patience:-0}" "$1" && return
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
groups=${groups# }
groups=${groups% }

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
    # LXC makes groups in every hierarchy. Looking into one is enough, and much faster on a host
    # with many procs, as long as that one's are the last to be removed.
    for group in "${groups%% *}"/lxc.*."$name" "${groups%% *}"/lxc.*."$name"-[0-9]*; do
        [ -d "$group" ] || continue
        tries=200
        # A monitor ends with its container, but waits for ever for one that was killed in its start.
        while left=; each_group payload kill_group; each_group monitor kill_group
            [ -n "$left" ] && [ "$tries" -gt 0 ]; do
            tries=$((tries - 1))
            sleep 0.01
        done
        all=$groups
        groups="${groups#* } ${groups%% *}"
        each_group payload remove_group
        each_group monitor remove_group
        groups=$all
        break
    done
    [ ! -x "$folder/network" ] || "$folder/network" down
} 2>/dev/null

first_child() { # of a process, into the variable named; fails if it has none
    # The kernel's list ends without a newline, so read finds it and fails all the same.
    read -r "$2" _ <"/proc/$1/task/$1/children" || eval "[ -n \"\$$2\" ]"
}

terminate() { # TERM for every process of the app, once; fails while there is none yet
    init= supervisor= main= ours= its=
    first_child "$lxc" init && first_child "$init" supervisor || return
    first_child "$supervisor" main || return
    # A shell that has forked, but not yet executed the app, would lose the signal.
    read -r ours <"/proc/$supervisor/cmdline"
    read -r its <"/proc/$main/cmdline"
    [ "$its" != "$ours" ] || return
    kill -TERM "$supervisor"
    if [ -n "$main_only" ]; then
        kill -TERM "$main"
        return
    fi
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

explain() { # what the app's log would not tell
    while read -r key count; do
        [ "$key" != oom_kill ] || [ "$count" = 0 ] || echo "vrun: out of memory: the kernel killed" \
            "$count process(es) of $name, which may use $memory." >&2
    done <"$folder/oom"
    while IFS= read -r line; do
        case $line in
        *"/pids.max"*) ;; # LXC's init says so at each TERM; it does no harm
        *) echo "vrun: LXC: $line" >&2 ;;
        esac
    done <"$folder/lxc.log"
}

[ -e "$yaml" ] || { echo "error: $yaml does not exist." >&2; exit 1; }
exec 9<"$yaml" 8<"$folder"
lock 9 "$yaml"
lock 8 "$folder"
sweep
: >"$folder/oom"
: >"$folder/lxc.log"

lxc= stop= signalled= code=143
trap 'stop=1 signalled=1' TERM INT
for signal in HUP QUIT USR1 USR2; do trap "forward $signal" "$signal"; done

# Neither the container nor its monitor may hold the locks' descriptors. A shell would give a
# background job /dev/null as its input. It also ignores INT and QUIT in it, so that a Ctrl-C is
# for us alone; LXC's init undoes that for the app.
exec 3<&0
"$@" <&3 3<&- 8<&- 9<&- &
lxc=$!
exec 3<&-

while [ -z "$stop" ]; do
    signalled=
    # Asked in the same command: a signal that was handled just before it would be slept through.
    wait "${stop:-$lxc}" 2>/dev/null
    code=$?
    { [ -n "$signalled" ] && kill -0 "$lxc" 2>/dev/null; } || break
done

if [ -n "$stop" ]; then
    reached= killed=
    while kill -0 "$lxc" 2>/dev/null; do
        [ -n "$reached" ] || ! terminate || reached=1
        if [ "$ticks" -le 0 ]; then
            killed=1
            each_group payload kill_group 2>/dev/null
            [ "$ticks" -gt "-$ticks_per_second" ] || kill -KILL "$lxc" 2>/dev/null
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
explain
exit "$code"

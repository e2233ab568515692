#!/bin/bash
# PID 1 of one host of a fleet (support/fleet.py), in namespaces of its own: a root of its own with
# the machine's /usr, a private /etc, /apps and /opt/velociraptor that outlive it, and an sshd.
#   fleet_host.sh NAME FOLDER GROUP HOSTS-FILE
set -eu
name=$1 folder=$2 group=$3 hosts=$4
root=$folder/root

# LXC makes its cgroups below those of PID 1: these are the host's own.
for hierarchy in /sys/fs/cgroup/*/; do
    own=$hierarchy$group/$name
    mkdir -p "$own" 2>/dev/null || continue
    for path in "$hierarchy$group" "$own"; do
        if [ -f "$path/cpuset.cpus" ]; then
            cat "$hierarchy/cpuset.cpus" >"$path/cpuset.cpus"
            cat "$hierarchy/cpuset.mems" >"$path/cpuset.mems"
        fi
    done
    echo 0 >"$own/cgroup.procs"
done

hostname "$name"
mount -t tmpfs -o mode=755 tmpfs "$root"
cd "$root"
mkdir -p usr etc dev proc sys run/sshd var/log var/lib/lxc var/cache var/tmp tmp home apps \
    opt/velociraptor .etc/upper .etc/work .old
mkdir -m 700 -p root/.ssh
chmod 1777 tmp var/tmp
for link in bin sbin lib lib64; do ln -s "usr/$link" "$link"; done
mount --bind /usr usr
mount -o remount,bind,ro usr
mount -t overlay overlay -o "lowerdir=/etc,upperdir=$root/.etc/upper,workdir=$root/.etc/work" etc
mount --rbind /dev dev
mount --rbind /sys sys
mount -t proc proc proc
# Overlays of containers can't lie on an overlay, and what is deployed outlives the host's PID 1.
mount --bind "$folder/apps" apps
mount --bind "$folder/opt" opt/velociraptor
mkdir -p var/lib/dpkg
mount --bind /var/lib/dpkg var/lib/dpkg
mount -o remount,bind,ro var/lib/dpkg
cp "$folder/authorized_keys" root/.ssh/authorized_keys
cp "$folder/sshd_config" "$folder/ssh_host_key" run/sshd/
chmod 600 run/sshd/ssh_host_key
cp "$hosts" run/hosts
pivot_root . .old
cd /
umount -l /.old
rmdir /.old
cp /run/hosts /etc/hosts
echo "$name" >/etc/hostname

/usr/sbin/sshd -D -e -f /run/sshd/sshd_config 2>>/var/log/sshd.log &
# There is no systemd here; a host that was prepared starts its Supervisor at boot all the same.
[ ! -x /opt/velociraptor/start ] || /opt/velociraptor/start >>/var/log/velociraptor.log 2>&1 &
trap : TERM
while :; do wait || :; sleep 1; done

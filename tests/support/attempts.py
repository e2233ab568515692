"""Run inside a container: tries to get out, or at what is not its own; prints what worked.

Its arguments are facts about the host as name=value. Prints a JSON object: attempt to "refused",
or to what it got. It is a script, and imports nothing of ours.
"""

import ctypes
import errno
import json
import os
import platform
import resource
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

HOST = dict(argument.split("=", 1) for argument in sys.argv[1:])
libc = ctypes.CDLL(None, use_errno=True)
NUMBERS = {
    "x86_64": {"bpf": 321, "keyctl": 250, "perf_event_open": 298, "userfaultfd": 323,
               "kexec_load": 246, "finit_module": 313, "pivot_root": 155, "open_tree": 428,
               "fsopen": 430, "io_uring_setup": 425},
    "aarch64": {"bpf": 280, "keyctl": 219, "perf_event_open": 241, "userfaultfd": 282,
                "kexec_load": 104, "finit_module": 273, "pivot_root": 41, "open_tree": 428,
                "fsopen": 430, "io_uring_setup": 425},
}[platform.machine()]  # fmt: skip
NEWNS, NEWUSER, NEWNET = 0x20000, 0x10000000, 0x40000000


def call(function, *arguments):
    ctypes.set_errno(0)
    result = getattr(libc, function)(*arguments)
    if result == -1:
        raise OSError(ctypes.get_errno(), function)
    return result


def syscall(name, *arguments):
    return call("syscall", NUMBERS[name], *arguments)


def write(path, text="1"):
    with Path(path).open("r+") as file:
        file.write(text)


def as_child(action):
    """In a process of its own, for what changes the process."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.write(writer, str(action() or "done").encode())
        except BaseException as error:
            os.write(writer, f"!{error}".encode())
        os._exit(0)
    os.close(writer)
    said = os.read(reader, 4096).decode()
    os.waitpid(pid, 0)
    if said.startswith("!") or not said:
        raise OSError(errno.EPERM, said)
    return said


def stop_by_lxc():
    """Ask a neighbour's monitor to stop it, as lxc-stop does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as lxc:
        lxc.connect(f"\0{HOST['neighbour_folder']}/{HOST['neighbour']}/command")
        credentials = struct.pack("3i", os.getpid(), os.getuid(), os.getgid())
        request = struct.pack("iiP", 2, 0, 0)
        lxc.sendmsg([request], [(socket.SOL_SOCKET, socket.SCM_CREDENTIALS, credentials)])
        lxc.settimeout(2)
        answer = lxc.recv(64)
        if not answer or struct.unpack("i", answer[:4])[0] < 0:
            raise PermissionError(errno.EPERM, "message denied")


def find_secret():
    """Anywhere that a file called like those which hold one could be read."""
    secret = HOST["terces"][::-1].encode()  # or it would stand in this process's own cmdline
    holders = ("environ", "cmdline", "settings.yaml", "proc.sh", "proc.yaml", "setup.json")
    for base in ("/proc", HOST["neighbour_folder"], "/run", "/var", "/tmp", "/dev/shm"):
        for folder, _folders, files in os.walk(base):
            for name in set(files) & set(holders) if folder.count("/") < 5 else ():
                try:
                    if secret in Path(folder, name).read_bytes():
                        return f"{folder}/{name}"
                except OSError:
                    continue
    raise FileNotFoundError(errno.ENOENT, "nowhere")


def root_by_su():
    done = subprocess.run(["su", "-c", "id -u"], capture_output=True, text=True)
    if done.stdout.strip() != "0":
        raise PermissionError(errno.EPERM, done.stderr)


def root_by_own_file():
    """A setuid file from one's own build: a shell that says who it is."""
    done = subprocess.run(["/app/suid", "-p", "-c", "id -u"], capture_output=True, text=True)
    if done.stdout.strip() != "0":
        raise PermissionError(errno.EPERM, done.stderr)


def host_root_by_handle():
    """The way out that is called shocker: the root of a file system by its well-known inode."""

    class Handle(ctypes.Structure):
        _fields_ = [("size", ctypes.c_uint), ("kind", ctypes.c_int), ("bytes", ctypes.c_char * 8)]

    handle = Handle(8, 1, struct.pack("Q", 2))
    descriptor = os.open("/etc/hosts", os.O_RDONLY)
    return call("open_by_handle_at", descriptor, ctypes.byref(handle), os.O_RDONLY)


def see_host_process():
    os.kill(int(HOST["pid"]), 0)


EVERYBODY = {
    "mount a tmpfs": lambda: call("mount", b"t", b"/tmp", b"tmpfs", 0, None),
    "mount another proc": lambda: call("mount", b"p", b"/tmp", b"proc", 0, None),
    "mount the cgroups": lambda: call("mount", b"c", b"/tmp", b"cgroup", 0, b"memory"),
    "remount the root writable": lambda: call("mount", None, b"/", None, 0x20, None),
    "make /proc/sys writable": lambda: call("mount", None, b"/proc/sys", None, 0x1020, None),
    "unmount /proc/sys": lambda: call("umount2", b"/proc/sys", 2),
    "change the root": lambda: syscall("pivot_root", b"/", b"/tmp"),
    "the new mount calls": lambda: syscall("fsopen", b"tmpfs", 0),
    "clone a mount": lambda: syscall("open_tree", -100, b"/", 1),
    "make a disk's node": lambda: os.mknod("/tmp/sda", 0o60666, os.makedev(8, 0)),
    "make memory's node": lambda: os.mknod("/tmp/mem", 0o20666, os.makedev(1, 1)),
    "open a disk": lambda: os.open(f"/dev/{HOST['disk']}", os.O_RDONLY),
    "read kernel memory": lambda: os.open("/proc/kcore", os.O_RDONLY),
    "set the core pattern": lambda: write("/proc/sys/kernel/core_pattern", "|/tmp/x"),
    "set forwarding": lambda: write("/proc/sys/net/ipv4/ip_forward"),
    "press sysrq": lambda: write("/proc/sysrq-trigger", "h"),
    "set huge pages": lambda: write("/sys/kernel/mm/transparent_hugepage/enabled", "never"),
    "set a hotplug helper": lambda: write("/sys/kernel/uevent_helper", "/tmp/x"),
    "raise the own memory limit": lambda: write(
        "/sys/fs/cgroup/memory/memory.limit_in_bytes", "-1"
    ),
    "a user namespace": lambda: as_child(lambda: call("unshare", NEWUSER)),
    "a mount namespace": lambda: as_child(lambda: call("unshare", NEWNS)),
    "a network namespace": lambda: as_child(lambda: call("unshare", NEWNET)),
    "enter init's namespace": lambda: call("setns", os.open("/proc/1/ns/net", os.O_RDONLY), 0),
    "load a module": lambda: syscall("finit_module", 0, b"", 0),
    "load a kernel": lambda: syscall("kexec_load", 0, 0, None, 0),
    "reboot": lambda: call("reboot", 0x01234567),
    "swap": lambda: call("swapon", b"/tmp/x", 0),
    "account processes": lambda: call("acct", b"/tmp/x"),
    "set the clock": lambda: time.clock_settime(time.CLOCK_REALTIME, time.time()),
    "name the host": lambda: socket.sethostname("pwned"),
    "load a BPF program": lambda: syscall("bpf", 0, None, 0),
    "reach the keyrings": lambda: syscall("keyctl", 0, -3, 0),
    "count the CPU's events": lambda: syscall("perf_event_open", None, 0, -1, -1, 0),
    "handle page faults": lambda: syscall("userfaultfd", 0),
    "io_uring": lambda: syscall("io_uring_setup", 1, None),
    "open by handle": host_root_by_handle,
    "a raw socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1),
    "a packet socket": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 768),
    "signal a host's process": see_host_process,
    "trace init": lambda: call("ptrace", 16, 1, None, None),
    "kernel's log": lambda: call("klogctl", 3, ctypes.create_string_buffer(64), 64),
    "be more important": lambda: os.setpriority(os.PRIO_PROCESS, 0, -10),
    "never be killed for memory": lambda: write("/proc/self/oom_score_adj", "-1000"),
    "a neighbour's secret": find_secret,
    "the host's shadow": lambda: Path(HOST["root_file"]).read_text(),
    "write a system file": lambda: as_child(lambda: write("/proc.sh", "#")),
    "stop a neighbour by LXC": stop_by_lxc,
}
APP_ONLY = {
    "become root": lambda: as_child(lambda: os.setuid(0)),
    "join root's group": lambda: as_child(lambda: os.setgroups([0])),
    "become root by su": root_by_su,
    "become root by a setuid file of one's own": root_by_own_file,
    "change the root folder": lambda: as_child(lambda: os.chroot("/tmp")),
    "a low port": lambda: socket.create_server(("127.0.0.1", 79)),
    "the image's passwords": lambda: Path("/etc/shadow").read_text(),
    "write the image": lambda: Path("/usr/bin/new").touch(),
    "write /etc": lambda: Path("/etc/new").touch(),
    "init's environment": lambda: Path("/proc/1/environ").read_text(),
    "init's descriptors": lambda: list(Path("/proc/1/fd").iterdir()),
    "more descriptors than allowed": lambda: resource.setrlimit(
        resource.RLIMIT_NOFILE, (4096, 4096)
    ),
}


def outcome(attempt):
    try:
        return str(attempt() or "done")
    except (OSError, ValueError):
        return "refused"


print(
    json.dumps(
        {
            name: outcome(attempt)
            for name, attempt in (EVERYBODY | (APP_ONLY if os.getuid() else {})).items()
        }
    )
)

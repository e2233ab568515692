#!/usr/bin/env bash
# Makes a Debian or Ubuntu base image one in which Python and Node apps are built and run.
#
# Runs as root in a container of the base image (`vimage build`). Packages come from the apt
# configuration that the base image brings along.
set -euo pipefail

export DEBIAN_FRONTEND=noninteractive

# The image is packed afterwards or thrown away: no need to wait for the disk after each package.
echo force-unsafe-io >/etc/dpkg/dpkg.cfg.d/velociraptor
# Nobody reads manuals in a container; licences are kept.
cat >>/etc/dpkg/dpkg.cfg.d/velociraptor <<'PATHS'
path-exclude=/usr/share/doc/*
path-include=/usr/share/doc/*/copyright
path-exclude=/usr/share/man/*
path-exclude=/usr/share/info/*
path-exclude=/usr/share/locale/*
path-exclude=/usr/share/lintian/*
PATHS

packages=(
    # what buildpacks call (buildpacks.md, section 12)
    bash bzip2 ca-certificates curl file git jq mercurial procps unzip xz-utils zstd
    # Python, and what its native extensions are compiled with
    build-essential libffi-dev libpq-dev libssl-dev pkg-config
    python3 python3-dev python3-pip python3-venv
    # Node
    nodejs npm
)

echo "-----> Reading package lists"
apt-get -q update
echo "-----> Installing ${#packages[@]} packages and what they need"
apt-get -q -y -o Dpkg::Use-Pty=0 install --no-install-recommends "${packages[@]}"

# Locale data is not generated: C.UTF-8 is part of the C library.
echo "LANG=C.UTF-8" >/etc/default/locale

echo "-----> Removing what only the installation needed"
apt-get -q clean
rm -rf /var/lib/apt/lists/* /var/cache/debconf/*-old /var/lib/dpkg/*-old
find /var/log -type f -delete
rm -f /etc/dpkg/dpkg.cfg.d/velociraptor

echo "-----> This stack has:"
python3 --version
python3 -m pip --version
node --version
npm --version
gcc --version | head -n 1

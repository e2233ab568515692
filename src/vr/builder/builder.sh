#!/bin/bash
# /builder.sh BUILD_DIR CACHE_DIR
#
# Runs a buildpack on an app, as the build user in the build's container. By hand, in a
# `vbuild shell`: /builder.sh /build/* /cache/buildpack_cache
#
# Reads   BUILDPACK_DIR   the one buildpack to use, without asking its bin/detect; or
#         BUILDPACK_DIRS  several, with ':' between: the first whose bin/detect agrees is used.
# Leaves  /result/stage          how far it came: detect, compile, release, done
#         /result/buildpack      the folder of the buildpack that was used
#         /result/release.yaml   what its bin/release said
set -u
umask 022

build_dir=$1
cache_dir=$2
env_dir=/env
chosen=${BUILDPACK_DIR:-}
candidates=${BUILDPACK_DIRS:-}
unset BUILDPACK_DIR BUILDPACK_DIRS

reach() { echo "$1" >/result/stage; }

# Prints the first line of what the buildpack calls the app; fails if it does not apply.
detect() {
    local said
    said=$("$1/bin/detect" "$build_dir") || return 1
    echo "-----> ${said%%$'\n'*} app detected"
}

reach detect
if [ -z "$chosen" ]; then
    IFS=: read -r -a folders <<<"$candidates"
    for folder in "${folders[@]}"; do
        if detect "$folder"; then
            chosen=$folder
            break
        fi
    done
    [ -n "$chosen" ] || exit 1
fi
echo "$chosen" >/result/buildpack

# Each candidate has its own cache from the last build; the chosen one's becomes the cache.
kept=/cache/${chosen##*/}
[ ! -d "$kept" ] || [ -e "$cache_dir" ] || mv "$kept" "$cache_dir"
mkdir -p "$cache_dir"

reach compile
cd "$build_dir" || exit 1
"$chosen/bin/compile" "$build_dir" "$cache_dir" "$env_dir" || exit

reach release
if [ -e "$chosen/bin/release" ]; then
    "$chosen/bin/release" "$build_dir" >/result/release.yaml || exit
fi
reach done

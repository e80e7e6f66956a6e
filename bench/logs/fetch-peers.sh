#!/bin/sh
# Unpacks mtail and rsyslog from Debian's packages for the benchmark, without installing them: no daemon is started,
# nothing needs root.
set -eu
target="$(cd "$(dirname "$0")/../.." && pwd)/.cache/bench-peers"
mkdir -p "$target/packages"
cd "$target/packages"
apt-get download mtail rsyslog libestr0 libfastjson4 liblognorm5
for package in *.deb; do dpkg -x "$package" "$target"; done
echo "Unpacked to $target"

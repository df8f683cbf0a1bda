#!/bin/bash
# Builds MicroPython 1.25 for this machine with TLS, as the firmware has it on a board with a network:
#     build_tls_micropython.sh CACHE
# makes CACHE/micropython: the unix port's standard variant, tls and ssl on mbedtls 3.6, viper, asyncio frozen. All of it
# comes from Debian 13's sources. mbedtls is compiled along in MicroPython's own configuration: Debian's library is
# configured otherwise, and asks for Debian 13's libc. Left out are ffi and btree, which need more. What was fetched
# stays in CACHE (0.2 GB), and one that is up to date is left alone.
set -euo pipefail

rig=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
cache=$(cd "$1" && pwd)
sources=$cache/sources
log=$cache/log
jobs=$(nproc 2>/dev/null || echo 2)
. "$rig/debian_sources.sh"

fingerprint() {
    sha256sum "$rig/build_tls_micropython.sh" "$rig/debian_sources.sh" | cut -d' ' -f1 | sha256sum | cut -d' ' -f1
}

check_machine() {
    local tool missing=""
    for tool in make gcc python3 xz bzip2; do
        command -v "$tool" >/dev/null || missing="$missing $tool"
    done
    [ -z "$missing" ] ||
        fail "To build MicroPython with TLS,$missing must be here: apt install make gcc python3 xz-utils bzip2"
}

fetch_sources() {
    local mirror unreachable
    mirror=$(debian_mirror)
    [ -n "$mirror" ] ||
        fail "MicroPython with TLS is built from Debian's sources, and this machine's apt knows no Debian mirror."
    unreachable="Debian's packages cannot be reached from here: connect this machine to its network, then run make tls again ($log has the details)."
    say "fetching the sources of MicroPython and of mbedtls (12 MB) ..."
    open_debian "$cache/apt" "$mirror" "deb-src trixie" || fail "$unreachable"
    download_sources micropython mbedtls || fail "$unreachable"
    rm -rf "$sources.new" "$sources"
    unpack_source "$sources.new" micropython
    unpack_source "$sources.new" mbedtls '*/include' '*/library'
    rmdir "$sources.new/micropython/lib/mbedtls" 2>/dev/null || true
    mv "$sources.new/mbedtls" "$sources.new/micropython/lib/mbedtls"
    do_without_micropython_lib "$sources.new/micropython"
    mv "$sources.new" "$sources"
    close_debian
}

# Python's name for TLS, over the module in C: in MicroPython it is a part of micropython-lib, which is in no package.
write_frozen() {
    mkdir -p "$cache/frozen"
    cat >"$cache/frozen/ssl.py" <<'PYTHON'
"""What a client needs of Python's ssl, over tls. A certificate is required unless verify_mode is set otherwise."""

import tls
from tls import CERT_NONE, CERT_OPTIONAL, CERT_REQUIRED, PROTOCOL_TLS_CLIENT, PROTOCOL_TLS_SERVER


class SSLContext:
    def __init__(self, protocol):
        self._tls = tls.SSLContext(protocol)

    @property
    def verify_mode(self):
        return self._tls.verify_mode

    @verify_mode.setter
    def verify_mode(self, mode):
        self._tls.verify_mode = mode

    def load_verify_locations(self, cafile=None, cadata=None):
        if cafile is not None:
            with open(cafile, "rb") as file:
                cadata = file.read()
        self._tls.load_verify_locations(cadata)

    def wrap_socket(self, sock, **options):
        return self._tls.wrap_socket(sock, **options)
PYTHON
    printf '%s\n' 'include("$(MPY_DIR)/extmod/asyncio")' "module(\"ssl.py\", base_path=\"$cache/frozen\")" \
        >"$cache/frozen/manifest.py"
}

# A compiler that is newer than MicroPython may warn of more: its warnings are no errors here.
build() {
    local micropython=$sources/micropython broken="MicroPython with TLS could not be built ($log has the details)."
    say "building MicroPython with TLS (a minute) ..."
    export_version
    write_frozen
    quietly make -C "$micropython/mpy-cross" -j"$jobs" CWARN= || fail "$broken"
    quietly make -C "$micropython/ports/unix" -j"$jobs" CWARN= VARIANT=standard MICROPY_PY_FFI=0 MICROPY_PY_BTREE=0 \
        FROZEN_MANIFEST="$cache/frozen/manifest.py" || fail "$broken"
    cp "$micropython/ports/unix/build-standard/micropython" "$cache/micropython.new"
    "$cache/micropython.new" -c 'import asyncio, ssl, sys; sys.exit(sys.implementation._mpy >> 10 == 0)' || fail "$broken"
    mv "$cache/micropython.new" "$cache/micropython"
}

exec 9>"$cache/lock"
flock 9  # two builds at a time would be in each other's way
print=$(fingerprint)
if [ -x "$cache/micropython" ] && [ "$(cat "$cache/fingerprint" 2>/dev/null)" = "$print" ]; then
    exit 0
fi
: >"$log"
check_machine
[ -d "$sources" ] || fetch_sources
build
echo "$print" >"$cache/fingerprint"
say "MicroPython with TLS is $cache/micropython"

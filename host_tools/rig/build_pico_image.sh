#!/bin/bash
# Builds MicroPython 1.25 for the Raspberry Pi Pico with the firmware frozen in, from Debian's packages alone:
#     build_pico_image.sh CACHE BOARD
# makes CACHE/BOARD.uf2, the image, and CACHE/BOARD.symbols, where its functions are. The sources are Debian 13's; the
# compiler is the one on PATH, else this Debian's own package, unpacked under CACHE. Nothing is installed; signatures are
# checked with the machine's own Debian keyring. What was fetched stays in CACHE, unpacked (0.5 GB): after a change of
# the firmware an image takes a third of a minute. One that is up to date is left alone.
set -euo pipefail

repository=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "$1"
cache=$(cd "$1" && pwd)
board=$2
manifest=$repository/boards/$board/manifest.py
log=$cache/log
jobs=$(nproc 2>/dev/null || echo 2)

say() { echo "star57: $*"; }
fail() { echo "star57: $*" >&2; exit 1; }
quietly() { "$@" >>"$log" 2>&1; }

# The compiler's packages, and what to leave out of them: libraries for other cores than the RP2040's (ARMv6-M).
compiler_packages=(gcc-arm-none-eabi binutils-arm-none-eabi libnewlib-arm-none-eabi libnewlib-dev
    libstdc++-arm-none-eabi-newlib libstdc++-arm-none-eabi-dev)
left_out=(--exclude='*/arm-none-eabi/*/arm' --exclude='*/arm-none-eabi/*/thumb/v[78]*'
    --exclude='*/arm-none-eabi/*/thumb/nofp' --exclude='./usr/share/*')

fingerprint() {
    (cd "$repository" && find firmware/star57 "boards/$board" host_tools/rig/build_pico_image.sh -type f \
        -not -name '*.pyc' -print0 | sort -z | xargs -0 sha256sum) | sha256sum | cut -d' ' -f1
}

check_machine() {
    local tool missing=""
    for tool in cmake make gcc g++ python3 xz; do
        command -v "$tool" >/dev/null || missing="$missing $tool"
    done
    [ -z "$missing" ] || fail "To build the image,$missing must be here: apt install cmake make g++ python3 xz-utils"
}

# A private apt configuration: Debian 13 for the sources, this machine's own release for the compiler.
configure_apt() {
    local no_debian="The image is built from Debian's packages, and this machine's apt knows no Debian mirror."
    command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || fail "$no_debian"
    mirror=$(apt-get indextargets --format '$(REPO_URI) $(ORIGIN) $(COMPONENT)' 'Created-By: Packages' |
        awk '$2 == "Debian" && $3 == "main" { print $1; exit }')
    [ -n "$mirror" ] || fail "$no_debian"
    release=$(. /etc/os-release && echo "${VERSION_CODENAME:-trixie}")
    apt=$cache/apt
    rm -rf "$apt"
    mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/packages"
    local from="[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror"
    echo "deb-src $from trixie main" >"$apt/sources.list"
    for suite in $(printf '%s\n' trixie "$release" | sort -u); do
        echo "deb $from $suite main" >>"$apt/sources.list"
    done
    cat >"$apt/apt.conf" <<CONF
Dir::State::Lists "$apt/lists";
Dir::State::status "/dev/null";
Dir::Cache "$apt/cache";
Dir::Etc::SourceList "$apt/sources.list";
Dir::Etc::SourceParts "/dev/null";
APT::Sandbox::User "";
Acquire::Languages "none";
Acquire::Retries "3";
CONF
    export APT_CONFIG=$apt/apt.conf
    unreachable="Debian's packages cannot be reached from here: connect this machine to its network, then run make image again ($log has the details)."
    quietly apt-get update -qq || fail "$unreachable"
}

fetch_sources() {
    say "fetching the sources of MicroPython and of the Pico's SDK ..."
    (cd "$apt/packages" && quietly apt-get source -qq --download-only micropython/trixie &&
        quietly apt-get download -qq pico-sdk-source/trixie tinyusb-source/trixie) || fail "$unreachable"
    rm -rf "$cache/sources.new" "$cache/sources"
    mkdir "$cache/sources.new"
    tar -C "$cache/sources.new" -xf "$apt"/packages/micropython_*.orig.tar.xz
    mv "$cache"/sources.new/micropython-* "$cache/sources.new/micropython"
    local package
    for package in "$apt"/packages/*-source_*.deb; do
        dpkg-deb -x "$package" "$cache/sources.new"
    done
    rm "$apt"/packages/*
    mv "$cache/sources.new" "$cache/sources"
}

# Done once, and again when what is written here has changed: may be done over itself.
mend_sources() {
    local mended
    mended=$(declare -f mend_sources | sha256sum)
    [ "$(cat "$cache/sources/mended" 2>/dev/null)" = "$mended" ] && return
    local micropython=$cache/sources/micropython
    local port=$micropython/ports/rp2
    rmdir "$micropython/lib/tinyusb" 2>/dev/null || true
    ln -sfn ../../usr/src/tinyusb "$micropython/lib/tinyusb"
    # Nothing of micropython-lib is used, but the build asks for it.
    mkdir -p "$micropython/lib/micropython-lib"
    touch "$micropython/lib/micropython-lib/README.md"
    # A Pico has no network, and Debian's source no mbedtls: without TLS and what stands on it. hashlib.sha256 stays.
    sed -i -e 's/^set(MICROPY_SSL_MBEDTLS ON)/set(MICROPY_SSL_MBEDTLS OFF)/' \
        -e '/^target_link_libraries(${MICROPY_TARGET} micropy_lib_mbedtls)/d' \
        -e '/mbedtls\/mbedtls_port.c/d' -e '/GIT_SUBMODULES lib\/mbedtls/d' "$port/CMakeLists.txt"
    sed -i -E 's/^(#define (MICROPY_SSL_MBEDTLS|MICROPY_PY_CRYPTOLIB|MICROPY_PY_HASHLIB_SHA1)) .*/\1 (0)/' \
        "$port/mpconfigport.h"
    # Frozen viper code reads its greater constants by words: 1.25 aligns it for half-words, and they are read wrongly.
    sed -i 's/aligned (2)/aligned (4)/' "$micropython/tools/mpy-tool.py"
    rm -f "$cache"/build-*/frozen_content.c
    echo "$mended" >"$cache/sources/mended"
}

fetch_compiler() {
    say "fetching the compiler (400 MB, once) ..."
    (cd "$apt/packages" && quietly apt-get download -qq "${compiler_packages[@]/%//$release}") || fail "$unreachable"
    rm -rf "$cache/compiler.new" "$cache/compiler"
    mkdir "$cache/compiler.new"
    local package
    for package in "$apt"/packages/*.deb; do
        dpkg-deb --fsys-tarfile "$package" | tar -x -C "$cache/compiler.new" --wildcards "${left_out[@]}"
    done
    rm "$apt"/packages/*
    # What update-alternatives makes when the packages are installed.
    ln -sfn ../../include/newlib "$cache/compiler.new/usr/lib/arm-none-eabi/include"
    ln -sfn newlib "$cache/compiler.new/usr/lib/arm-none-eabi/lib"
    mv "$cache/compiler.new" "$cache/compiler"
}

build() {
    local python=$cache/sources/micropython build=$cache/build-$board
    say "building the image of $board ..."
    mend_sources
    export SOURCE_DATE_EPOCH=1735689600 MICROPY_MPYCROSS=$python/mpy-cross/build/mpy-cross
    local broken="The image could not be built ($log has the details)."
    quietly make -C "$python/mpy-cross" -j"$jobs" USER_C_MODULES= || fail "$broken"
    quietly cmake -S "$python/ports/rp2" -B "$build" -G "Unix Makefiles" -DPICO_NO_PICOTOOL=1 -DPICO_BUILD_DOCS=0 \
        -DPICO_SDK_PATH_OVERRIDE="$cache/sources/usr/src/pico-sdk" -DMICROPY_BOARD=RPI_PICO \
        -DMICROPY_FROZEN_MANIFEST="$manifest" || fail "$broken"
    quietly make -C "$build" -j"$jobs" || fail "$broken"
    # 0xe48bff56: the RP2040's family in UF2.
    quietly python3 "$python/tools/uf2conv.py" -c -b 0x10000000 -f 0xe48bff56 -o "$cache/$board.uf2.new" \
        "$build/firmware.bin" || fail "$broken"
    arm-none-eabi-nm --numeric-sort "$build/firmware.elf" >"$cache/$board.symbols"
    mv "$cache/$board.uf2.new" "$cache/$board.uf2"
}

[ -f "$manifest" ] || fail "There is no board $board; there is $(cd "$repository/boards" && echo */manifest.py |
    sed -e 's,/manifest.py,,g' -e 's/ /, /g')."
print=$(fingerprint)
if [ -f "$cache/$board.uf2" ] && [ "$(cat "$cache/$board.fingerprint" 2>/dev/null)" = "$print" ]; then
    exit 0
fi
: >"$log"
check_machine
own_compiler=$(command -v arm-none-eabi-gcc || true)
if [ ! -d "$cache/sources" ] || { [ -z "$own_compiler" ] && [ ! -d "$cache/compiler" ]; }; then
    configure_apt
    [ -d "$cache/sources" ] || fetch_sources
    [ -n "$own_compiler" ] || [ -d "$cache/compiler" ] || fetch_compiler
    rm -rf "$apt"
fi
[ -n "$own_compiler" ] || export PATH="$cache/compiler/usr/bin:$PATH"
build
echo "$print" >"$cache/$board.fingerprint"
say "the image is $cache/$board.uf2"

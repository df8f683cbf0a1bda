#!/bin/bash
# Builds MicroPython 1.25 for an RP2040 board with the firmware frozen in, from Debian's packages alone:
#     LANGUAGES="en-US" build_pico_image.sh CACHE BOARD
# makes CACHE/BOARD.uf2, the image with the prompt packs of those languages behind the firmware, CACHE/BOARD.json, which
# tells what it is, and CACHE/BOARD.symbols, where its functions are. For a board with two firmware slots
# (docs/slots.md) the same objects are linked for either, CACHE/BOARD.a.bin and CACHE/BOARD.b.bin, and the boot selector
# is built. The sources are Debian 13's; the compiler is the one on PATH, else this Debian's own package, unpacked under
# CACHE. Nothing is installed; signatures are checked with the machine's own Debian keyring. What was fetched stays in
# CACHE, unpacked (0.5 GB): the first image of a board takes most of a minute, one after a change of the firmware some
# seconds. One that is up to date is left alone.
set -euo pipefail

repository=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "$1"
cache=$(cd "$1" && pwd)
board=$2
folder=$repository/boards/$board
read -ra languages <<<"${LANGUAGES:-en-US}"
log=$cache/log
jobs=$(nproc 2>/dev/null || echo 2)
. "$repository/host_tools/rig/debian_sources.sh"

# The compiler's packages, and what to leave out of them: libraries for other cores than the RP2040's (ARMv6-M).
compiler_packages=(gcc-arm-none-eabi binutils-arm-none-eabi libnewlib-arm-none-eabi libnewlib-dev
    libstdc++-arm-none-eabi-newlib libstdc++-arm-none-eabi-dev)
left_out=(--exclude='*/arm-none-eabi/*/arm' --exclude='*/arm-none-eabi/*/thumb/v[78]*'
    --exclude='*/arm-none-eabi/*/thumb/nofp' --exclude='./usr/share/*')

version() { sed -n 's/^version = "\(.*\)"/\1/p' "$repository/pyproject.toml"; }

# Of the work tree that the image is built from: its commit, with a + when what goes in was changed after it.
commit() {
    local here=(git -C "$repository") top hash changes
    top=$("${here[@]}" rev-parse --show-toplevel 2>/dev/null) && [ "$top" = "$(cd "$repository" && pwd -P)" ] &&
        hash=$("${here[@]}" rev-parse --short=10 HEAD 2>/dev/null) || { echo unknown; return; }
    changes=$("${here[@]}" status --porcelain -- firmware boards)
    echo "$hash${changes:++}"
}

fingerprint() {
    {
        (cd "$repository" && find firmware "boards/$board" boards/rp2040 boards/rp2040_manifest.py \
            host_tools/rig/build_pico_image.sh host_tools/rig/debian_sources.sh host_tools/rig/flash_image.py \
            host_tools/rig/image_facts.py \
            -type f -not -name '*.pyc' -print0 |
            sort -z | xargs -0 sha256sum)
        echo "$version $commit ${languages[*]}"
    } | sha256sum | cut -d' ' -f1
}

check_machine() {
    local tool missing=""
    for tool in cmake make gcc g++ python3 xz; do
        command -v "$tool" >/dev/null || missing="$missing $tool"
    done
    [ -z "$missing" ] || fail "To build the image,$missing must be here: apt install cmake make g++ python3 xz-utils"
}

# Debian 13 for the sources, this machine's own release for the compiler.
find_packages() {
    local mirror suites=("deb-src trixie" "deb trixie")
    mirror=$(debian_mirror)
    [ -n "$mirror" ] ||
        fail "The image is built from Debian's packages, and this machine's apt knows no Debian mirror."
    release=$(. /etc/os-release && echo "${VERSION_CODENAME:-trixie}")
    [ "$release" = trixie ] || suites+=("deb $release")
    unreachable="Debian's packages cannot be reached from here: connect this machine to its network, then run make image again ($log has the details)."
    open_debian "$cache/apt" "$mirror" "${suites[@]}" || fail "$unreachable"
}

fetch_sources() {
    say "fetching the sources of MicroPython and of the Pico's SDK ..."
    download_sources micropython || fail "$unreachable"
    download_packages pico-sdk-source/trixie tinyusb-source/trixie || fail "$unreachable"
    rm -rf "$cache/sources.new" "$cache/sources"
    unpack_source "$cache/sources.new" micropython
    local package
    for package in "$packages"/*-source_*.deb; do
        dpkg-deb -x "$package" "$cache/sources.new"
    done
    rm "$packages"/*
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
    do_without_micropython_lib "$micropython"
    # A Pico has no network, and Debian's source no mbedtls: without TLS and what stands on it. hashlib.sha256 stays.
    sed -i -e 's/^set(MICROPY_SSL_MBEDTLS ON)/set(MICROPY_SSL_MBEDTLS OFF)/' \
        -e '/^target_link_libraries(${MICROPY_TARGET} micropy_lib_mbedtls)/d' \
        -e '/mbedtls\/mbedtls_port.c/d' -e '/GIT_SUBMODULES lib\/mbedtls/d' "$port/CMakeLists.txt"
    sed -i -E 's/^(#define (MICROPY_SSL_MBEDTLS|MICROPY_PY_CRYPTOLIB|MICROPY_PY_HASHLIB_SHA1)) .*/\1 (0)/' \
        "$port/mpconfigport.h"
    # What no board has or asks for, which a firmware slot has no room for.
    sed -i -E 's/^(#define MICROPY_(VFS_FAT|PY_ONEWIRE|PY_MACHINE_(BITSTREAM|DHT_READINTO|PULSE))) .*/\1 (0)/' \
        "$port/mpconfigport.h"
    local feature
    for feature in FRAMEBUF CMATH MATH_SPECIAL_FUNCTIONS; do
        sed -i -e "/^#define MICROPY_PY_$feature /d" \
            -e "/^#define MICROPY_PY_ONEWIRE/a #define MICROPY_PY_$feature (0)" "$port/mpconfigport.h"
    done
    # Frozen viper code reads its greater constants by words: 1.25 aligns it for half-words, and they are read wrongly.
    sed -i 's/aligned (2)/aligned (4)/' "$micropython/tools/mpy-tool.py"
    # A host that has opened the USB port and does not read may hold up what is written to it, and so the audio, for 10 ms
    # and no longer.
    sed -i 's/^\(#define MICROPY_HW_USB_CDC_TX_TIMEOUT\) .*/\1 (10)/' "$port/mphalport.h"
    rm -f "$cache"/build-*/frozen_content.c
    echo "$mended" >"$cache/sources/mended"
}

fetch_compiler() {
    say "fetching the compiler (400 MB, once) ..."
    download_packages "${compiler_packages[@]/%//$release}" || fail "$unreachable"
    rm -rf "$cache/compiler.new" "$cache/compiler"
    mkdir "$cache/compiler.new"
    local package
    for package in "$packages"/*.deb; do
        dpkg-deb --fsys-tarfile "$package" | tar -x -C "$cache/compiler.new" --wildcards "${left_out[@]}"
    done
    rm "$packages"/*
    # What update-alternatives makes when the packages are installed.
    ln -sfn ../../include/newlib "$cache/compiler.new/usr/lib/arm-none-eabi/include"
    ln -sfn newlib "$cache/compiler.new/usr/lib/arm-none-eabi/lib"
    mv "$cache/compiler.new" "$cache/compiler"
}

# Python with what MicroPython's own tools know of manifests and of ROMFS.
run_tool() {
    local path=$repository:$micropython/tools:$micropython/tools/mpremote
    (cd "$repository" && PYTHONPATH=$path python3 -m "$@") || exit 1
}

# What the firmware tells of itself, and the manifest that freezes it beside all that the board's own manifest names.
write_facts() {
    run_tool host_tools.rig.image_facts --board "$folder" --micropython "$micropython" \
        --sources "$repository/firmware" "$repository/boards" --version "$version" --commit "$commit" "$1"
}

has_slots() { grep -q MICROPY_HW_SLOT_BYTES "$folder/mpconfigboard.h"; }

# Configures a build once, and from nothing when it would be configured otherwise now.
configure() {
    local source=$cache/sources/micropython/ports/rp2 print
    local options=(-G "Unix Makefiles" -DPICO_NO_PICOTOOL=1 -DPICO_BUILD_DOCS=0
        -DPICO_SDK_PATH_OVERRIDE="$cache/sources/usr/src/pico-sdk" -DMICROPY_BOARD="$board"
        -DMICROPY_BOARD_DIR="$folder" -DMICROPY_FROZEN_MANIFEST="$1/facts/manifest.py")
    ! has_slots || options+=(-DSTAR57_SLOTS=ON)
    print=$(echo "${options[@]}" "$CFLAGS" "$(cat "$folder/mpconfigboard.cmake" "$cache/sources/mended")" | sha256sum)
    if [ "$(cat "$1/configured" 2>/dev/null)" != "$print" ]; then
        rm -rf "$1"
        quietly cmake -S "$source" -B "$1" "${options[@]}" || return
        echo "$print" >"$1/configured"
    fi
    # Made anew, since MicroPython's build does not see that a module has gone.
    rm -rf "$1/frozen_content.c" "$1/frozen_mpy"
}

# The first sector: boot2, as the board's flash chip needs it, and the selector behind it.
build_selector() {
    local sdk=$cache/sources/usr/src/pico-sdk/src source=$repository/boards/rp2040/selector headers
    local options=(-mcpu=cortex-m0plus -mthumb -std=c11 -Os -ffreestanding -nostdlib -Wall -Wextra -Werror
        -ffunction-sections -Wl,--gc-sections -Wl,--build-id=none "-Wl,--script=$source/selector.ld"
        -DPICO_RP2040=1 "-I$folder" "-I$build/generated/pico_base")
    for headers in common/pico_base_headers rp2040/{pico_platform,hardware_regs,hardware_structs} \
        rp2_common/{hardware_base,pico_platform_{common,compiler,panic,sections}}; do
        options+=("-I$sdk/$headers/include")
    done
    quietly arm-none-eabi-gcc $CFLAGS "${options[@]}" "$source"/{selector,slots,crc_by_words}.c \
        "$build/pico-sdk/src/rp2040/boot_stage2/bs2_default_padded_checksummed.S" -o "$build/selector.elf" &&
        quietly arm-none-eabi-objcopy -O binary "$build/selector.elf" "$build/selector.bin"
}

# Links the firmware's objects again, for the address of a slot: link_slot a|b ADDRESS KB
link_slot() {
    local slot=slot_$1 script=$micropython/ports/rp2/memmap_mp_rp2040.ld
    sed "s/ORIGIN = 0x10000000, LENGTH = 2048k/ORIGIN = $2, LENGTH = $3k/" "$script" >"$build/$slot.ld"
    sed -e "s,--script=$script,--script=$build/$slot.ld," -e "s/firmware\.elf/$slot.elf/g" \
        "$build/CMakeFiles/firmware.dir/link.txt" >"$build/$slot.sh"
    (cd "$build" && quietly sh "$slot.sh") &&
        quietly arm-none-eabi-objcopy -O binary "$build/$slot.elf" "$build/$slot.bin"
}

link_slots() {
    local kb first
    kb=$(sed -n 's/^#define MICROPY_HW_SLOT_BYTES *(\([0-9]*\) \* 1024)$/\1/p' "$folder/mpconfigboard.h")
    first=$((0x10000000 + 12 * 1024))  # behind the selector and two sectors of records
    link_slot a "$(printf %#x "$first")" "$kb" && link_slot b "$(printf %#x "$((first + kb * 1024))")" "$kb"
}

build() {
    local micropython=$cache/sources/micropython build=$cache/build-$board elf=firmware
    local broken="The image could not be built ($log has the details)."
    say "building the image of $board ..."
    mend_sources
    # The same image on every machine and on every day: no date, and no folder in it.
    export_version
    export MICROPY_MPYCROSS=$micropython/mpy-cross/build/mpy-cross
    quietly make -C "$micropython/mpy-cross" -j"$jobs" USER_C_MODULES= || fail "$broken"
    export CFLAGS="-ffile-prefix-map=$cache=. -ffile-prefix-map=$repository=."
    export CXXFLAGS=$CFLAGS ASMFLAGS=$CFLAGS
    configure "$build" || fail "$broken"
    write_facts "$build/facts"
    quietly make -C "$build" -j"$jobs" || fail "$broken"
    local parts=(--firmware "$build/firmware.bin")
    if has_slots; then
        build_selector && link_slots || fail "$broken"
        parts=(--selector "$build/selector.bin" --firmware "$build/slot_a.bin" "$build/slot_b.bin")
        elf=slot_a
    fi
    run_tool host_tools.rig.flash_image "${parts[@]}" --board "$folder" --prompts firmware/prompts \
        --languages "${languages[@]}" --version "$version" --commit "$commit" "$build/$board.uf2"
    arm-none-eabi-nm --numeric-sort "$build/$elf.elf" >"$cache/$board.symbols"
    ! has_slots || mv "$build/$board.a.bin" "$build/$board.b.bin" "$cache"
    mv "$build/$board.json" "$build/$board.uf2" "$cache"
}

boards=$(cd "$repository/boards" && echo */mpconfigboard.cmake | sed -e 's,/mpconfigboard.cmake,,g' -e 's/ /, /g')
[ -f "$folder/mpconfigboard.cmake" ] || fail "There is no board $board; there is $boards."
exec 9>"$cache/lock"
flock 9  # two builds at a time would be in each other's way
version=$(version)
commit=$(commit)
print=$(fingerprint)
if [ -f "$cache/$board.uf2" ] && [ "$(cat "$cache/$board.fingerprint" 2>/dev/null)" = "$print" ]; then
    exit 0
fi
: >"$log"
check_machine
own_compiler=$(command -v arm-none-eabi-gcc || true)
if [ ! -d "$cache/sources" ] || { [ -z "$own_compiler" ] && [ ! -d "$cache/compiler" ]; }; then
    find_packages
    [ -d "$cache/sources" ] || fetch_sources
    [ -n "$own_compiler" ] || [ -d "$cache/compiler" ] || fetch_compiler
    close_debian
fi
[ -n "$own_compiler" ] || export PATH="$cache/compiler/usr/bin:$PATH"
build
echo "$print" >"$cache/$board.fingerprint"
say "the image is $cache/$board.uf2"

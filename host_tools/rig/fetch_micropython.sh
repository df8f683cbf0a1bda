#!/bin/sh
# Puts a MicroPython with viper at CACHE/bin/micropython: the one on PATH if it is 1.24 or newer, else Debian 13's
# package, unpacked under CACHE with a private apt configuration. Nothing is installed; signatures are checked with the
# machine's own Debian keyring.
set -eu
cache=$1
bin=$cache/bin/micropython
root=$cache/micropython
log=$cache/micropython.log
mkdir -p "$cache/bin"
. "$(dirname "$0")/debian_sources.sh"

usable() {
    "$1" -c 'import sys
i = sys.implementation
sys.exit(0 if i.version >= (1, 24, 0) and i._mpy >> 10 else 1)' 2>/dev/null
}

own=$(command -v micropython || true)
if [ -n "$own" ] && usable "$own"; then
    say "using the micropython on PATH"
    ln -sf "$own" "$bin"
    exit 0
fi

missing="No MicroPython with viper is here. Install micropython 1.24 or newer (apt install micropython on Debian 13, brew install micropython), then run make again."
mirror=$(debian_mirror)
[ -n "$mirror" ] || fail "$missing"

say "fetching MicroPython (Debian 13's package, 4 MB) ..."
rm -rf "$root"
: >"$log"
unreachable="Debian's packages cannot be reached from here, and there is no micropython. Connect this machine to its network, or install micropython 1.24 or newer, then run make again."
open_debian "$root/apt" "$mirror" "deb trixie" || fail "$unreachable"
download_packages micropython libc6 libffi8 libmbedcrypto16 libmbedtls21 libmbedx509-7 || fail "$unreachable"
for package in "$packages"/*.deb; do dpkg -x "$package" "$root"; done
close_debian

loader=$(find "$root/usr" -name 'ld-linux*.so.*' | head -n 1)
libraries=$(dirname "$(find "$root/usr/lib" -name 'libc.so.6' | head -n 1)")
cat >"$bin" <<RUN
#!/bin/sh
exec "$loader" --library-path "$libraries" "$root/usr/bin/micropython" "\$@"
RUN
chmod +x "$bin"
usable "$bin" || fail "the fetched MicroPython does not run here. Install micropython 1.24 or newer, then run make again."
say "MicroPython is ready"

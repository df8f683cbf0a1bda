#!/bin/sh
# Puts a MicroPython with viper at CACHE/bin/micropython: the one on PATH if it is 1.24 or newer, else Debian 13's
# package, unpacked under CACHE with a private apt configuration. Nothing is installed; signatures are checked with the
# machine's own Debian keyring.
set -eu
cache=$1
bin=$cache/bin/micropython
root=$cache/micropython
mkdir -p "$cache/bin"

say() { echo "star57: $*"; }
fail() { echo "star57: $*" >&2; exit 1; }
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
command -v apt-get >/dev/null && command -v dpkg >/dev/null || fail "$missing"
mirror=$(apt-get indextargets --format '$(REPO_URI) $(ORIGIN) $(COMPONENT)' 'Created-By: Packages' |
    awk '$2 == "Debian" && $3 == "main" { print $1; exit }')
[ -n "$mirror" ] || fail "$missing"

say "fetching MicroPython (Debian 13's package, 4 MB) ..."
apt=$root/apt
rm -rf "$root"
mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/debs"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" >"$apt/sources.list"
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
export APT_CONFIG="$apt/apt.conf"
unreachable="Debian's packages cannot be reached from here, and there is no micropython. Connect this machine to its network, or install micropython 1.24 or newer, then run make again."
apt-get update -qq >"$apt/log" 2>&1 || fail "$unreachable"
(cd "$apt/debs" && apt-get download -qq micropython libc6 libffi8 libmbedcrypto16 libmbedtls21 libmbedx509-7) \
    >>"$apt/log" 2>&1 || fail "$unreachable"
for deb in "$apt"/debs/*.deb; do dpkg -x "$deb" "$root"; done
rm -rf "$apt"

loader=$(find "$root/usr" -name 'ld-linux*.so.*' | head -n 1)
libraries=$(dirname "$(find "$root/usr/lib" -name 'libc.so.6' | head -n 1)")
cat >"$bin" <<RUN
#!/bin/sh
exec "$loader" --library-path "$libraries" "$root/usr/bin/micropython" "\$@"
RUN
chmod +x "$bin"
usable "$bin" || fail "the fetched MicroPython does not run here. Install micropython 1.24 or newer, then run make again."
say "MicroPython is ready"

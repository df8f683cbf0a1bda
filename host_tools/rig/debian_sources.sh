# What the build scripts share: how they speak, and Debian's packages by a private apt configuration. Nothing is
# installed; signatures are checked with the machine's own Debian keyring. Sourced by them, in any POSIX shell, with
# $log set: the file that tells the details.

say() { echo "star57: $*"; }
fail() { echo "star57: $*" >&2; exit 1; }
quietly() { "$@" >>"$log" 2>&1; }

# The Debian mirror that this machine's apt knows; nothing when it knows none.
debian_mirror() {
    command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || return 0
    apt-get indextargets --format '$(REPO_URI) $(ORIGIN) $(COMPONENT)' 'Created-By: Packages' |
        awk '$2 == "Debian" && $3 == "main" { print $1; exit }'
}

# Reads the lists of a mirror: open_debian FOLDER MIRROR 'deb-src trixie' 'deb trixie' ...
# Until close_debian, apt-get works in that folder; what is downloaded goes to $packages.
open_debian() {
    apt=$1
    packages=$apt/packages
    rm -rf "$apt"
    mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$packages"
    from="[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $2"
    shift 2
    for wanted in "$@"; do
        echo "${wanted% *} $from ${wanted#* } main" >>"$apt/sources.list"
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
    export APT_CONFIG="$apt/apt.conf"
    quietly apt-get update -qq
}

# Downloads source packages of Debian 13, by name.
download_sources() {
    (cd "$packages" && quietly apt-get source -qq --download-only "$@" --target-release trixie)
}

# Downloads packages, by name or name/release.
download_packages() {
    (cd "$packages" && quietly apt-get download -qq "$@")
}

close_debian() { rm -rf "$apt"; }

# Unpacks a source package's upstream part as FOLDER/PACKAGE: unpack_source FOLDER PACKAGE [PART ...]
unpack_source() {
    into=$1/$2
    archive=$(echo "$packages/$2"_*.orig.tar.*)
    shift 2
    mkdir -p "$into"
    tar -C "$into" --strip-components=1 --wildcards -xf "$archive" "$@"
}

# MicroPython's own version for what is built, which it would otherwise take from the git repository that it lies in;
# and no date in it, so that the same comes out on every day.
export_version() { export SOURCE_DATE_EPOCH=1735689600 MICROPY_GIT_TAG=v1.25.0 MICROPY_GIT_HASH=""; }

# Nothing of micropython-lib is used, but MicroPython's build asks for it.
do_without_micropython_lib() {
    mkdir -p "$1/lib/micropython-lib"
    touch "$1/lib/micropython-lib/README.md"
}

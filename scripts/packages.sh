# packages.sh: sourced by demo and test: installs the Debian packages that are missing.

say()
{
    printf '== %s\n' "$*"
}

fail()
{
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

is_installed()
{
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null || :)" = installed ]
}

as_root()
{
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        fail "this needs root: run as root, install sudo, or let root type: $*"
    fi
}

# need_packages NAME…: does nothing, and asks for nothing, when all are there.
need_packages()
{
    missing=
    command -v dpkg-query >/dev/null ||
        fail "this is made for Debian 12; elsewhere install what CONTRIBUTING.md lists, then: meson setup build && ninja -C build"
    for package; do
        is_installed "$package" || missing="$missing $package"
    done
    [ -n "$missing" ] || return 0
    say "installing$missing"
    # word splitting is wanted below: one argument a package
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq update ||
        fail "apt-get update failed; is the network there, and /etc/apt/sources.list right?"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o Dpkg::Use-Pty=0 \
        -o DPkg::Lock::Timeout=300 --no-install-recommends install $missing >/dev/null ||
        fail "apt-get install$missing failed; what it said stands above"
}

# one_at_a_time DIR: waits until nobody else builds or tests in DIR; held until this script ends.
one_at_a_time()
{
    mkdir -p "$1"
    exec 9>"$1/.in-use"
    flock -n 9 && return
    say "waiting: another $1 is in use"
    flock 9
}

# build_in DIR OPTION…: configures once, reconfigures when the options changed, builds.
build_in()
{
    dir=$1
    shift
    mkdir -p "$dir"
    if ! [ -f "$dir/build.ninja" ] || [ "$(cat "$dir/.options" 2>/dev/null)" != "$*" ]; then
        say "configuring $dir"
        if [ -f "$dir/build.ninja" ]; then
            set -- --reconfigure "$@"
        fi
        meson setup "$dir" "$@" >"$dir/configure.log" 2>&1 || {
            cat "$dir/configure.log" >&2
            fail "configuring failed; remove $dir and try again"
        }
        [ "$1" != --reconfigure ] || shift
        printf '%s\n' "$*" >"$dir/.options"
    fi
    say "building $dir"
    ninja -C "$dir" >"$dir/build.log" 2>&1 || {
        grep -v '^\[' "$dir/build.log" >&2 || cat "$dir/build.log" >&2
        fail "building failed; the whole log is $dir/build.log"
    }
}

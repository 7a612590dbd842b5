# What scripts/run and scripts/test share: installing packages and building. Sourced from the root of the tree.
# Everything here speaks on standard error: standard output belongs to the program and to the results.
# shellcheck shell=sh

# A line each: package, or package:command where another package's command does as well; then why.
# shellcheck disable=SC2034 # used by the scripts that source this
build_packages='
gcc:cc              the C compiler
libc6-dev           headers of the C library
cmake               configures the build
ninja-build:ninja   runs the build
pkgconf:pkg-config  finds the libraries
libwebsockets-dev   HTTP and WebSocket
libuv1-dev          the event loop
libssl-dev          TLS to other servers
libcurl4-openssl-dev outgoing HTTP, on the OpenSSL that libwebsockets uses
ca-certificates     whom outgoing https trusts
libpcre2-dev        patterns of strings
liblua5.4-dev       Lua 5.4
lua-cjson           JSON for Lua code'

say() {
    printf '%s\n' "$*" >&2
}

installed() { # package command-or-nothing
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ] ||
        { [ -n "$2" ] && command -v "$2" >/dev/null; }
}

# Installs what is missing of LIST, after saying what and why. Without root it asks first, and without
# anybody to ask it ends with status 1.
install_packages() { # list
    if ! command -v dpkg-query >/dev/null; then
        say "No dpkg here, so nothing is installed; these packages of Debian 12 are needed: $1"
        return
    fi
    missing=
    while read -r entry why; do
        package=${entry%%:*}
        command=${entry#"$package"}
        if [ -z "$package" ] || installed "$package" "${command#:}"; then continue; fi
        [ -n "$missing" ] || say 'tidegate needs these packages, which are not installed yet:'
        say "$(printf '  %-20s %s' "$package" "$why")"
        missing="$missing $package"
    done <<LIST
$1
LIST
    [ -n "$missing" ] || return 0
    as_root=
    if [ "$(id -u)" -ne 0 ]; then
        ask_for_root "$missing"
        as_root=sudo
    fi
    say 'Installing them with apt-get ...'
    # The names are split on purpose: one argument each.
    # shellcheck disable=SC2086
    { $as_root apt-get -q update && $as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get -qy install --no-install-recommends $missing; } </dev/null >&2
}

ask_for_root() { # packages
    if ! command -v sudo >/dev/null || [ ! -t 0 ]; then
        say "Install them as root, then come back:  apt-get update && apt-get install --no-install-recommends$1"
        exit 1
    fi
    printf 'Install them with sudo apt-get? [y/N] ' >&2
    read -r answer
    case $answer in
    y | Y | yes) ;;
    *) exit 1 ;;
    esac
}

build() { # preset, then the targets (everything, if none is named)
    preset=$1
    shift
    cmake --preset "$preset" --log-level=WARNING >/dev/null || return
    cmake --build --preset "$preset" ${1+--target "$@"}
}

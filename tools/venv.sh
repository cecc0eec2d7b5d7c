#!/bin/sh
# Makes the virtual environment in $1 from requirements.lock, or brings an existing one up to date; `make` calls it.
#
# Written for the plain machine of a stranger: no bash, no uv, a python3 that may be too old or lack venv.
# The stamp $1/.ready holds the checkout's path. The environment belongs to that path: console scripts and the
# editable install name it, so a copied or moved checkout would otherwise run the code of the other one.
set -eu

venv=$1
here=$(pwd -P)
stamp=$venv/.ready
new_enough='import sys; sys.exit(sys.version_info < (3, 11))'

fail() {
    printf '%s\n' "$@" >&2
    exit 1
}

find_python() {
    for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        if "$candidate" -c "$new_enough" 2>/dev/null; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    fail "youjun needs Python 3.11 or newer; found: $(${PYTHON:-python3} --version 2>&1 || true)." \
        "Install one (Debian 12, Ubuntu 24.04 or newer: apt install python3 python3-venv)," \
        "or name it: make PYTHON=/path/to/python3.12 ..."
}

# pip's lines as one line of progress; whatever is no terminal gets a line for every fifty packages.
progress() {
    total=$(grep -c '^[A-Za-z0-9].*==' requirements.lock)
    number=0
    while IFS= read -r line; do
        case $line in
            Collecting* | "Requirement already satisfied"*)
                number=$((number + 1))
                if [ -t 1 ]; then
                    printf '\r  %s of up to %s packages' "$number" "$total"
                elif [ $((number % 50)) = 0 ]; then
                    printf '  %s of up to %s packages\n' "$number" "$total"
                fi ;;
            "Installing collected packages"*)
                if [ -t 1 ]; then printf '\n'; fi
                echo "  unpacking them into $venv (the longest part) ..." ;;
            "pip has failed") exit 1 ;;
        esac
    done
}

usable() {
    [ -x "$venv/bin/python" ] || return 1
    if [ -f "$stamp" ] && [ "$(cat "$stamp")" != "$here" ]; then return 1; fi
    "$venv/bin/python" -c "$new_enough" 2>/dev/null && "$venv/bin/python" -m pip --version >/dev/null 2>&1
}

if ! usable; then
    python=$(find_python)
    # Debian packages ensurepip apart from python3, and `-m venv` then fails halfway with a long message.
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        fail "$python cannot make virtual environments: its venv module is not installed." \
            "On Debian or Ubuntu: apt install python$version-venv"
    fi
    echo "Setting up $venv with $("$python" --version) (once; two minutes or so) ..."
    "$python" -m venv --clear "$venv"
else
    echo "Bringing $venv up to date ..."
fi

rm -f "$stamp"
pip="$venv/bin/python -u -m pip --disable-pip-version-check --no-input"
# --no-deps: the lock is complete, and pip would spend half a minute finding that out.
# A pipe ends as its last command does: the line in between tells that pip did not end well; its errors go past the pipe.
{ $pip install --no-deps --require-hashes --requirement requirements.lock || echo "pip has failed"; } | progress
# The lock holds the build backend too, so nothing beyond it is fetched.
$pip install --quiet --no-build-isolation --no-deps --no-index --editable .
printf '%s\n' "$here" >"$stamp"

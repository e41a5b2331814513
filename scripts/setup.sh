#!/bin/sh
# Makes .venv and installs the locked dependencies into it. Needs Python 3.11 or newer and nothing else.
set -eu

find_python() {
    for name in ${PYTHON3:-} python3.14 python3.13 python3.12 python3.11 python3; do
        if command -v "$name" >/dev/null 2>&1 &&
            "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            echo "$name"
            return
        fi
    done
}

install_with_apt() {
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        apt-get update -qq && apt-get install -y -qq "$@" >/dev/null
    else
        echo "Missing: $*. Install it (Debian, Ubuntu: sudo apt-get install $*) and run make again." >&2
        exit 1
    fi
}

python=$(find_python)
if [ -z "$python" ]; then
    install_with_apt python3 python3-venv
    python=$(find_python)
fi
if [ -z "$python" ]; then
    echo "Mynah needs Python 3.11 or newer: install it and run make again." >&2
    exit 1
fi
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    install_with_apt python3-venv
fi

echo "Setting up .venv with $("$python" --version) ..."
[ -x .venv/bin/python ] && .venv/bin/python -c '' 2>/dev/null || "$python" -m venv --clear .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-dev.lock
touch .venv/.ready

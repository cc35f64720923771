#!/bin/sh
# Prints the path of a Chromium for the browser tests: $CHROMIUM, one that is installed, or one that
# apt-get installs now. Messages go to stderr.
set -eu

find_chromium() {
    for name in ${CHROMIUM:+"$CHROMIUM"} chromium chromium-browser google-chrome; do
        command -v "$name" && return 0
    done
    return 1
}

find_chromium && exit 0
if command -v apt-get >/dev/null && [ "$(id -u)" -eq 0 ]; then
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium; } >&2
    find_chromium && exit 0
fi
echo "The browser tests need Chromium: install it, or set CHROMIUM to its path." >&2
exit 1

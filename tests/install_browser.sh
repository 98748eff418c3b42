#!/bin/sh
# Debian's chromium for the browser tests; says what to install where it may not install it.
command -v chromium >/dev/null 2>&1 && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null
    command -v chromium >/dev/null 2>&1 && exit 0
fi
echo "The browser tests need chromium: run 'sudo apt-get install chromium' and then 'make test' again." >&2
exit 2

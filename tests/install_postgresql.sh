#!/bin/sh
# Debian's PostgreSQL for the tests of shared studies; says what to install where it may not install it.
have() { command -v initdb >/dev/null 2>&1 || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; }
have && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    # No service may start by itself: the tests start their own server, on its own port.
    policy=/usr/sbin/policy-rc.d
    [ -e "$policy" ] || { printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy" && mine=yes; }
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql >/dev/null
    [ "$mine" = yes ] && rm -f "$policy"
    have && exit 0
fi
echo "The tests of shared studies need Debian's package postgresql: run 'sudo tests/install_postgresql.sh'." >&2
exit 2

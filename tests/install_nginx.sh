#!/bin/sh
# Debian's nginx for the test behind a proxy; says what to install where it may not install it.
command -v nginx >/dev/null 2>&1 && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    # No service may start by itself: the tests start their own nginx, on their own ports.
    policy=/usr/sbin/policy-rc.d
    [ -e "$policy" ] || { printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy" && mine=yes; }
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends nginx-light >/dev/null
    [ "$mine" = yes ] && rm -f "$policy"
    command -v nginx >/dev/null 2>&1 && exit 0
fi
echo "The test behind a proxy needs Debian's package nginx-light: run 'sudo tests/install_nginx.sh'." >&2
exit 2

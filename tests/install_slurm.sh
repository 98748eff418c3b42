#!/bin/sh
# Debian's SLURM and munge for the cluster tests; says what to install where it may not install it.
have() { command -v sbatch >/dev/null 2>&1 && command -v slurmd >/dev/null 2>&1 && command -v slurmctld >/dev/null 2>&1 && command -v munged >/dev/null 2>&1; }
have && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    # No service may start by itself: the tests start their own daemons, on their own ports.
    policy=/usr/sbin/policy-rc.d
    [ -e "$policy" ] || { printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy" && mine=yes; }
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends slurmctld slurmd slurm-client munge >/dev/null
    [ "$mine" = yes ] && rm -f "$policy"
    have && exit 0
fi
echo "The SLURM tests need Debian's packages slurmctld, slurmd, slurm-client and munge: run 'sudo tests/install_slurm.sh'." >&2
exit 2

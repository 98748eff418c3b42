"""A real SLURM of one node, started without systemd: munge, slurmctld and slurmd in a folder."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _small(small_training):
    pass


REPO = Path(__file__).parents[2]
NEEDED = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol")
# Requeued jobs may begin again once their credential has expired: 120 s unless told otherwise.
CONF = """
ClusterName=tests
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ctld_port}
SlurmdPort={slurmd_port}
SlurmUser=root
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={folder}/munge.sock,cred_expire=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
JobCompType=jobcomp/none
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
JobRequeue=1
KillWait=5
MinJobAge=5
ReturnToService=2
SchedulerParameters=sched_interval=2,bf_interval=2
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} State=UNKNOWN
PartitionName=low Nodes={host} Default=YES State=UP PriorityTier=1
PartitionName=high Nodes={host} State=UP PriorityTier=10 PreemptMode=OFF
"""


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items):
    for item in items:
        if "slurm" in Path(str(item.fspath)).parts:
            # one worker, so that one cluster is started and installed
            item.add_marker(pytest.mark.xdist_group("slurm"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Cluster:
    """One node, two partitions: jobs of `high` push those of `low` back into the line."""

    def __init__(self, folder: Path):
        self.folder, self.processes = folder, []
        self.cpus = len(os.sched_getaffinity(0))
        for name in ("state", "spool"):
            (folder / name).mkdir()
        text = CONF.format(
            host=socket.gethostname().split(".")[0],
            folder=folder,
            cpus=self.cpus,
            ctld_port=free_port(),
            slurmd_port=free_port(),
        )
        (folder / "slurm.conf").write_text(text)
        self.env = {**os.environ, "SLURM_CONF": str(folder / "slurm.conf")}

    def start(self) -> None:
        key = self.folder / "munge.key"
        key.write_bytes(secrets.token_bytes(64))
        key.chmod(0o400)
        files = {"socket": "sock", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}
        paths = [f"--{name}={self.folder}/munge.{end}" for name, end in files.items()]
        self._run("munged", "--foreground", "--force", f"--key-file={key}", *paths)
        self._wait(lambda: (self.folder / "munge.sock").exists())
        self._run("slurmctld", "-D", "-i")
        self._run("slurmd", "-D")
        self._wait(lambda: "idle" in self.call("sinfo", "-h", "-o", "%T"))

    def _run(self, *command: str) -> None:
        log = (self.folder / f"{command[0]}.out").open("w")
        self.processes.append(
            subprocess.Popen(command, env=self.env, stdout=log, stderr=subprocess.STDOUT)
        )

    def _wait(self, what, seconds: float = 30) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if what():
                return
            if any(process.poll() is not None for process in self.processes):
                break
            time.sleep(0.1)
        logs = "\n".join(p.read_text()[-1500:] for p in self.folder.glob("*.[lo][ou][gt]"))
        pytest.fail(f"the SLURM of the tests did not start:\n{logs}")

    def call(self, *command: str) -> str:
        found = subprocess.run(command, env=self.env, capture_output=True, text=True, check=False)
        return found.stdout + found.stderr

    def stop(self) -> None:
        self.call("scancel", "--full", "-u", "root")
        for process in reversed(self.processes):
            process.terminate()
        for process in reversed(self.processes):
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@pytest.fixture(scope="session")
def slurm():
    """The cluster; skipped, saying why, where SLURM is not and cannot be installed."""
    if any(shutil.which(name) is None for name in NEEDED):
        subprocess.run([REPO / "tests" / "install_slurm.sh"], check=False, timeout=300)
    missing = [name for name in NEEDED if shutil.which(name) is None]
    if missing:
        pytest.skip(f"no SLURM here ({', '.join(missing)} missing): run tests/install_slurm.sh")
    if os.geteuid() != 0:
        pytest.skip("the SLURM of the tests has to be started by root")
    folder = Path(tempfile.mkdtemp(prefix="slurm-"))
    folder.chmod(0o755)
    cluster = Cluster(folder)
    try:
        cluster.start()
        yield cluster
    finally:
        cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)

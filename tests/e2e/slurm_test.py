#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a suite on a real Slurm of one node, which this test starts and stops: slurm_test.py ONMANIFOLD.

Submits the array that `onmanifold slurm` writes, kills one task and requeues it, requeues another while it runs, and
compares what is then in the shared directory with a run without Slurm: equal samples and metrics, bit for bit. Exit code
77 (skipped) where slurm-wlm and munge are not installed. Needs no root, no systemd and no configuration in /etc: keys,
sockets, logs and state live in a directory of their own, and everything listens on the loopback interface.
"""
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

os.environ["PATH"] += ":/usr/sbin:/sbin"
program = os.path.abspath(sys.argv[1])
tools = ("munged", "slurmctld", "slurmd", "sbatch", "scancel", "scontrol", "squeue")
missing = [tool for tool in tools if shutil.which(tool) is None]
if missing:
    print(f"SKIPPED: no {', '.join(missing)}; scripts/install-dependencies.sh --slurm installs them")
    sys.exit(77)

TASKS = 3
# Cells of a good part of a second, so that there is something to kill.
SUITE = """
[suite]
name = "on-slurm"
seeds = "0..3"
n_train = 500
n_samples = 300
n_reference = 300
[[task]]
name = "sphere-vmf6"
[[task]]
name = "plane-gmm9"
[[method]]
name = "gaussian"
[[method]]
name = "ddpm"
steps = 1500
batch = 128
width = 64
timesteps = 20
"""


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


class Cluster:
    """munged, slurmctld and slurmd in the foreground, children of this process."""

    def __init__(self, base):
        self.base = base
        self.children = []
        user = pwd.getpwuid(os.geteuid()).pw_name
        host = socket.gethostname().split(".")[0]
        controller, daemon = free_ports(2)
        for name in ("state", "spool", "munge"):
            os.mkdir(self.path(name), 0o755)
        with open(os.open(self.path("munge/key"), os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
            file.write(os.urandom(128))
        with open(self.path("slurm.conf"), "w", encoding="utf-8") as file:
            file.write(f"""ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={daemon}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={self.path("munge/socket")},cred_expire=5
CredType=cred/munge
StateSaveLocation={self.path("state")}
SlurmdSpoolDir={self.path("spool")}
SlurmctldPidFile={self.path("slurmctld.pid")}
SlurmdPidFile={self.path("slurmd.pid")}
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SwitchType=switch/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SchedulerType=sched/builtin
SchedulerParameters=batch_sched_delay=0,sched_interval=1
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
ReturnToService=2
KillWait=2
MinJobAge=300
MaxArraySize=100
NodeName={host} NodeAddr=127.0.0.1 CPUs={TASKS} RealMemory=100 State=UNKNOWN
PartitionName=all Nodes={host} Default=YES MaxTime=10 State=UP
""")
        os.environ["SLURM_CONF"] = self.path("slurm.conf")
        self.start("munged", "--foreground", "--force", f"--key-file={self.path('munge/key')}",
                   f"--socket={self.path('munge/socket')}", f"--pid-file={self.path('munge/pid')}",
                   f"--log-file={self.path('munge/log')}", f"--seed-file={self.path('munge/seed')}")
        self.wait(lambda: os.path.exists(self.path("munge/socket")), 20, "munged")
        self.start("slurmctld", "-D", "-i", "-f", self.path("slurm.conf"))
        self.start("slurmd", "-D", "-f", self.path("slurm.conf"))
        self.wait(lambda: "idle" in self.ask("sinfo", "-h", "-o", "%T"), 60, "the node")

    def path(self, name):
        return os.path.join(self.base, name)

    def start(self, *command):
        with open(self.path(command[0] + ".out"), "wb") as output:
            self.children.append(subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT,
                                                  stdin=subprocess.DEVNULL))

    def ask(self, *command, check=False):
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        if check and done.returncode != 0:
            raise RuntimeError(f"{command}: {done.stdout}{done.stderr}")
        return done.stdout

    def wait(self, condition, seconds, what):
        limit = time.monotonic() + seconds
        while not condition():
            for child in self.children:
                if child.poll() is not None:
                    raise RuntimeError(f"{child.args[0]} ended with code {child.returncode}")
            if time.monotonic() > limit:
                raise RuntimeError(f"waited {seconds} s for {what}")
            time.sleep(0.1)

    def state(self, task):
        """Of a task of the array, also after its end; '' if it has no record of its own yet."""
        shown = self.ask("scontrol", "show", "job", task)
        found = re.search(r"JobState=(\S+)", shown)
        return found.group(1) if found else ""

    def stop(self):
        subprocess.run(["scancel", "--quiet", "--me"], check=False, capture_output=True, timeout=60)
        for child in reversed(self.children):
            child.send_signal(signal.SIGTERM)
            try:
                child.wait(20)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()

    def logs(self):
        for name in sorted(os.listdir(self.base)):
            if name.endswith(".out"):
                with open(self.path(name), encoding="utf-8", errors="replace") as file:
                    print(f"--- {name}\n{file.read()[-3000:]}")


def run(*command, code=0):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == code, f"{command}: exit code {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


def cells(results):
    found = []
    for where, _, files in os.walk(results):
        found += [os.path.join(where, name) for name in files
                  if name.endswith(".metrics.h5") and not name.startswith(".")]
    return found


def test(base):
    suite = os.path.join(base, "suite.toml")
    with open(suite, "w", encoding="utf-8") as file:
        file.write(SUITE)
    local = os.path.join(base, "local")
    shared = os.path.join(base, "shared directory")  # a space needs quotes
    run(program, "run", suite, "-o", local, "-j", "2")

    cluster = Cluster(base)
    try:
        said = run(program, "slurm", suite, "-o", shared, "--array", str(TASKS), "--submit", "--", "--mem=1",
                   "--comment=test")
        job = re.search(r"Submitted batch job (\d+)", said).group(1)
        print(f"submitted {job}")

        killed, requeued = f"{job}_1", f"{job}_2"
        cluster.wait(lambda: cells(shared), 60, "the first cell")
        cluster.ask("scancel", "--signal=KILL", "--full", killed, check=True)
        cluster.ask("scontrol", "requeue", requeued, check=True)
        early = len(cells(shared))
        print(f"killed task 1 and requeued task 2 after {early} of 16 cells")
        assert early < 16, "nothing was left to kill"
        cluster.wait(lambda: cluster.state(killed) not in ("RUNNING", "COMPLETING", "PENDING"), 60, "the killed task")
        state = cluster.state(killed)
        print(f"task 1: {state}")
        assert state in ("FAILED", "CANCELLED"), f"the killed task ended as {state}"
        assert len(cells(shared)) < 16, "the killed task left nothing to do"
        cluster.ask("scontrol", "requeue", killed, check=True)
        cluster.wait(lambda: not cluster.ask("squeue", "-h", "--me").strip(), 120, "the end of all tasks")
        states = [cluster.state(f"{job}_{task}") for task in range(1, TASKS + 1)]
        assert states == ["COMPLETED"] * TASKS, states
    except BaseException:
        cluster.logs()
        for name in sorted(os.listdir(shared)) if os.path.isdir(shared) else ():
            if name.endswith(".log"):
                with open(os.path.join(shared, name), encoding="utf-8", errors="replace") as file:
                    print(f"--- {name}\n{file.read()}")
        raise
    finally:
        cluster.stop()

    # Shares of one directory need no merging: a run over all of it finds nothing left to do.
    said = run(program, "run", suite, "-o", shared, "-j", "2")
    assert " 0 computed, 0 measured anew, 16 already there" in said, said
    run(program, "verify", shared)
    said = run(program, "compare", local, shared, "--exact", "--require-all")
    print(said)


with tempfile.TemporaryDirectory(prefix="onmanifold-slurm-") as directory:
    os.chmod(directory, 0o755)  # munge looks at the directories above its socket
    test(directory)

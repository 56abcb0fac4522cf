"""How is a Slurm cluster of several nodes made of one machine, for the time of a test, and how does it go away again?

It needs Debian's packages slurmctld, slurmd, slurm-client and munge, and neither systemd, cgroups nor a database. All that
belongs to it lies in one temporary directory; it listens on ports of its own and runs as whoever runs the test.
"""
import contextlib
import os
import pathlib
import pwd
import random
import re
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

PATIENCE = float(os.environ.get("STEMMA_TEST_PATIENCE", 1))
# Daemons lie in sbin, which the path of an ordinary user leaves out.
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
# What a job is called that has ended. Between states scontrol has names of its own (COMPLETING, SIGNALING, REQUEUED).
ENDED = {"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "PREEMPTED", "OUT_OF_MEMORY", "BOOT_FAIL", "DEADLINE"}
NEEDED = ["munged", "munge", "slurmctld", "slurmd", "sbatch", "srun", "scontrol", "sinfo", "squeue", "scancel"]

# More CPUs than the machine may have (config_overrides), so that jobs of several ranks fit on one node. Every node has its
# own TmpFS: those of PMIx would meet in one. Without cred_expire a job that is repeated waits for two minutes.
CONFIGURATION = """\
ClusterName=stemmatest
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
CredType=cred/munge
AuthInfo=socket={root}/munge.socket,cred_expire=10
StateSaveLocation={root}/state
SlurmdSpoolDir={root}/spool/%n
TmpFS={root}/tmp/%n
SlurmctldPidFile={root}/slurmctld.pid
SlurmdPidFile={root}/%n.pid
SlurmctldLogFile={root}/slurmctld.log
SlurmdLogFile={root}/%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SlurmdParameters=config_overrides
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=1,sched_interval=1,batch_sched_delay=0
PropagateResourceLimits=NONE
ReturnToService=2
MinJobAge=600
KillWait=5
SlurmctldTimeout=30
SlurmdTimeout=30
MessageTimeout=10
{nodes}
PartitionName=test Nodes=n[1-{many}] Default=YES MaxTime=INFINITE State=UP
"""
NODE = ("NodeName=n{i} NodeHostname={host} NodeAddr=127.0.0.1 Port={port} CPUs=4 Boards=1 SocketsPerBoard=1 CoresPerSocket=4 "
        "ThreadsPerCore=1 RealMemory=16384 State=UNKNOWN")


def why_not():
    """A sentence if no cluster can be made here."""
    missing = [name for name in NEEDED if not shutil.which(name, path=PATH)]
    if missing:
        return f"Slurm is not installed: no {', '.join(missing)}"
    try:
        socket.getaddrinfo("127.0.0.1", None, socket.AF_INET, socket.SOCK_STREAM, 0, socket.AI_ADDRCONFIG)  # as Slurm asks
    except socket.gaierror:
        return "Slurm starts on no machine whose only network is the loopback"
    return ""


def until(what, seconds, condition):
    """The first true value of the condition; an error that says what did not happen in time."""
    end = time.monotonic() + PATIENCE * seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {PATIENCE * seconds:g} s")
        time.sleep(0.05)


def free_ports(many):
    """Ports that nobody listens on, below those that the system gives to outgoing connections."""
    with contextlib.ExitStack() as stack:
        ports = []
        for port in random.sample(range(20000, 32000), 1000):
            s = stack.enter_context(socket.socket())
            with contextlib.suppress(OSError):
                s.bind(("", port))
                ports.append(port)
                if len(ports) == many:
                    return ports
    raise RuntimeError("no free ports")


def may_name_hosts():
    """Whether a process may be given another host name than the machine's."""
    return subprocess.run(["unshare", "--uts", "true"], capture_output=True, check=False).returncode == 0


def processes_of(root):
    """Processes of the cluster in this directory, by the configuration that their environment names."""
    wanted, found = f"SLURM_CONF={root}/slurm.conf".encode(), set()
    for directory in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended meanwhile, or belongs to somebody else
            if wanted in (directory / "environ").read_bytes().split(b"\0"):
                found.add(int(directory.name))
    return found


def kill_all(root, seconds):
    """Kills what is left of a cluster, and what that may have started meanwhile."""
    def gone():
        left = processes_of(root)
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return not left
    until("killed processes are gone", seconds, gone)


def guard(root):
    """A process that outlives a killed test, and clears up for it. Steps have daemons that are nobody's children, so
    that they would stay. Returns the end of a pipe: closing it, also by dying, is the sign."""
    reads, writes = os.pipe()
    # In the background of a shell that ends, so that who kills the test and its children does not find it.
    subprocess.run(["sh", "-c", f'"$@" <&{reads} &', "sh", sys.executable, __file__, root], pass_fds=[reads],
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, check=True)
    os.close(reads)
    return writes


class Cluster:
    """Nodes n1, n2, ...; use it in a with statement. `env` is what commands of Slurm need to find it."""

    def __init__(self, nodes=3, more=""):
        """`more` are lines for the end of slurm.conf."""
        self.many, self.more, self.daemons, self.root, self.path = nodes, more, [], None, PATH
        self.named = may_name_hosts()

    def __enter__(self):
        # The names of sockets have at most 107 bytes. munged refuses a directory that others may not enter.
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="slurm_"))
        self.root.chmod(0o755)
        self.guard = guard(self.root)
        self.env = {**os.environ, "PATH": self.path, "SLURM_CONF": str(self.root / "slurm.conf")}
        for name in [n for n in self.env if n.startswith(("SBATCH_", "SLURM_")) and n != "SLURM_CONF"]:
            del self.env[name]
        if not self.named:
            # All ranks then seem to be on one host, and files of shared memory of two nodes would bear the same name.
            self.env["OMPI_MCA_btl"] = "self,tcp"
        try:
            self.start()
        except BaseException as error:
            logs = "".join(f"\n{p.name}: {p.read_text(errors='replace')[-1500:]}" for p in sorted(self.root.glob("*.log")))
            self.stop()
            raise RuntimeError(f"the cluster did not start: {error}{logs}") from error
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        root, ports = self.root, free_ports(self.many + 1)
        key = root / "munge.key"
        key.touch(mode=0o600)
        key.write_bytes(secrets.token_bytes(128))
        host = socket.gethostname().split(".")[0]
        nodes = [NODE.format(i=i, host=f"n{i}" if self.named else host, port=ports[i]) for i in range(1, self.many + 1)]
        text = CONFIGURATION.format(root=root, host=host, ports=ports, user=pwd.getpwuid(os.getuid()).pw_name, many=self.many,
                                    nodes="\n".join(nodes))
        (root / "slurm.conf").write_text(text + self.more)
        (root / "mpi.conf").write_text("PMIxCollFence=ring\n")
        for directory in ["state", *(f"{kind}/n{i}" for kind in ("spool", "tmp") for i in range(1, self.many + 1))]:
            (root / directory).mkdir(parents=True)
        names = {"socket": "munge.socket", "key-file": "munge.key", "pid-file": "munge.pid", "log-file": "munge.log",
                 "seed-file": "munge.seed"}
        self.daemon("munged", "--foreground", *(f"--{option}={root / name}" for option, name in names.items()))
        self.wait_for("munged answers", "munge", "--no-input", f"--socket={root / 'munge.socket'}")
        self.daemon("slurmctld", "-D", "-c", "-f", root / "slurm.conf")
        self.wait_for("slurmctld is up", "scontrol", "ping", says=r"is UP")
        for i in range(1, self.many + 1):
            command = ["slurmd", "-D", "-N", f"n{i}", "-f", str(root / "slurm.conf")]
            if self.named:
                command = ["unshare", "--uts", "sh", "-c", f"hostname n{i}; exec \"$@\"", "sh", *command]
            self.daemon(*command)
        self.wait_for("all nodes are idle", "sinfo", "--noheader", "--format=%D %T", says=rf"(?m)^{self.many} idle$")
        self.processes = self.left()  # slurmctld has a second one

    def daemon(self, *command):
        """A process in a session of its own, so that no signal of a terminal reaches it."""
        with open(self.root / f"output-{len(self.daemons)}.log", "wb") as log:
            self.daemons.append(subprocess.Popen(
                list(map(str, command)), env=self.env, cwd=self.root, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True))

    def wait_for(self, what, *command, says=""):
        def answered():
            for daemon in self.daemons:
                if daemon.poll() is not None:
                    raise ChildProcessError(f"{daemon.args[0]} ended with {daemon.returncode}")
            done = self.ask(*command, check=False)
            return done.returncode == 0 and re.search(says, done.stdout)
        until(what, 20, answered)

    def ask(self, *command, check=True, cwd=None, env=None):
        """A command of Slurm that answers at once."""
        return subprocess.run(list(map(str, command)), env={**self.env, **(env or {})}, cwd=cwd, stdin=subprocess.DEVNULL,
                              text=True, capture_output=True, timeout=PATIENCE * 30, check=check)

    def job(self, number):
        """{key: value} of what scontrol knows of a job; there is no sacct without a database."""
        return dict(re.findall(r"(\w+(?::\w+)?)=(\S*)", self.ask("scontrol", "--oneliner", "show", "job", number).stdout))

    def finished(self, number, seconds=60):
        """What is known of the job when it has ended."""
        def ended():
            job = self.job(number)
            return job if job["JobState"] not in ("PENDING", "CONFIGURING", "RUNNING", "COMPLETING") else None
        return until(f"the end of job {number}", seconds, ended)

    def left(self):
        return processes_of(self.root)

    def stop(self):
        """Ends jobs, then daemons, then whatever bears the name of this cluster; nothing of it is left."""
        with contextlib.suppress(Exception):  # a cluster that did not start has no jobs
            if any(daemon.args[0] == "slurmctld" and daemon.poll() is None for daemon in self.daemons):
                self.ask("scancel", "--full", f"--user={os.getuid()}", check=False)
                until("jobs have ended", 15, lambda: not self.ask("squeue", "--noheader").stdout.strip())
        for daemon in reversed(self.daemons):  # munged last
            if daemon.poll() is None:
                daemon.terminate()
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        try:
            # A step's own daemon ends a moment after its step.
            until("steps have ended", 5, lambda: not self.left())
        except TimeoutError:
            kill_all(self.root, 5)
        shutil.rmtree(self.root, ignore_errors=True)
        os.close(self.guard)


if __name__ == "__main__":  # the guard
    sys.stdin.read()
    kill_all(sys.argv[1], 60)
    shutil.rmtree(sys.argv[1], ignore_errors=True)

"""What the kernel tells: CPU and memory of processes, how busy the machine was, and what machine it is."""
import os
import pathlib
import platform
import subprocess
import tempfile
import threading
import time
from typing import NamedTuple

TICK = os.sysconf("SC_CLK_TCK")
CORES = len(os.sched_getaffinity(0))


class Cpu(NamedTuple):
    """CPU seconds, in the program and in the kernel on its behalf."""
    user: float = 0.0
    system: float = 0.0

    def __sub__(self, before):
        return Cpu(self.user - before.user, self.system - before.system)

    @property
    def total(self):
        return self.user + self.system


def cpu_of(pid, children=False):
    """What a process has used so far; with its children that have ended, where asked."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    user, system, gone_user, gone_system = (int(f) / TICK for f in fields[11:15])
    return Cpu(user + gone_user, system + gone_system) if children else Cpu(user, system)


def cpu_of_family(pid):
    """A process, its children and those that have ended."""
    found = [cpu_of(pid, children=True)]
    for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        try:
            found.append(cpu_of(child, children=True))
        except OSError:
            pass  # ended meanwhile: the next reading has it with the parent
    return Cpu(sum(c.user for c in found), sum(c.system for c in found))


def busy():
    """Seconds that all cores together have been busy, for whomever."""
    user, nice, system, _idle, _wait, irq, softirq, steal = (
        int(f) / TICK for f in pathlib.Path("/proc/stat").read_text().split(maxsplit=9)[1:9])
    return user + nice + system + irq + softirq + steal


def peak_rss(pid):
    """The most memory a process has held since it began, or since `forget_peak`, in bytes."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


def forget_peak(pid):
    pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")


class Finished(NamedTuple):
    """A command that ran to its end."""
    seconds: float
    cpu: Cpu
    peak: int
    stdout: str


def run(command, within=1800, **more):
    """Runs a command to its end and looks at what it cost; raises CalledProcessError where it fails, also where
    it did not end within so many seconds.

    Peak memory is asked of /proc meanwhile: what wait4 tells would count this program's own before the exec.
    """
    with tempfile.TemporaryFile("w+") as stdout, tempfile.TemporaryFile("w+") as stderr:
        began = time.monotonic()
        process = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, **more)
        peaks = [0]
        watcher = threading.Thread(target=watch_peak, args=(process.pid, peaks), daemon=True)
        watcher.start()
        too_long = threading.Timer(within, process.kill)
        too_long.start()
        _, status, usage = os.wait4(process.pid, 0)
        too_long.cancel()
        seconds = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        watcher.join()
        stdout.seek(0)
        stderr.seek(0)
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, command, stdout.read(), stderr.read())
        return Finished(seconds, Cpu(usage.ru_utime, usage.ru_stime), max(peaks), stdout.read())


def watch_peak(pid, peaks):
    """Notes a process's peak memory until it has ended."""
    try:
        while peak := peak_rss(pid):
            peaks.append(peak)
            time.sleep(0.02)
    except OSError:
        pass


def facts(binary):
    """The machine, in a few lines."""
    model = next((line.partition(":")[2].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.machine())
    memory = int(pathlib.Path("/proc/meminfo").read_text().split()[1]) / 2**20
    system = platform.freedesktop_os_release().get("PRETTY_NAME", "Linux")
    version = subprocess.run([binary, "--version"], capture_output=True, text=True).stdout.strip()
    return {
        "machine": f"{CORES} cores of {model}, {memory:.0f} GiB, {system}, Linux {platform.release()}",
        "program": version,
        "busy before": f"{os.getloadavg()[0]:.1f} processes ran or wanted to run in the last minute",
    }

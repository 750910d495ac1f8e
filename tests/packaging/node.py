# SPDX-License-Identifier: Apache-2.0
"""One node for a test: its directory, a credential of another user's, processes, and the daemon in a container."""

import json
import os
import resource
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import manifests

AMBIT = os.environ.get("AMBIT_BINARY", str(manifests.ROOT / "build/release/ambit"))
USER = 1000  # of the processes that are bound
IMAGE = "localhost/ambit:packaging-test"
SECRET = "secret of the packaging test"

# Reads the credential each time that a line comes, and says what it got.
READER = 'while read -r turn; do echo "$turn $(cat "$1" 2>&1)"; done'


def eventually(happens, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if happens():
            return True
        time.sleep(0.05)
    return bool(happens())


class Reader:
    """A process of the host that runs before the task and reads when it is told to."""

    def __init__(self, path):
        self.turn = 0
        self.process = subprocess.Popen(
            ["setpriv", "--reuid", str(USER), "--regid", str(USER), "--clear-groups", "bash", "-c", READER, "reader", path],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd="/",
        )  # fmt: skip
        self.read()  # its program is bash's from here on

    def read(self):
        self.turn += 1
        self.process.stdin.write(f"{self.turn}\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().removeprefix(f"{self.turn} ").rstrip("\n")

    def close(self):
        self.process.kill()
        self.process.communicate()


class Place:
    """Where a test's files are: seen by the container below /host, as all of the host is."""

    def __init__(self):
        self.path = Path(tempfile.mkdtemp(prefix="ambit-packaging."))
        self.path.chmod(0o755)
        home = self.path / "home"
        home.mkdir()
        self.secret = home / "secret"
        self.secret.write_text(SECRET)
        for path in (home, self.secret):
            os.chown(path, USER, USER)
            path.chmod(0o700)
        self.scope = self.path / "scope.yaml"
        self.scope.write_text(
            "apiVersion: ambit.dev/v1\nkind: TaskScope\nmetadata: {name: packaged}\nspec:\n"
            "  agent: spiffe://corp.example/agent/packaged\n  ttl: 5m\n  response: {credential: deny}\n"
        )
        self.credential = (
            "apiVersion: ambit.dev/v1\nkind: Credential\nmetadata: {name: packaging-test}\n"
            f"spec: {{provider: test, files: [{self.secret}]}}\n"
        )

    def remove(self):
        shutil.rmtree(self.path, ignore_errors=True)


def podman(*arguments, **options):
    # The machines of the tests have hybrid cgroups, which Debian's crun refuses.
    return subprocess.run(
        ["podman", "--runtime", runtime(), *arguments], capture_output=True, text=True, timeout=60, **options
    )


def runtime():
    hybrid = Path("/sys/fs/cgroup/unified/cgroup.procs").exists()
    return "runc" if hybrid and shutil.which("runc") else "crun"


def limits():
    """A container gets no more than its caller may give, where podman would raise it."""
    words = []
    for name, kind, most in (("nofile", resource.RLIMIT_NOFILE, 1 << 20), ("nproc", resource.RLIMIT_NPROC, 1 << 15)):
        hard = resource.getrlimit(kind)[1]
        value = most if hard == resource.RLIM_INFINITY else min(hard, most)
        words += ["--ulimit", f"{name}={value}:{value}"]
    return words


class Container:
    """The daemon as the DaemonSet of an overlay starts it."""

    def __init__(self, overlay, place):
        self.place = place
        self.documents = manifests.render(overlay)
        for document in manifests.of_kind(self.documents, "ConfigMap"):
            if document["metadata"]["name"].startswith("ambit-credentials"):
                document["data"]["test.yaml"] = place.credential
        self.container = manifests.container_of(self.documents)
        self.name = f"ambit-packaging-{os.getpid()}-{overlay}"
        # Of this test alone: another daemon of the host may be at /run/ambit, and have its pins in bpffs.
        self.run = place.path / "run"
        self.bpffs = place.path / "bpf"
        self.bpffs.mkdir(exist_ok=True)

    def start(self):
        subprocess.run(["mount", "-t", "bpf", "bpf", str(self.bpffs)], check=True)
        arguments = manifests.podman_arguments(self.documents, self.place.path, {"/run/ambit": str(self.run)})
        started = podman(
            "run", "--detach", "--name", self.name, *limits(), *arguments, "-v", f"{self.bpffs}:/host/sys/fs/bpf",
            IMAGE, *self.container["args"],
        )  # fmt: skip
        if started.returncode:
            raise RuntimeError(f"podman run: {started.stderr}")

    def probe(self, name):
        return podman("exec", self.name, *self.container[name]["exec"]["command"])

    def is_ready(self):
        return self.probe("startupProbe").returncode == 0

    def wait(self):
        if not eventually(lambda: self.is_ready() or not self.runs(), 60) or not self.is_ready():
            raise RuntimeError(f"the container is not ready: {self.logs()}")

    def runs(self):
        return podman("inspect", "--format", "{{.State.Running}}", self.name).stdout.strip() == "true"

    def pid(self):
        return int(podman("inspect", "--format", "{{.State.Pid}}", self.name).stdout)

    def logs(self):
        said = podman("logs", self.name)
        return said.stdout + said.stderr

    def events(self):
        return [json.loads(line) for line in podman("logs", self.name).stdout.splitlines()]

    def task(self, *words):
        """From the host, as an orchestrator does."""
        said = subprocess.run(
            [AMBIT, "task", *words, "--socket", str(self.run / "control.sock"), "--json"], capture_output=True, text=True
        )
        if said.returncode:
            raise RuntimeError(f"ambit task {words}: {said.stdout}{said.stderr}")
        return json.loads(said.stdout)

    def open(self, pid):
        return self.task("open", "--scope", str(self.place.scope), "--pid", str(pid))

    def remove(self):
        podman("rm", "--force", "--time", "5", self.name)
        subprocess.run(["umount", str(self.bpffs)], check=False)

# SPDX-License-Identifier: Apache-2.0
"""The image's container, with the privileges that the DaemonSet names, and a task of a process of this host."""

import functools
import os
import shutil
import signal
import subprocess
import unittest

import manifests
from node import AMBIT, IMAGE, SECRET, Container, Place, Reader, eventually, limits, podman

# What a container of a node has no use for; the image is looked through for each.
NOT_IN_THE_IMAGE = ("sh", "bash", "dash", "busybox", "env", "apt", "dpkg", "perl", "python3", "curl")
MEGABYTE = 1000 * 1000


def why_not():
    missing = [name for name in ("buildah", "podman") if not shutil.which(name)]
    if missing:
        return f"there is no {', no '.join(missing)}"
    if os.geteuid() != 0:
        return "containers with the host's processes need root"
    if not os.path.exists(AMBIT):
        return f"there is no {AMBIT}"
    return manifests.why_not()


def setUpModule():  # noqa: N802 (unittest's name)
    if not why_not():
        subprocess.run([manifests.ROOT / "packaging/container/build", IMAGE, AMBIT], check=True, capture_output=True)


@functools.cache
def why_no_container():
    """A machine whose kernel or sandbox starts no container at all says nothing about ours."""
    tried = podman("run", "--rm", "--network", "host", *limits(), IMAGE, "--version")
    return "" if tried.returncode == 0 else f"podman starts no container here: {tried.stderr.strip()[-200:]}"


def tearDownModule():  # noqa: N802
    if not why_not():
        podman("image", "rm", IMAGE)


@unittest.skipIf(why_not(), why_not())
class TheImage(unittest.TestCase):
    def test_has_no_shell_and_no_package_manager(self):
        made = podman("create", IMAGE).stdout.strip()
        listed = subprocess.run(
            f"podman export {made} | tar -t", shell=True, check=True, capture_output=True, text=True
        ).stdout.splitlines()
        podman("rm", made)
        names = {os.path.basename(line) for line in listed}
        self.assertIn("ambit", names)
        self.assertEqual(names.intersection(NOT_IN_THE_IMAGE), set())

    def test_is_below_thirty_megabytes(self):
        size = int(podman("image", "inspect", "--format", "{{.Size}}", IMAGE).stdout)
        print(f"{size / MEGABYTE:.1f} MB ", end="")
        self.assertLess(size, 30 * MEGABYTE)


@unittest.skipIf(why_not(), why_not())
class TheContainer(unittest.TestCase):
    def setUp(self):
        if why_no_container():
            self.skipTest(why_no_container())
        self.place = Place()
        self.addCleanup(self.place.remove)

    def start(self, overlay):
        container = Container(overlay, self.place)
        self.addCleanup(container.remove)
        container.start()
        container.wait()
        return container

    def reader(self):
        reader = Reader(str(self.place.secret))
        self.addCleanup(reader.close)
        return reader

    def test_enforces_a_task_of_the_hosts_process_and_leaves_none_unbound_at_a_restart(self):
        container = self.start("enforce")
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            self.assertEqual(container.probe(probe).returncode, 0, probe)
        agent, outsider = self.reader(), self.reader()
        self.assertEqual(agent.read(), SECRET)
        task = container.open(agent.process.pid)
        self.assertIn("Operation not permitted", agent.read())
        self.assertEqual(outsider.read(), SECRET)
        findings = [event for event in container.events() if event["finding"]]
        self.assertEqual([event["verdict"]["effective"] for event in findings], ["denied"])
        self.assertEqual(findings[0]["task"]["id"], task["id"])
        self.assertEqual(findings[0]["process"]["exe"], "/usr/bin/cat")
        self.assertEqual(findings[0]["file"]["path"], str(self.place.secret))

        # The runtime ends all of the container, also what holds the tasks. Then the next daemon goes on with them
        # (pins), or the kernel ends their processes with the last of Ambit's; they are never let go.
        podman("restart", "--time", "10", container.name)
        container.wait()
        kept = [each["id"] for each in container.task("list")["tasks"]]
        if kept:
            self.assertEqual(kept, [task["id"]])
            self.assertIn("Operation not permitted", agent.read())
        else:
            self.assertTrue(eventually(lambda: agent.process.poll() == -signal.SIGKILL, 5), "unbound, and lives")
        self.assertEqual(outsider.read(), SECRET)
        another = self.reader()
        container.open(another.process.pid)
        self.assertIn("Operation not permitted", another.read())
        self.assertEqual(outsider.read(), SECRET)

    def test_in_shadow_reports_the_same_and_stops_nothing(self):
        container = self.start("shadow")
        agent = self.reader()
        container.open(agent.process.pid)
        self.assertEqual(agent.read(), SECRET)
        self.assertTrue(eventually(lambda: any(event["finding"] for event in container.events())))
        finding = next(event for event in container.events() if event["finding"])
        self.assertEqual(finding["verdict"]["mode"], "shadow")
        self.assertEqual(finding["verdict"]["requested"], "deny")
        self.assertEqual(finding["verdict"]["effective"], "alerted")

# SPDX-License-Identifier: Apache-2.0
"""The systemd unit: what systemd says of it, and the daemon with exactly its capabilities."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

import manifests
from node import AMBIT, SECRET, Place, Reader, eventually

UNIT = manifests.ROOT / "packaging/ambit.service"
# Without these the daemon could not hold what it promises; the others serve speed and the host.
NEEDED = ("BPF", "PERFMON", "NET_ADMIN", "SYS_ADMIN", "SYS_PTRACE", "DAC_READ_SEARCH", "KILL")
MOST_EXPOSURE = 5.5


def capabilities_of_unit():
    (line,) = re.findall(r"^CapabilityBoundingSet=(.*)$", UNIT.read_text(), re.M)
    return [word.removeprefix("CAP_") for word in line.split()]


def capabilities_of_container():
    return manifests.container_of(manifests.render("enforce"))["securityContext"]["capabilities"]["add"]


def with_capabilities(names):
    """As root with a bounding set has them: systemd sets that, and this does."""
    bounding = ",".join(["-all", *(f"+{name.lower()}" for name in names)])
    return ["setpriv", "--bounding-set", bounding, "--inh-caps", "-all"]


@unittest.skipIf(not shutil.which("systemd-analyze"), "there is no systemd-analyze")
class TheUnit(unittest.TestCase):
    def analyze(self, *words):
        return subprocess.run(["systemd-analyze", *words], capture_output=True, text=True)

    @unittest.skipIf(not os.path.exists(AMBIT), f"there is no {AMBIT}")
    def test_has_no_mistake_that_systemd_sees(self):
        with tempfile.TemporaryDirectory() as scratch:
            unit = Path(scratch) / "ambit.service"
            # What it starts need not be installed here.
            unit.write_text(UNIT.read_text().replace("/usr/bin/ambit", AMBIT))
            said = self.analyze("verify", "--man=no", str(unit))
        self.assertEqual((said.returncode, said.stdout + said.stderr), (0, ""))

    def test_exposes_no_more_than_its_privileges_ask_for(self):
        said = self.analyze("security", "--offline=true", "--no-pager", str(UNIT)).stdout
        (figure,) = re.findall(r"Overall exposure level for \S+: ([0-9.]+)", said)
        print(f"{figure} ", end="")
        self.assertLessEqual(float(figure), MOST_EXPOSURE)


@unittest.skipIf(os.geteuid() != 0, "capabilities need root")
@unittest.skipIf(not os.path.exists(AMBIT), f"there is no {AMBIT}")
class TheDaemon(unittest.TestCase):
    def setUp(self):
        self.place = Place()
        self.addCleanup(self.place.remove)
        (self.place.path / "credentials.yaml").write_text(self.place.credential)
        self.socket = self.place.path / "run/control.sock"
        self.config = self.place.path / "node.yaml"
        self.config.write_text(
            "apiVersion: ambit.dev/v1\nkind: Config\nmetadata: {name: node}\nspec:\n"
            f"  socket: {self.socket}\n  events: {self.place.path}/events.ndjson\n"
            f"  catalogue: [{self.place.path}/credentials.yaml]\n  onStop: release\n"
        )

    def start(self, capabilities):
        daemon = subprocess.Popen(
            [*with_capabilities(capabilities), AMBIT, "daemon", "--config", str(self.config)],
            stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        self.addCleanup(daemon.communicate)
        self.addCleanup(daemon.terminate)
        eventually(lambda: self.ask("status").returncode == 0 or daemon.poll() is not None, 60)
        return daemon

    def ask(self, *words):
        return subprocess.run([AMBIT, *words, "--socket", str(self.socket)], capture_output=True, text=True)

    def reader(self):
        reader = Reader(str(self.place.secret))
        self.addCleanup(reader.close)
        return reader

    def test_enforces_with_the_capabilities_of_the_unit_and_no_others(self):
        daemon = self.start(capabilities_of_unit())
        self.assertIsNone(daemon.poll())
        agent, outsider = self.reader(), self.reader()
        opened = self.ask("task", "open", "--scope", str(self.place.scope), "--pid", str(agent.process.pid))
        self.assertEqual(opened.returncode, 0, opened.stderr)
        self.assertIn("Operation not permitted", agent.read())
        self.assertEqual(outsider.read(), SECRET)
        task = opened.stdout.split()[1]
        self.assertEqual(self.ask("task", "close", task, "--kill").returncode, 0)
        self.assertTrue(eventually(lambda: agent.process.poll() is not None, 5))
        self.assertEqual(outsider.read(), SECRET)

    def test_says_which_capability_is_missing_and_does_not_start(self):
        for name in NEEDED:
            with self.subTest(name):
                daemon = self.start([each for each in capabilities_of_unit() if each != name])
                self.assertEqual(daemon.wait(10), 125)
                self.assertIn(f"CAP_{name}", daemon.stderr.read())

    @unittest.skipIf(manifests.why_not(), manifests.why_not())
    def test_needs_in_a_container_what_the_unit_gives_and_what_units_have_otherwise(self):
        # chroot() for --root; mlock() where no LimitMEMLOCK can be said.
        self.assertEqual(
            set(capabilities_of_container()), set(capabilities_of_unit()) | {"SYS_CHROOT", "IPC_LOCK"}
        )

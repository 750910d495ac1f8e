# SPDX-License-Identifier: Apache-2.0
"""What the overlays come to."""

import copy
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

import manifests
from node import AMBIT


@unittest.skipIf(manifests.why_not(), manifests.why_not())
class TheManifests(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.shadow = manifests.render("shadow")
        cls.enforce = manifests.render("enforce")

    def test_of_both_overlays_differ_in_one_word(self):
        shadow = copy.deepcopy(self.shadow)
        manifests.container_of(shadow)["args"].remove("--shadow")
        self.assertEqual(shadow, self.enforce)

    def test_grant_nothing_in_the_cluster(self):
        kinds = {document["kind"] for document in self.enforce}
        self.assertEqual(kinds, {"Namespace", "ServiceAccount", "ConfigMap", "DaemonSet"})
        (account,) = manifests.of_kind(self.enforce, "ServiceAccount")
        self.assertFalse(account["automountServiceAccountToken"])
        self.assertFalse(manifests.pod_of(self.enforce)["automountServiceAccountToken"])

    def test_have_no_key_that_the_api_does_not_know(self):
        (daemon_set,) = manifests.of_kind(self.enforce, "DaemonSet")
        self.assertEqual(manifests.lost(daemon_set, manifests.as_the_api_knows_it(daemon_set)), [])
        daemon_set = copy.deepcopy(daemon_set)
        daemon_set["spec"]["template"]["spec"]["hostProcesses"] = True  # the check sees such a thing
        self.assertEqual(
            manifests.lost(daemon_set, manifests.as_the_api_knows_it(daemon_set)),
            ["/spec/template/spec/hostProcesses"],
        )

    def test_name_every_privilege(self):
        context = manifests.container_of(self.enforce)["securityContext"]
        self.assertFalse(context["privileged"])
        self.assertTrue(context["readOnlyRootFilesystem"])
        self.assertEqual(context["capabilities"]["drop"], ["ALL"])
        self.assertNotIn("hostIPC", manifests.pod_of(self.enforce))

    def test_mount_every_volume_and_every_config_map(self):
        pod = manifests.pod_of(self.enforce)
        mounts = {mount["name"] for mount in manifests.container_of(self.enforce)["volumeMounts"]}
        self.assertEqual(mounts, {volume["name"] for volume in pod["volumes"]})
        used = {volume["configMap"]["name"] for volume in pod["volumes"] if "configMap" in volume}
        made = {document["metadata"]["name"] for document in manifests.of_kind(self.enforce, "ConfigMap")}
        self.assertEqual(used, made)

    @unittest.skipIf(not os.path.exists(AMBIT), f"there is no {AMBIT}")
    def test_bring_documents_that_ambit_check_takes(self):
        for documents in (self.shadow, self.enforce):
            with tempfile.TemporaryDirectory() as scratch:
                for document in manifests.of_kind(documents, "ConfigMap"):
                    for name, text in document["data"].items():
                        (Path(scratch) / name).write_text(text)
                said = subprocess.run([AMBIT, "check", scratch], capture_output=True, text=True)
                self.assertEqual(said.returncode, 0, said.stdout + said.stderr)

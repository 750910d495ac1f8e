#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The page of what became of each way around, on results as tests/kernel/evasion leaves them."""

import json
import subprocess
import tempfile
import unittest
from pathlib import Path

CONTAINMENT = Path(__file__).resolve().parents[2] / "scripts/lib/containment"


def result(mode="deny", got="D", **more):
    line = {"row": "F1", "case": "open", "mode": mode, "result": got, "best": "D", "cause": "", "faults": [],
            "kernel": "6.1.0-1", "backend": "lsm"}
    return line | more


class Containment(unittest.TestCase):
    def run_it(self, command, *lines):
        """Exit status, output, and the two files that it made."""
        with tempfile.TemporaryDirectory() as directory:
            run = Path(directory, "guest-6.1-lsm")
            run.mkdir()
            (run / "containment.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
            arguments = [CONTAINMENT, command, directory] + ([directory] if command == "page" else [])
            done = subprocess.run(arguments, capture_output=True, text=True)
            made = [Path(directory, name) for name in ("CONTAINMENT.md", "containment.json")]
            return done.returncode, done.stdout + done.stderr, [path.read_text() if path.exists() else "" for path in made]

    def test_counts_each_kernel_and_backend(self):
        status, text, _ = self.run_it("counts", result(), result(case="b", got="n/a"), result("kill", "K"),
                                      result("allow", "ok"), result("allow", "refused", case="b"))
        self.assertEqual(status, 0)
        self.assertEqual(text, "containment, Linux 6.1 lsm: 1 D, 1 n/a; with kill: 1 K; "
                               "allowed: 1 of 2 without a refusal or a finding\n")

    def test_makes_a_page_with_the_sentence_of_what_falls_short(self):
        status, text, (page, facts) = self.run_it("page", result(got="-", why="Nobody sees it."))
        self.assertEqual(status, 0, text)
        self.assertIn("| open | – |", page)
        self.assertIn("open (6.1 lsm): Nobody sees it.", page)
        self.assertEqual(json.loads(facts)["columns"][0]["short"],
                         [{"result": "-", "ways": ["F1 open"], "why": "Nobody sees it."}])

    def test_fails_where_no_sentence_says_why(self):
        status, text, _ = self.run_it("page", result(got="K"))
        self.assertEqual(status, 1)
        self.assertIn("F1 open on 6.1 lsm is less than the best", text)

    def test_fails_where_a_case_applies_nowhere(self):
        status, text, _ = self.run_it("page", result(got="n/a", cause="no such call"))
        self.assertEqual(status, 1)
        self.assertIn("F1 open applies nowhere", text)

    def test_fails_without_results(self):
        self.assertEqual(self.run_it("counts")[0], 1)


if __name__ == "__main__":
    unittest.main()

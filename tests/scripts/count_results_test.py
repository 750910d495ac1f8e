#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The count at the end of scripts/test, on results as run-gtests leaves them."""

import subprocess
import tempfile
import unittest
from pathlib import Path

COUNT = Path(__file__).resolve().parents[2] / "scripts/lib/count-results"
PASSED = '<testcase name="Passes" status="run" result="completed" classname="A"/>'
FAILED = (
    '<testcase name="Fails" status="run" classname="A">'
    '<failure message="a.cpp:1&#x0A;Which is: no"/></testcase>'
)
SKIPPED = (
    '<testcase name="Skips" status="run" result="skipped" classname="A">'
    '<skipped message="a.cpp:1&#x0A;no io_uring here"/></testcase>'
)
DISABLED = '<testcase name="DISABLED_B" status="notrun" result="suppressed" classname="A"/>'


def xml(*cases):
    return f'<testsuites><testsuite name="A">{"".join(cases)}</testsuite></testsuites>'


class CountResults(unittest.TestCase):
    def run_count(self, results, gates=""):
        """results: program -> (exit status, XML or None). Returns exit status, last line, output."""
        with tempfile.TemporaryDirectory() as directory:
            run = Path(directory, "unit")
            run.mkdir()
            for name, (status, text) in results.items():
                (run / f"{name}.status").write_text(f"{status}\n")
                if text is not None:
                    (run / f"{name}.xml").write_text(text)
            if gates:
                Path(directory, "failed-gates").write_text(gates)
            done = subprocess.run([COUNT, directory], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout.splitlines()[-1], done.stdout

    def test_passed_and_skipped_with_its_reason(self):
        status, line, output = self.run_count({"a": (0, xml(PASSED, SKIPPED, DISABLED))})
        self.assertEqual((0, "1 passed, 0 failed, 2 skipped"), (status, line))
        self.assertIn("skipped  unit: A.Skips: no io_uring here", output)
        self.assertIn("skipped  unit: A.DISABLED_B: disabled", output)

    def test_a_failed_test_is_named_with_what_it_said(self):
        status, line, output = self.run_count({"a": (1, xml(PASSED, FAILED))})
        self.assertEqual((1, "1 passed, 1 failed, 0 skipped"), (status, line))
        self.assertIn("failed   unit: A.Fails: a.cpp:1 Which is: no", output)

    def test_a_program_that_died_is_a_failure(self):
        for text in (None, "", "<testsuites><testsuite"):
            status, line, _ = self.run_count({"a": (134, text), "b": (0, xml(PASSED))})
            self.assertEqual((1, "1 passed, 1 failed, 0 skipped"), (status, line))

    def test_an_exit_status_that_no_test_explains_is_a_failure(self):
        status, line, _ = self.run_count({"a": (1, xml(PASSED))})
        self.assertEqual((1, "1 passed, 1 failed, 0 skipped"), (status, line))

    def test_a_program_without_tests_is_a_failure(self):
        status, line, _ = self.run_count({"a": (0, xml()), "b": (0, xml(PASSED))})
        self.assertEqual((1, "1 passed, 1 failed, 0 skipped"), (status, line))

    def test_a_failed_gate_is_a_failure(self):
        status, line, output = self.run_count({"a": (0, xml(PASSED))}, gates="format\n")
        self.assertEqual((1, "1 passed, 1 failed, 0 skipped"), (status, line))
        self.assertIn("failed   gate: format", output)

    def test_nothing_at_all_is_no_success(self):
        self.assertEqual((1, "0 passed, 0 failed, 0 skipped"), self.run_count({})[:2])


if __name__ == "__main__":
    unittest.main()

# SPDX-License-Identifier: Apache-2.0
"""Runs unittest classes as scripts/lib/run-gtests expects of a program: --gtest_output=xml:FILE."""

import sys
import time
import unittest
import xml.etree.ElementTree as ElementTree


class Result(unittest.TextTestResult):
    """Keeps a row of each test: its id, seconds, and what became of it."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.rows = []
        self.started = 0.0

    def startTest(self, test):  # noqa: N802 (unittest's name)
        self.started = time.monotonic()
        super().startTest(test)

    def _keep(self, test, tag=None, message=""):
        self.rows.append((test.id(), time.monotonic() - self.started, tag, message))

    def addSuccess(self, test):  # noqa: N802
        super().addSuccess(test)
        self._keep(test)

    def addFailure(self, test, err):  # noqa: N802
        super().addFailure(test, err)
        self._keep(test, "failure", str(err[1]))

    def addError(self, test, err):  # noqa: N802
        super().addError(test, err)
        self._keep(test, "failure", repr(err[1]))

    def addSkip(self, test, reason):  # noqa: N802
        super().addSkip(test, reason)
        # count-results takes the first line for GoogleTest's file:line.
        self._keep(test, "skipped", f"{test.id()}\n{reason}")


def write(rows, path):
    root = ElementTree.Element("testsuites")
    suite = ElementTree.SubElement(root, "testsuite", name="packaging")
    for identity, seconds, tag, message in rows:
        # What fails for a whole module is called "setUpModule (module)".
        parts = ["packaging", *identity.split(" ")[0].split(".")]
        case = ElementTree.SubElement(
            suite, "testcase", name=parts[-1], classname=parts[-2], time=f"{seconds:.3f}", status="run"
        )
        if tag:
            ElementTree.SubElement(case, tag, message=message)
    ElementTree.ElementTree(root).write(path, encoding="unicode")


def main(modules):
    output = None
    for argument in sys.argv[1:]:
        if argument.startswith("--gtest_output=xml:"):
            output = argument.removeprefix("--gtest_output=xml:")
        else:
            sys.exit(f"unknown argument: {argument}")
    loader = unittest.TestLoader()
    suite = unittest.TestSuite(loader.loadTestsFromModule(module) for module in modules)
    runner = unittest.TextTestRunner(verbosity=2, resultclass=Result)
    result = runner.run(suite)
    if output:
        write(result.rows, output)
    sys.exit(0 if result.wasSuccessful() and result.testsRun else 1)

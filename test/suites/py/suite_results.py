"""Writes what came of each test to the file SUITES_RESULTS: one JSON line when it starts, one when it ends.

Lines are written at once, so that what had passed before a crash is known, and which test was running. As a pytest plugin
(`-p suite_results`) it needs pytest only; as a script it runs the unittest modules, classes or tests that it is given.
"""

import faulthandler
import json
import os
import sys

_file = open(os.environ["SUITES_RESULTS"], "a", encoding="utf-8", buffering=1)
_process = os.getpid()
_stderr = os.dup(2)  # pytest captures the other
_failed = set()
_hang = int(os.environ["SUITES_HANG"])  # seconds after which a test ends the process


def _write(name, outcome):
    if os.getpid() == _process:  # a test that forks runs on in its child
        _file.write(json.dumps([name, outcome]) + "\n")
        # Also after a test: its loop may be closed only then (unittest's IsolatedAsyncioTestCase).
        faulthandler.dump_traceback_later(_hang, exit=True, file=_stderr)


def pytest_runtest_logstart(nodeid, location):
    _write(nodeid, "started")


def pytest_runtest_logreport(report):
    if report.outcome == "failed":
        _failed.add(report.nodeid)
    if report.when == "teardown":
        outcome = "failed" if report.nodeid in _failed else _called.pop(report.nodeid, "skipped")
        _write(report.nodeid, outcome)
    elif report.when == "call":
        _called[report.nodeid] = report.outcome


_called = {}


def _run_unittest(names):
    import unittest

    class Result(unittest.TextTestResult):
        def startTest(self, test):
            super().startTest(test)
            self.outcome = "passed"
            _write(test.id(), "started")

        def stopTest(self, test):
            super().stopTest(test)
            _write(test.id(), self.outcome)

        def addSkip(self, test, reason):
            super().addSkip(test, reason)
            self.outcome = "skipped"

        def addError(self, test, error):
            super().addError(test, error)
            self.outcome = "failed"

        def addFailure(self, test, error):
            super().addFailure(test, error)
            self.outcome = "failed"

        def addSubTest(self, test, subtest, error):
            super().addSubTest(test, subtest, error)
            if error is not None:
                self.outcome = "failed"

        def addExpectedFailure(self, test, error):
            super().addExpectedFailure(test, error)
            self.outcome = "skipped"

        def addUnexpectedSuccess(self, test):
            super().addUnexpectedSuccess(test)
            self.outcome = "failed"

    try:
        suite = unittest.defaultTestLoader.loadTestsFromNames(names)
    except unittest.SkipTest as reason:
        print("skip:", reason)
        return
    unittest.TextTestRunner(verbosity=2, resultclass=Result).run(suite)


if __name__ == "__main__":
    if os.environ.get("SUITES_BOUNCE"):
        import suite_bounce  # noqa: F401
    sys.path[0] = os.getcwd()
    _run_unittest(sys.argv[1:])

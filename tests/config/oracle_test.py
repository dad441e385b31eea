#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""lb.conf beside Debian's `keepalived -t`: the two agree on what is right and what is an error, for every file of the
corpus, every sample of keepalived's package and mutants of both, or differences.toml has the reason.

    LBDP_ORACLE_SEED     another seed for the mutants than the one that the tests always use
    LBDP_ORACLE_MUTANTS  another number of them
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

import mutations
import oracle

SEED = 20220116
MUTANTS = 1500
SHOWN = 60


class OracleTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        directory = cls.enterClassContext(tempfile.TemporaryDirectory(prefix="lbdp-oracle-"))
        cls.directory = pathlib.Path(directory)
        cls.corpus = oracle.unfold(oracle.CORPUS, cls.directory / "corpus")
        cls.samples = oracle.samples()
        cls.differences = oracle.Differences()
        cls.keepalived = dict(zip(cls.corpus, oracle.ask_keepalived_of_all(cls.corpus)))
        cls.lbdp = dict(zip(cls.corpus, oracle.ask_lbdp_of_all(cls.corpus)))

    def complain(self, findings):
        """Fails with the first findings, if there are any."""
        findings = [finding for finding in findings if finding]
        if findings:
            more = f"\n... and {len(findings) - SHOWN} more" if len(findings) > SHOWN else ""
            self.fail(f"{len(findings)} unexplained:\n" + "\n".join(findings[:SHOWN]) + more)

    def judge_all(self, cases, keepalived, lbdp):
        return [self.differences.judge(*three) for three in zip(cases, keepalived, lbdp)]

    def test_1_corpus(self):
        self.assertGreater(sum(case.line == 0 for case in self.corpus), 250)
        self.complain(self.judge_all(self.corpus, self.keepalived.values(), self.lbdp.values()))

    def test_2_files_with_variants_are_right(self):
        """An error in the file itself would hide those of its variants."""
        bases = {case.path: case for case in self.corpus if case.line == 0}
        varied = {case.path.with_name(case.path.name.rpartition(".")[0]) for case in self.corpus if case.line}
        for path in sorted(varied):
            case = bases[path]
            with self.subTest(case.name):
                self.assertEqual(self.differences.errors_of_keepalived(self.keepalived[case]), [])
                self.assertEqual(self.lbdp[case].complaints, [])

    def test_3_samples(self):
        self.assertGreaterEqual(len(self.samples), 25, "keepalived's package has its samples: is its doc directory left out?")
        self.complain(self.judge_all(self.samples, oracle.ask_keepalived_of_all(self.samples),
                                     oracle.ask_lbdp_of_all(self.samples)))

    def test_4_mutants(self):
        seed = int(os.environ.get("LBDP_ORACLE_SEED", SEED))
        number = int(os.environ.get("LBDP_ORACLE_MUTANTS", MUTANTS))
        print(f"seed {seed}, {number} mutants", file=sys.stderr)
        mutants = list(self.mutants(seed, number))
        findings = self.judge_all(mutants, oracle.ask_keepalived_of_all(mutants), oracle.ask_lbdp_of_all(mutants))
        self.keep([case for case, finding in zip(mutants, findings) if finding])
        self.complain(findings)

    def mutants(self, seed, number):
        """Mutants of files that both read, beside the files that they come from, because of includes."""
        shutil.copytree(oracle.SAMPLES, self.directory / "samples")
        originals = sorted((self.directory / "samples").glob("keepalived.conf.*"))
        originals += [case.path for case in self.corpus if case.line == 0]
        for index in range(number):
            original = originals[index % len(originals)]
            path = original.with_name(f"{original.name}.mutant{index}")
            path.write_bytes(mutations.mutant(original.read_bytes(), f"{seed} {index}"))
            yield oracle.Case(f"mutant {index} of {original.relative_to(self.directory)}", path)

    def keep(self, cases):
        """Copies cases to where they outlive the test, for a person to look at."""
        if not cases:
            return
        kept = pathlib.Path(tempfile.mkdtemp(prefix="lbdp-oracle-kept-"))
        for case in cases[:SHOWN]:
            shutil.copy(case.path, kept / case.path.name)
        print(f"unexplained mutants are in {kept}", file=sys.stderr)

    def test_5_every_row_of_the_table_is_needed(self):
        if "LBDP_ORACLE_SEED" in os.environ or "LBDP_ORACLE_MUTANTS" in os.environ:
            return
        self.assertEqual(self.differences.unneeded(), [])

    def test_6_the_program_says_the_same(self):
        """`lbdp -t` for each file as it is: its exit code against the verdicts of the reader alone."""
        for case in (case for case in self.corpus if case.line == 0):
            command = [oracle.BUILD / "lbdp", "-t", "-i", oracle.CONFIG_ID, "-c", case.path]
            result = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=60, check=False)
            with self.subTest(case.name):
                self.assertEqual(result.returncode, 3 if self.lbdp[case].complaints else 0, result.stdout + result.stderr)
                self.assertEqual(": error: " in result.stderr, bool(self.lbdp[case].complaints), result.stderr)

    def test_7_every_keyword_has_a_case(self):
        """Each row of the tables stands in the corpus, in its block."""
        rows = subprocess.run([oracle.VERDICTS, "--rows"], capture_output=True, text=True, timeout=60, check=True)
        used = set()
        for case in self.corpus:
            used |= oracle.statements(case.path.read_text(errors="replace"))
        missing = [row for row in rows.stdout.splitlines() if row not in used]
        self.assertEqual(missing, [])


if __name__ == "__main__":
    if os.geteuid() != 0:
        sys.exit("keepalived is asked in a network namespace: run this as root")
    oracle.in_namespace()
    unittest.main(verbosity=2)

# SPDX-License-Identifier: BSD-2-Clause
"""Debian's `keepalived -t` and lbdp on the same files: the corpus, both verdicts, and the table of differences.

A file of the corpus may hold variants of itself in comments, each of which is a case of its own:

    #? LINE      instead of the line above (above other variants), LINE
    #+ LINE      LINE in addition, here;  " ;; " stands for the end of a line

A case is named by its file, for a variant with the line that it stands on: "vrrp_instance/priority.conf:7".
"""

import concurrent.futures
import dataclasses
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tomllib

HERE = pathlib.Path(__file__).resolve().parent
TREE = HERE.parents[1]
BUILD = pathlib.Path(os.environ.get("LBDP_BUILD", TREE / "build"))
CORPUS = HERE / "keepalived"
SAMPLES = pathlib.Path("/usr/share/doc/keepalived/samples")
VERDICTS = BUILD / "tests" / "config" / "config_verdicts"
# Both run under this name, so that "@director" is for both, and "@lbdp" for lbdp alone.
CONFIG_ID = "director"
# A hang is told by the processor time that it burns, so that a busy machine makes none; the wall clock is a backstop.
KEEPALIVED_CPU_S = 2
KEEPALIVED_DEADLINE_S = 60
# 2 is what it says of a missing parameter, beside those of its manual page: 4 fatal, 5 errors, 6 script security.
KEEPALIVED_VERDICTS = (0, 2, 4, 5, 6)
_MARKER = re.compile(rb"^\s*#([?+]) ?(.*)$")
_PLACE = re.compile(r"^\((?:(?P<file>[^()]*): )?Line (?P<line>\d+)\) ")


@dataclasses.dataclass(frozen=True)
class Case:
    """One file to judge. `line` is the line of the variant, 0 for the file as it is."""

    name: str
    path: pathlib.Path
    line: int = 0


def variants(text):
    """The variants in a file's bytes: (line, the text with that one variant in it)."""
    lines = text.split(b"\n")
    live = None
    for index, line in enumerate(lines):
        marker = _MARKER.match(line)
        if marker is None:
            if line.strip() and not line.lstrip().startswith((b"#", b"!")):
                live = index
            continue
        kind, words = marker.groups()
        changed = list(lines)
        changed[index] = words.replace(b" ;; ", b"\n")
        if kind == b"?":
            if live is None:
                raise ValueError(f"line {index + 1}: a variant of no line")
            del changed[live]
        yield index + 1, b"\n".join(changed)


def unfold(corpus, directory):
    """Copies the corpus into `directory`, each variant as a file beside its own, and returns all cases by name."""
    shutil.copytree(corpus, directory, dirs_exist_ok=True)
    cases = []
    for path in sorted(directory.rglob("*.conf")):
        name = str(path.relative_to(directory))
        cases.append(Case(name, path))
        for line, text in list(variants(path.read_bytes())):
            variant = path.with_name(f"{path.name}.{line}")
            variant.write_bytes(text)
            cases.append(Case(f"{name}:{line}", variant, line))
    return cases


def samples():
    """The configuration files that keepalived's package brings."""
    return [Case(f"samples/{path.name}", path) for path in sorted(SAMPLES.glob("keepalived.conf.*"))]


def _set_up_network():
    """Interfaces for keepalived in this process's network namespace, which must be a new one: eth0 to eth3 and eth0.1."""
    links = (("eth0", "eth1"), ("eth2", "eth3"), ("eth0.1", "peer0"))
    addresses = (("10.0.0.2/8", "eth0"), ("172.16.0.2/12", "eth1"), ("192.168.200.5/24", "eth2"), ("10.99.0.2/24", "eth0.1"))
    commands = ["link set lo up"]
    commands += [f"link add {one} type veth peer name {other}" for one, other in links]
    commands += [f"link set {name} up" for pair in links for name in pair]
    commands += [f"addr add {address} dev {name}" for address, name in addresses]
    subprocess.run(["ip", "-batch", "-"], input="\n".join(commands), text=True, check=True)


def in_namespace():
    """Runs this script again in a network namespace of its own, with the interfaces that the files name."""
    marker = "LBDP_ORACLE_NAMESPACE"
    if os.environ.get(marker) == "1":
        _set_up_network()
        return
    os.environ[marker] = "1"
    os.execvp("unshare", ["unshare", "--net", sys.executable, "-B", *sys.argv])


@dataclasses.dataclass
class Verdict:
    """What one of the two says of a case: its complaints. `crash`: how it ended, if it came to no verdict."""

    complaints: list
    crash: str = ""


def ask_keepalived(case):
    """Runs `keepalived -t`. A verdict has every message once, without its place."""
    command = ["prlimit", f"--cpu={KEEPALIVED_CPU_S}", "keepalived", "-t", "-i", CONFIG_ID, "-f", str(case.path)]
    result = subprocess.run(command, capture_output=True, timeout=KEEPALIVED_DEADLINE_S, check=False, cwd=case.path.parent,
                            start_new_session=True)
    messages = _messages(result.stderr)
    if result.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        return Verdict(messages, "hang")
    if result.returncode < 0:
        return Verdict(messages, signal.Signals(-result.returncode).name)
    if result.returncode not in KEEPALIVED_VERDICTS:
        return Verdict(messages, f"exit {result.returncode}")
    if (result.returncode == 0) != (not messages):
        return Verdict(messages or [f"exit {result.returncode} without a message"])
    return Verdict(messages)


def _messages(output):
    lines = output.decode(errors="replace").splitlines()
    return list(dict.fromkeys(_PLACE.sub("", line).strip() for line in lines if line.strip()))


def ask_keepalived_of_all(cases):
    """A list of verdicts in the order of the cases; as many at a time as there are processors."""
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return list(pool.map(ask_keepalived, cases))


def ask_lbdp_of_all(cases):
    """lbdp's verdicts, from one process. A verdict's complaints are errors, places included."""
    names = "".join(f"{case.path}\n" for case in cases)
    result = subprocess.run([VERDICTS, "--id", CONFIG_ID], input=names, capture_output=True, text=True, errors="replace",
                            timeout=300, check=False)
    verdicts, errors, said = [], [], 0
    for line in result.stdout.splitlines():
        if line in ("= ok", "= error"):
            if (line == "= error") != bool(errors):
                errors.append(f"'{line}' without an error's line")
            verdicts.append(Verdict(errors))
            errors = []
        elif re.search(r": error: ", line):
            errors.append(line)
    if result.returncode != 0:
        said = len(verdicts)
        culprit = cases[said].name if said < len(cases) else "the end"
        raise AssertionError(f"lbdp's reader ended with {result.returncode} at {culprit}:\n{result.stderr[-4000:]}")
    return verdicts


class Differences:
    """The table of differences, differences.toml, and which of its rows have been needed."""

    def __init__(self, path=HERE / "differences.toml"):
        table = tomllib.loads(path.read_text())
        self.rules = {}
        for kind in ("warnings", "lenient", "strict", "crashes"):
            self.rules[kind] = [(re.compile(pattern), reason) for pattern, reason in table.get(kind, [])]
        self.cases = {name: reason for name, reason in table.get("cases", [])}
        self.needed = set()

    def _all_match(self, kind, messages):
        """Whether each message is matched by a rule of the kind; the rules then count as needed."""
        found = [next((rule for rule, _ in self.rules[kind] if rule.search(message)), None) for message in messages]
        if not messages or None in found:
            return False
        self.needed.update((kind, rule.pattern) for rule in found)
        return True

    def errors_of_keepalived(self, verdict):
        """Its complaints without mere warnings."""
        return [message for message in verdict.complaints if not self._all_match("warnings", [message])]

    def judge(self, case, keepalived, lbdp):
        """Empty if the two agree or the table has the reason why not; otherwise what is wrong, for a person."""
        if keepalived.crash:
            end = f"{keepalived.crash}: {''.join(keepalived.complaints[-1:])}"
            return "" if self._all_match("crashes", [end]) else f"{case.name}: keepalived: {end}"
        errors = self.errors_of_keepalived(keepalived)
        agree = bool(errors) == bool(lbdp.complaints)
        if case.name in self.cases:
            self.needed.add(("cases", case.name))
            return f"{case.name}: agrees now: {self.cases[case.name]}" if agree else ""
        if agree or self._all_match("strict" if lbdp.complaints else "lenient", lbdp.complaints or errors):
            return ""
        if errors:
            return f"{case.name}: keepalived refuses what lbdp takes: {errors}"
        return f"{case.name}: lbdp refuses what keepalived takes: {lbdp.complaints}"

    def unneeded(self):
        """Rows without which the outcome would have been the same."""
        rows = [(kind, rule.pattern) for kind, rules in self.rules.items() for rule, _ in rules]
        rows += [("cases", name) for name in self.cases]
        return [row for row in rows if row not in self.needed]


def statements(text):
    """The statements of a file as rows of the tables are named: the keywords of the blocks around, and the keyword. Braces
    count where they stand, quotes and comments as far as the corpus has them."""
    text = re.sub(r"^\s*@\S+\s", "", text, flags=re.MULTILINE)
    text = re.sub(r'"[^"\n]*"', "quoted", re.sub(r"[#!].*", "", text))
    found, around, keyword = set(), [], ""
    for line in text.replace("{", "\n{\n").replace("}", "\n}\n").splitlines():
        words = line.split()
        if words == ["{"]:
            around.append(keyword)
        elif words == ["}"]:
            del around[-1:]
        elif words:
            keyword = words[0]
            found.add(" ".join([*around, keyword]))
    return found

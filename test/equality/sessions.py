"""Sessions in which the same statement is run, and what came out of it.

Python standard library and psql only; the pipe to psql is that of the
benchmarks (bench/psql_session.py).
"""
import collections
import hashlib
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "bench"))
import psql_session                                         # noqa: E402

ERROR = re.compile(r"^(?:ERROR|FATAL|PANIC):  ([0-9A-Z]{5}): (.*)")
NOISE = re.compile(r"^(DETAIL|HINT|CONTEXT|LOCATION|QUERY|STATEMENT|NOTICE|"
                   r"WARNING|INFO|LOG):|^LINE \d+:|^ *\^$")
TIMED_OUT = "57014"
NUMBER = re.compile(r"-?\d+\.\d+")


def one_scale(line):
    """0.00 and 0.0 are equal, and DISTINCT or UNION may keep either."""
    return "\x1f".join(f.rstrip("0").rstrip(".") if NUMBER.fullmatch(f) else f
                       for f in line.split("\x1f"))


# state: SQLSTATE, "00000" for success, "08006" for a lost connection
Outcome = collections.namedtuple("Outcome", "state message rows digest")


class Session:
    """One connection, made again when it is lost."""

    def __init__(self, url, name, sets):
        self.url, self.name, self.sets = url, name, list(sets)
        self.lost = 0
        self.connect()

    def connect(self):
        self.psql = psql_session.Psql(self.url, [], None, 0)
        self.must("\\timing off\n\\set VERBOSITY verbose\n\\pset null <null>\n"
                  "SET client_min_messages = error;\n"
                  "SET application_name = 'equality %s';" % self.name)
        for setting in self.sets:
            self.must("SET %s;" % setting)

    def must(self, text):
        """Rows of what may not fail.  A time-out that is in force may strike
        a mere SET when the machine is busy: then once more."""
        for _ in range(50):
            lines, _ = self.psql.cmd(text)
            errors = [x for x in lines if x == psql_session.LOST or
                      x.startswith(("ERROR:", "FATAL:", "psql: error"))]
            if not any(TIMED_OUT in x for x in errors):
                break
        if errors:
            raise RuntimeError("%s: %s" % (text, errors))
        return [x for x in lines if not NOISE.match(x)]

    def run(self, statement):
        lines, _ = self.psql.cmd(statement + ";")
        rows, state, message = [], "00000", ""
        for line in lines:
            error = ERROR.match(line)
            if line == psql_session.LOST or "server closed the conn" in line:
                state, message = "08006", "connection lost"
                break
            if error and state == "00000":
                state, message = error.groups()
            elif state != "00000" or NOISE.match(line):
                continue
            else:
                rows.append(one_scale(line))
        if state == "08006":
            self.lost += 1
            self.psql.close()
            self.connect()
        rows.sort()
        return Outcome(state, message, rows, hashlib.sha256(
            "\n".join(rows).encode()).hexdigest()[:16])

    def value(self, statement):
        return "\n".join(self.must(statement + ";"))

    def close(self):
        self.psql.close()


class Report:
    """What was counted, and the first of everything that was wrong."""

    SHOWN = 40

    def __init__(self):
        self.n = collections.Counter()
        self.shown = collections.Counter()

    def say(self, what, where, statement, detail=""):
        self.shown[what] += 1
        if self.shown[what] > self.SHOWN:
            return
        print("%s (%s): %s" % (what.upper(), where, statement))
        if detail:
            print("    " + detail.replace("\n", "\n    "))
        sys.stdout.flush()

    def compare(self, statement, where, stock, ours):
        """One run against the stock planner's."""
        if ours.state == TIMED_OUT:
            self.n["given_up"] += 1
            return
        self.n["runs"] += 1
        if ours.state == "08006":
            self.n["crashes"] += 1
            self.say("lost session", where, statement)
        elif (stock.state, stock.message) != (ours.state, ours.message):
            self.errors_differ(statement, where, stock, ours)
        elif stock.digest != ours.digest:
            self.n["mismatches"] += 1
            self.say("mismatch", where, statement, difference(stock, ours))

    def errors_differ(self, statement, where, stock, ours):
        """Which row fails first, and whether it is looked at at all, is the
        plan's business where the data are at fault (class 22, and a subquery
        that returns too many rows); listed, but no failure."""
        data = [o.state[:2] in ("22",) or o.state == "21000"
                for o in (stock, ours) if o.state != "00000"]
        what = "errors_by_data" if all(data) else "errors_differ"
        self.n[what] += 1
        self.say(what, where, statement, "stock %s %s, ours %s %s" %
                 (stock.state, stock.message, ours.state, ours.message))


def difference(stock, ours):
    old, new = (collections.Counter(o.rows) for o in (stock, ours))
    missing, extra = old - new, new - old
    return ("%d rows missing, e.g. %s\n%d rows too many, e.g. %s" %
            (sum(missing.values()), list(missing)[:3],
             sum(extra.values()), list(extra)[:3]))

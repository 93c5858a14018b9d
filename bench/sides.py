"""Two sides of a comparison: sessions of one server with the planner settings
of a tuned one, that differ in a switch.  What every benchmark of a workload
shares, bench/run and the others."""
import json
import math
import os
import random
import statistics
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.append(os.path.join(HERE, "shop"))
import make_queries
from psql_session import LOST, TIME, Psql, load_queries, run_query

SETTINGS = ["random_page_cost=1.1", "effective_cache_size=12GB", "jit=off",
            "max_parallel_workers_per_gather=0"]
SWITCH = "ruvector.neural_dag_enabled"
REGRESSION = 1.1
FLOOR_MS = 1.0


class Side:
    """One session and everything it measured: runs[pass][statement]."""

    def __init__(self, name, switch, a):
        self.name, self.a = name, a
        self.sets = SETTINGS + a.set + ["%s=%s" % (SWITCH, switch)]
        self.runs = {}
        self.timeout_ms = int(a.timeout_s * 1000)
        self.connect()

    def connect(self):
        self.ps = Psql(self.a.db, self.sets, None, self.timeout_ms)

    def once(self, sql):
        r, _ = run_query(self.ps, sql, self.timeout_ms)
        if r["err"] and (LOST in r["err"] or r["err"].startswith("FATAL")):
            self.reconnect()
        return r

    def run(self, number, name, sql):
        r = self.once(sql)
        self.runs.setdefault(number, {})[name] = r
        return r

    def reconnect(self):
        """The server may be recovering from a crash: give it a minute."""
        self.ps.close()
        for _ in range(60):
            probe = os.system("psql -X -q -d '%s' -c 'SELECT 1' >/dev/null 2>&1"
                              % self.a.db.replace("'", "'\\''"))
            if probe == 0:
                return self.connect()
            time.sleep(1)
        sys.exit("the server is gone")

    def explain(self, sql, options=""):
        """Lines of EXPLAIN of every statement in sql; no errors expected."""
        lines = []
        for part in sql.split(";"):
            if part.strip():
                out, _ = self.ps.cmd("EXPLAIN %s %s;" % (options, part))
                lines += [x for x in out if not TIME.match(x)]
        return lines

    def explain_json(self, sql):
        """The top level objects of EXPLAIN of every statement, no costs."""
        tops = []
        for part in sql.split(";"):
            if part.strip():
                out, _ = self.ps.cmd("EXPLAIN (COSTS OFF, VERBOSE, FORMAT JSON) "
                                     + part + ";")
                tops += json.loads("\n".join(x for x in out
                                             if not TIME.match(x)))
        return tops

    def shape(self, sql):
        """What tells two plans apart, whatever else EXPLAIN may add."""
        return [top["Plan"] for top in self.explain_json(sql)]

    def total(self, number):
        return sum(r["ms"] for r in self.runs[number].values())

    def medians(self, passes):
        return {n: statistics.median(self.runs[p][n]["ms"] for p in passes)
                for n in self.runs[passes[0]]}


def run_pass(number, queries, sides, seed, flip):
    """Every statement once in each of the sides; returns seconds taken."""
    order = list(queries)
    random.Random(seed + number).shuffle(order)
    t0 = time.time()
    for i, name in enumerate(order):
        k = (i + flip) % len(sides)
        for side in sides[k:] + sides[:k]:
            side.run(number, name, queries[name])
    seconds = time.time() - t0
    print("pass %2d  %5.0f s  %s" % (number, seconds, "   ".join(
        "%s %.2f s%s" % (s.name, s.total(number) / 1000, trouble(s, number))
        for s in sides)), flush=True)
    return seconds


def trouble(side, number):
    runs = side.runs[number].values()
    n = {k: sum(r["status"] == k for r in runs) for k in ("timeout", "error")}
    text = ["%d %s%s" % (v, k, "s" if v > 1 else "") for k, v in n.items() if v]
    return " (%s)" % ", ".join(text) if text else ""


def geometric_mean(values):
    values = list(values)
    return math.exp(sum(math.log(max(v, 1e-9)) for v in values) / len(values))


def floored(ours, tuned):
    """Ratio of two times, both taken as at least FLOOR_MS."""
    return max(ours, FLOOR_MS) / max(tuned, FLOOR_MS)


# ---- the server and its data --------------------------------------------------

def check_extension(ps):
    version = ps.must("SELECT extversion FROM pg_extension"
                      " WHERE extname = 'ruvector_dag';")
    if not version:
        sys.exit("ERROR: extension ruvector_dag is not in this database.\n"
                 "Put shared_preload_libraries = 'ruvector_dag' into "
                 "postgresql.conf, restart the server,\nand run "
                 "CREATE EXTENSION ruvector_dag; here.")
    loaded = ps.must("SELECT current_setting('shared_preload_libraries')"
                     " ~ '\\mruvector_dag\\M';")
    if loaded != ["t"]:
        sys.exit("ERROR: ruvector_dag is not preloaded.\nPut "
                 "shared_preload_libraries = 'ruvector_dag' into "
                 "postgresql.conf and restart the server.")
    return version[0]


def in_cluster(program, *options):
    """Run program again, with its arguments, with a throwaway cluster."""
    wrapper = os.path.join(HERE, "..", "scripts", "with-cluster")
    os.execv(wrapper, [wrapper, *options, "--", sys.executable,
                       os.path.abspath(program)] + sys.argv[1:])


def workload(directory, only):
    """{name: sql} of that directory, or of shop without one."""
    with tempfile.TemporaryDirectory() as tmp:
        if not directory:
            directory = os.path.join(tmp, "queries")
            make_queries.write(directory)
        return load_queries(directory, only)


def admin(db, *statements):
    """Statements in a session of their own; the rows of the last one."""
    ps = Psql(db, [], None, 0)
    rows = []
    for sql in statements:
        rows = ps.must(sql)
    ps.close()
    return rows


def learning_stats(db):
    return json.loads("".join(admin(db, "SELECT ruvector_dag_learning_stats();")))


def json_path(name):
    return os.path.join(HERE, "..", "build", "bench", name)


def write_json(path, data):
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    with open(path, "w") as f:
        json.dump(data, f, indent=1)


def better_statistics(db):
    """What a careful administrator would add: a stronger rival."""
    with open(os.path.join(HERE, "shop", "tuned_stats.sql")) as f:
        admin(db, f.read())

#!/usr/bin/env python3
"""Whatever the row estimates, a statement must return the same rows.

Runs the statements of fuzz/queries.txt over the tables of fuzz/setup.sql
while ruvector.debug_row_factor_seed makes the extension multiply every
estimate of a base relation or join by a pseudo-random factor.  Every
statement is planned and run under each planner environment of the grid and
each seed, and its rows, as a multiset, are compared with those of the stock
planner (ruvector.neural_dag_enabled = off, default settings).

A run in which no estimate moved proves nothing.  So the plans are counted,
per statement, as distinct EXPLAIN (COSTS OFF) texts in one environment; and
a seed that gave no statement a plan other than the stock planner's is an
error of this test.

Random factors make some plans hopeless (a Gather restarted for every outer
row); a statement that takes longer than TIME_LIMIT is given up and not
counted as a run.  A few such are normal, see ENOUGH.

Creates the extension if need be, and drops and creates schema "f".  Ends
with "RESULT fuzz_runs=N mismatches=N errors=N plans=N", where plans is the
number of statements that got more than one plan; status 1 on a mismatch, an
error, too few runs, or if no statement got a second plan.
"""
import argparse
import collections
import itertools
import os
import re
import subprocess
import sys
import time

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fuzz")

# Planner settings that reach code paths of their own; the grid is every
# subset of these.
ENVIRONMENTS = {
    "geqo": ["geqo_threshold = 2"],
    "partitionwise": ["enable_partitionwise_join = on",
                      "enable_partitionwise_aggregate = on"],
    "parallel": ["parallel_setup_cost = 0", "parallel_tuple_cost = 0",
                 "min_parallel_table_scan_size = 0",
                 "min_parallel_index_scan_size = 0",
                 "max_parallel_workers_per_gather = 2"],
}

TIME_LIMIT = 5              # seconds a statement
ENOUGH = 0.98               # share of the planned runs that must complete

# Learning from these very runs would move plans for another reason.
SESSION = """
\\set ON_ERROR_STOP 0
\\set VERBOSITY terse
\\pset null <null>
SET client_min_messages = error;
SET search_path = f;
SET statement_timeout = '%ds';
SET ruvector.dag_mode = observe;
""" % TIME_LIMIT

# A marker on both streams tells whose output follows.
MARK = "@@run"


def arguments():
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n", 1)[0],
        epilog="environments: every subset of " + ", ".join(ENVIRONMENTS))
    parser.add_argument("--db", default="",
                        help="connection string or database name; a"
                        " superuser's (default: what psql takes)")
    parser.add_argument("--seeds", type=int, default=5, metavar="N",
                        help="seeds 1..N per environment (default 5)")
    parser.add_argument("--verbose", action="store_true",
                        help="one line per statement, with its plans per seed")
    args = parser.parse_args()
    if args.seeds < 1:
        parser.error("--seeds must be at least 1")
    return args


def grid():
    """Every subset of the environments: [(name, settings)]."""
    result = []
    for n in range(len(ENVIRONMENTS) + 1):
        for names in itertools.combinations(ENVIRONMENTS, n):
            settings = [s for name in names for s in ENVIRONMENTS[name]]
            result.append(("+".join(names) or "plain", settings))
    return result


def psql(db, script, *options):
    """Run a script; returns (stdout, stderr, status)."""
    command = ["psql", "-X", "-q", "-A", "-t", *options]
    if db:
        command += ["-d", db]
    done = subprocess.run(command, input=script, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return done.stdout, done.stderr, done.returncode


def must(db, script):
    out, err, status = psql(db, script, "-v", "ON_ERROR_STOP=1")
    if status != 0:
        sys.exit("fuzz_rows: set-up failed:\n" + err)
    return out


def sections(text):
    """Split a stream at its markers: {key: text}."""
    parts = re.split(r"^%s (\S+)\n" % MARK, text, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


class Outcome:
    """One run of one statement."""

    def __init__(self, plan, rows, errors):
        self.plan = plan
        self.rows = collections.Counter(rows.splitlines())
        self.errors = errors


def run_all(db, queries, settings):
    """Plan and run every statement in one session: {number: Outcome}."""
    script = [SESSION] + ["SET %s;" % s for s in settings]
    for i, query in enumerate(queries):
        for part, prefix in (("plan", "EXPLAIN (COSTS OFF) "), ("rows", "")):
            mark = "%s %d/%s" % (MARK, i, part)
            script += ["\\echo " + mark, "\\warn " + mark,
                       prefix + query + ";"]
    script += ["\\echo %s end" % MARK, "\\warn %s end" % MARK]
    out, err, _ = psql(db, "\n".join(script))
    out, err = sections(out), sections(err)
    outcomes = {}
    for i in range(len(queries)):
        plan, rows = "%d/plan" % i, "%d/rows" % i
        # a later marker on stdout: the session survived this statement
        if rows in out and ("end" in out or "%d/plan" % (i + 1) in out):
            outcomes[i] = Outcome(out[plan], out[rows],
                                  (err.get(plan, "") + err.get(rows, ""))
                                  .strip())
    return outcomes


def wait_until_active(db, queries, stock):
    """The extension needs its background worker once before it may act."""
    for _ in range(60):
        for seed in range(1, 6):
            fuzzed = run_all(db, queries[:10],
                             ["ruvector.debug_row_factor_seed = %d" % seed])
            if any(fuzzed[i].plan != stock[i].plan for i in fuzzed):
                return
        time.sleep(0.5)
    print("fuzz_rows: after 30 s no seed changes any plan: is the extension"
          " preloaded, and its worker running?")


class Report:
    """Counts, and plans seen by (statement, environment)."""

    def __init__(self, queries, stock):
        self.queries = queries
        self.stock = stock
        self.runs = self.mismatches = self.errors = self.given_up = 0
        self.plans = collections.defaultdict(set)
        self.by_seed = collections.defaultdict(set)

    def say(self, what, where, i, detail=""):
        print("%s (%s) in statement %d: %s" % (what, where, i + 1,
                                               self.queries[i]))
        if detail:
            print("    " + detail.replace("\n", "\n    "))

    def add(self, environment, seed, outcomes, natural):
        """One session; natural: the same environment without a seed."""
        where = "%s, seed %d" % (environment, seed)
        moved = 0
        for i, outcome in sorted(outcomes.items()):
            if "canceling statement due to statement timeout" in outcome.errors:
                self.given_up += 1
                self.say("GIVEN UP", where, i)
                continue
            self.runs += 1
            self.plans[i, environment].add(outcome.plan)
            self.by_seed[i, seed].add((environment, outcome.plan))
            if i in natural and outcome.plan != natural[i].plan:
                moved += 1
            if outcome.errors:
                self.errors += 1
                self.say("ERROR", where, i, outcome.errors)
            elif outcome.rows != self.stock[i].rows:
                self.mismatches += 1
                self.say("MISMATCH", where, i, self.difference(i, outcome))
        if len(outcomes) < len(self.queries):
            self.errors += 1
            lost = min(set(range(len(self.queries))) - set(outcomes))
            self.say("LOST SESSION", where, lost)
        elif moved == 0:
            self.errors += 1
            print("NO PLAN MOVED (%s)" % where)
        return moved

    def difference(self, i, outcome):
        missing = self.stock[i].rows - outcome.rows
        extra = outcome.rows - self.stock[i].rows
        return ("%d rows missing, e.g. %s\n%d rows too many, e.g. %s\n%s" %
                (sum(missing.values()), list(missing)[:3],
                 sum(extra.values()), list(extra)[:3], outcome.plan))

    def plans_of(self, i):
        """Most plans in any one environment."""
        return max((len(plans) for (j, _), plans in self.plans.items()
                    if i == j), default=0)


def fuzz(args, queries, stock):
    report = Report(queries, stock)
    for environment, settings in grid():
        natural = run_all(args.db, queries,
                          settings + ["ruvector.neural_dag_enabled = off"])
        moved = 0
        for seed in range(1, args.seeds + 1):
            seeded = ["ruvector.debug_row_factor_seed = %d" % seed]
            moved += report.add(environment, seed,
                                run_all(args.db, queries, settings + seeded),
                                natural)
        print("%-32s %d seeds, %d of %d plans differ from stock" %
              (environment, args.seeds, moved, args.seeds * len(queries)),
              flush=True)
    return report


def print_plans(report, args):
    """Distinct plans per statement over all, then per seed."""
    print("plans per statement (most in one environment / over the grid):")
    for i, query in enumerate(report.queries):
        everywhere = set().union(*(plans for (j, _), plans
                                   in report.plans.items() if i == j))
        print("%4d %3d /%4d  %s" % (i + 1, report.plans_of(i),
                                    len(everywhere), query[:60]))
        if args.verbose:
            print("       by seed: " + " ".join(
                str(len({plan for _, plan in report.by_seed[i, seed]}))
                for seed in range(1, args.seeds + 1)))
    print("plans per seed (statements and environments together): " + " ".join(
        str(sum(len({plan for _, plan in report.by_seed[i, seed]})
                for i in range(len(report.queries))))
        for seed in range(1, args.seeds + 1)))


def main():
    args = arguments()
    with open(os.path.join(HERE, "queries.txt"), encoding="utf-8") as f:
        queries = [line.strip() for line in f if line.strip()]
    with open(os.path.join(HERE, "setup.sql"), encoding="utf-8") as f:
        must(args.db, f.read())
    must(args.db, "SET client_min_messages = error;"
         "CREATE EXTENSION IF NOT EXISTS ruvector_dag;"
         "SELECT ruvector_enable_neural_dag();")

    stock = run_all(args.db, queries, ["ruvector.neural_dag_enabled = off"])
    for i in range(len(queries)):
        if i not in stock or stock[i].errors:
            sys.exit("fuzz_rows: stock fails in statement %d: %s" %
                     (i + 1, stock[i].errors if i in stock else queries[i]))
    wait_until_active(args.db, queries, stock)

    report = fuzz(args, queries, stock)
    print_plans(report, args)
    several = sum(report.plans_of(i) > 1 for i in range(len(queries)))
    expected = len(grid()) * args.seeds * len(queries)
    enough = report.runs >= ENOUGH * expected
    print("%d of %d runs completed%s, %d given up after %d s" %
          (report.runs, expected, "" if enough else " (too few)",
           report.given_up, TIME_LIMIT))
    print("RESULT fuzz_runs=%d mismatches=%d errors=%d plans=%d" %
          (report.runs, report.mismatches, report.errors, several))
    if (report.mismatches or report.errors or not enough or several == 0):
        sys.exit(1)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Whatever plan is chosen or tried, a statement returns the same rows.

Random statements (queries.py, and sqlsmith's if --smith says how many) run
with the stock planner and then

  - under every arm of ruvector.dag_arms (ruvector.debug_arm), every other
    batch with random row estimates, too,
  - with random row estimates (ruvector.debug_row_factor_seed),
  - with a random plan tried under a random budget, so that it is cut at any
    moment (ruvector.debug_trial_seed),

each in a session of its own that lives as long as this program.  The rows, as
a multiset, and the error, if any, must be the same.  Batches differ in the
planner's environment: as it is, parallel, partitionwise, genetic.  A plan
that is hopeless is given up after TIME_LIMIT and not counted as a run.

Afterwards one session runs trials until there were --trials, and must not
grow, keep locks, a snapshot or temporary files (leaks.py).  The server's log
must not complain.

Prints what differs, then "RESULT queries=.. runs=.. mismatches=..
errors_differ=.. crashes=.. leaks=.. ..."; status 1 on any of these, if too
few runs completed, or if plans did not move or trials did not run.
"""
import argparse
import os
import random
import re
import sys
import threading

import leaks
import queries
import sessions
import smith

HERE = os.path.dirname(os.path.abspath(__file__))

# Planner settings that reach code paths of their own, in turn; starting
# parallel workers for everything is slow.
PARTITIONWISE = ("partitionwise", ["enable_partitionwise_join = on",
                                   "enable_partitionwise_aggregate = on"])
PLAIN = ("plain", [])
GENETIC = ("genetic", ["geqo_threshold = 2"])
ENVIRONMENTS = [
    PLAIN, PARTITIONWISE, GENETIC, PLAIN, PARTITIONWISE, PLAIN, GENETIC, PLAIN,
    ("parallel", ["parallel_setup_cost = 0", "parallel_tuple_cost = 0",
                  "min_parallel_table_scan_size = 0",
                  "min_parallel_index_scan_size = 0",
                  "max_parallel_workers_per_gather = 2"]),
]
BATCH = 50                  # statements with the same seeds and environment
STOCK_LIMIT = 60            # ms; a statement that takes longer is dropped
TIME_LIMIT = 500            # ms, under a plan of ours
ENOUGH = 0.9                # share of runs that must not be given up
OFF = "ruvector.neural_dag_enabled = off"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--db", required=True)
    parser.add_argument("--log", help="the server's log, to be searched")
    parser.add_argument("--queries", type=int, default=20000, metavar="N",
                        help="statements in all (default 20000)")
    parser.add_argument("--smith", type=float, default=.25, metavar="SHARE",
                        help="share of them made by sqlsmith (default .25)")
    parser.add_argument("--trials", type=int, default=6000, metavar="N",
                        help="trials of the long session (default 6000)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    return parser.parse_args()


class Worker(threading.Thread):
    """Takes batches, runs each statement in all of its sessions."""

    def __init__(self, args, number, arms, batches, report, lock):
        super().__init__(daemon=True)
        self.number, self.batches = number, batches
        self.report, self.lock, self.failure = report, lock, None
        # plans that are switched off are so dear that all would be compiled
        limit = ["statement_timeout = %d" % TIME_LIMIT, "jit = off"]

        def session(name, *sets):
            return sessions.Session(args.db, "%s %d" % (name, number),
                                    limit + list(sets))
        self.stock = session("stock", OFF,
                             "statement_timeout = %d" % STOCK_LIMIT)
        self.ours = {arm: session(arm, "ruvector.dag_mode = observe",
                                  "ruvector.debug_arm = '%s'" % arm)
                     for arm in arms}
        self.ours["row factors"] = session("factors",
                                           "ruvector.dag_mode = observe")
        self.ours["trials"] = session("trials")
        self.moved = {name: 0 for name in self.ours}

    def run(self):
        try:
            for number, (environment, statements) in self.batches:
                self.begin(number, environment)
                self.look(statements[:4])
                for statement in statements:
                    self.run_one(statement, environment)
                self.end(environment)
        except BaseException as error:      # for the main thread to report
            self.failure = error

    def begin(self, number, environment):
        for name, session in [("stock", self.stock), *self.ours.items()]:
            sets = list(dict(ENVIRONMENTS)[environment])
            if name == "trials":
                sets.append("ruvector.debug_trial_seed = %d" % number)
            elif name != "stock":
                # every other batch: an arm by itself
                factors = number if name == "row factors" or number % 2 else 0
                sets.append("ruvector.debug_row_factor_seed = %d" % factors)
            for setting in sets:
                session.must("SET %s;" % setting)

    def end(self, environment):
        for session in [self.stock, *self.ours.values()]:
            for setting in dict(ENVIRONMENTS)[environment]:
                session.must("RESET %s;" % setting.split(" ")[0])

    def look(self, statements):
        """A session whose plans are the stock planner's proves nothing."""
        for statement in statements:
            explain = "EXPLAIN (COSTS OFF) " + statement
            stock = self.stock.run(explain)
            for name, session in self.ours.items():
                if name != "trials":
                    self.moved[name] += session.run(explain) != stock

    def run_one(self, statement, environment):
        stock = self.stock.run(statement)
        with self.lock:
            # too long, or no statement at all
            if stock.state == sessions.TIMED_OUT or stock.state[:2] == "42":
                self.report.n["dropped"] += 1
                return
            self.report.n["queries"] += 1
            self.report.n["failing"] += stock.state != "00000"
            self.report.n["empty"] += not stock.rows
        again = smith.changes(statement) and self.stock.run(statement)
        if again and again.digest != stock.digest:
            with self.lock:
                self.report.n["volatile"] += 1
            return
        for name, session in self.ours.items():
            ours = session.run(statement)
            with self.lock:
                self.report.compare(statement, "%s, %s" % (name, environment),
                                    stock, ours)


class Batches:
    """Batches for several workers, until there are queries enough."""

    def __init__(self, args, report, lock, smiths):
        self.args, self.report, self.lock = args, report, lock
        self.generator = queries.Generator(args.seed)
        self.smiths = smiths
        self.number = 0

    def statements(self):
        smithed = [next(self.smiths, None)
                   for _ in range(round(BATCH * self.args.smith))]
        smithed = [s for s in smithed if s]
        return smithed + [self.generator.statement()
                          for _ in range(BATCH - len(smithed))]

    def __iter__(self):
        while True:
            with self.lock:
                if self.report.n["queries"] >= self.args.queries:
                    return
                self.number += 1
                number = self.number
                batch = (ENVIRONMENTS[number % len(ENVIRONMENTS)][0],
                         self.statements())
                random.Random(number).shuffle(batch[1])
                if number % 20 == 0:
                    print("%d queries, %d runs, %d mismatches" % tuple(
                        self.report.n[x] for x in ("queries", "runs",
                                                   "mismatches")), flush=True)
            yield number, batch


def set_up(args):
    session = sessions.Session(args.db, "set-up", [])
    with open(os.path.join(HERE, "setup.sql"), encoding="utf-8") as f:
        session.must(f.read())
    session.must("CREATE EXTENSION IF NOT EXISTS ruvector_dag;\n"
                 "SELECT ruvector_enable_neural_dag() \\g /dev/null")
    leaks.wait_until_active(session)
    arms = session.must("SELECT name FROM ruvector.dag_arms ORDER BY arm_id;")
    return session, arms


def trials(session):
    return [int(x) for x in session.value(
        "SELECT s ->> 'trials' || ' ' || (s ->> 'trials_abandoned')"
        " FROM ruvector_dag_learning_stats() s").split()]


def log_complaints(path):
    bad = re.compile(r"PANIC:|TRAP:|terminated by signal|WARNING:.*(leak|"
                     r"still referenced|already held|not closed)")
    with open(path, encoding="utf-8", errors="replace") as f:
        return [line.rstrip() for line in f if bad.search(line)]


def compare_all(args, arms, report):
    lock = threading.Lock()
    smiths = smith.statements(args.db, args.seed) if args.smith > 0 else iter(())
    batches = Batches(args, report, lock, smiths)
    workers = [Worker(args, i, arms, batches, report, lock)
               for i in range(args.jobs)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for worker in workers:
        if worker.failure:
            sys.exit("equality: a worker failed: %r" % worker.failure)
    moved = {name: sum(w.moved[name] for w in workers)
             for name in workers[0].ours if name != "trials"}
    for worker in workers:
        for session in [worker.stock, *worker.ours.values()]:
            session.close()
    return moved


def main():
    args = arguments()
    session, arms = set_up(args)
    report = sessions.Report()
    before = trials(session)
    moved = compare_all(args, arms, report)
    ran, cut = (b - a for a, b in zip(before, trials(session)))
    leaked = leaks.check(args, report)
    complaints = log_complaints(args.log) if args.log else []
    for line in leaked + complaints:
        print("LEAK OR CRASH: " + line)
    print("statements whose plan moved, of those looked at: " + ", ".join(
        "%s %d" % pair for pair in moved.items()))
    still = [name for name, n in moved.items() if n == 0]
    if still:
        print("NO PLAN MOVED under " + ", ".join(still))
    n = report.n
    enough = n["runs"] >= ENOUGH * (n["runs"] + n["given_up"])
    print("RESULT queries=%d runs=%d mismatches=%d errors_differ=%d crashes=%d"
          " leaks=%d errors_by_data=%d given_up=%d dropped=%d failing=%d"
          " empty=%d volatile=%d trials=%d cut=%d log=%d" % (
              n["queries"], n["runs"], n["mismatches"], n["errors_differ"],
              n["crashes"], len(leaked), n["errors_by_data"], n["given_up"],
              n["dropped"], n["failing"], n["empty"], n["volatile"], ran, cut,
              len(complaints)))
    if (n["mismatches"] or n["errors_differ"] or n["crashes"] or leaked or
            complaints or still or not enough or ran == 0 or cut == 0 or
            cut == ran):
        sys.exit(1)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""A cancel is the user's: during a trial none is lost and none invented.

One session runs statements that are tried every time, under budgets by chance
(ruvector.debug_trial_seed), while at a moment by chance, before, in or after
the trial, comes

  cancel    pg_cancel_backend by another session
  timeout   statement_timeout
  lock      lock_timeout, in a function that waits for a locked table
  both      pg_cancel_backend and statement_timeout
  late      pg_cancel_backend about when the statement ends
  none      nothing, or a time-out that is far away, or a lock freed in time

All but the last two must fail, with the right SQLSTATE and message, since the
statements take much longer than it takes for the interruption to come.  The
others must return the right rows (late: or be cancelled).  Half of them run in
a transaction block, at a savepoint: afterwards the block must be aborted or
not, accordingly, be usable again after ROLLBACK TO, and commit.  The
statement after each must succeed: no cancel may be left over for it.

Ends with "RESULT interruptions=.. honoured=.. swallowed=.. invented=..
wrong_state=.. ..."; status 1 on any of the last three, or if there was no
trial, or if no interruption came while one ran.
"""
import argparse
import collections
import os
import random
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "equality"))
import leaks                                                # noqa: E402
import sessions                                             # noqa: E402

LONGEST = .06               # seconds from the start to an interruption
LEAST = .25                 # a statement takes at least so long

SETUP = """
SET client_min_messages = warning;
DROP SCHEMA IF EXISTS cancels CASCADE;
CREATE SCHEMA cancels;
CREATE TABLE cancels.a AS SELECT i, i %% 10 AS g, i %% 100 AS h
    FROM generate_series(1, 3000) i;
CREATE TABLE cancels.b AS SELECT i, i %% %d AS g FROM generate_series(1, %d) i;
CREATE INDEX ON cancels.a (i);
CREATE INDEX ON cancels.b (g);
CREATE TABLE cancels.door (i int);
CREATE FUNCTION cancels.nap(int) RETURNS int STABLE LANGUAGE plpgsql AS
    'BEGIN PERFORM pg_sleep(0.004); RETURN $1; END';
CREATE FUNCTION cancels.guarded(int) RETURNS int STABLE LANGUAGE plpgsql AS
    'BEGIN PERFORM pg_sleep(0.004); RETURN 0 / ($1 - $1);
     EXCEPTION WHEN division_by_zero THEN RETURN $1; END';
CREATE FUNCTION cancels.asks(int) RETURNS bigint STABLE LANGUAGE plpgsql AS
    'BEGIN PERFORM pg_sleep(0.003);
     RETURN (SELECT count(*) FROM cancels.a WHERE i = $1); END';
CREATE FUNCTION cancels.enter(int) RETURNS bigint STABLE LANGUAGE plpgsql AS
    'BEGIN RETURN $1 + (SELECT count(*) FROM cancels.door); END';
ANALYZE cancels.a, cancels.b;
"""
JOIN = "FROM cancels.a JOIN cancels.b USING (g)"
NAPS = "FROM cancels.a x JOIN cancels.a y USING (i) WHERE x.i <= 100"
STATEMENTS = {
    "sleep": "SELECT sum(cancels.nap(x.i)) " + NAPS,
    "subtransactions": "SELECT sum(cancels.guarded(x.i)) " + NAPS,
    "statements": "SELECT sum(cancels.asks(x.i)) " + NAPS,
    "join": "SELECT count(*), sum(b.i + h) " + JOIN,
    "sort": "SELECT count(*) FROM (SELECT a.i, b.i AS k %s"
            " ORDER BY h, k OFFSET 0) s" % JOIN,
    "distinct": "SELECT count(DISTINCT (h, b.i)) " + JOIN,
    "parallel": "SELECT count(*), max(b.i + h) %s /* parallel */" % JOIN,
}
DOOR = ("SELECT sum(cancels.enter(x.i)) FROM cancels.a x"
        " JOIN cancels.a y USING (i) WHERE x.i <= 20")
PARALLEL = ["parallel_setup_cost", "parallel_tuple_cost",
            "min_parallel_table_scan_size"]

USER = ("57014", "canceling statement due to user request")
TIMEOUT = ("57014", "canceling statement due to statement timeout")
LOCK = ("55P03", "canceling statement due to lock timeout")
EXPECTED = {"cancel": [USER], "timeout": [TIMEOUT], "lock": [LOCK],
            "both": [USER, TIMEOUT], "late": [None, USER], "none": [None]}


class Victim:
    """The session that is interrupted, and those that do it."""

    def __init__(self, url, seed):
        self.rng = random.Random(seed)
        self.session = sessions.Session(url, "victim", [
            "work_mem = '256kB'", "jit = off",
            "ruvector.debug_trial_seed = %d" % seed])
        self.pid = self.session.value("SELECT pg_backend_pid()")
        self.other = sessions.Session(url, "canceller", [])
        self.locker = sessions.Session(url, "locker", [])
        self.n = collections.Counter()
        self.number = 0

    def moment(self):
        """Short ones as likely as long ones: so are the trials' budgets."""
        return LONGEST * 10 ** (-2.5 * self.rng.random())

    def run_and_cancel(self, statement, delay):
        """Run it; the other session waits for it to begin (it may have ended,
        when a time-out was quicker), and delay more."""
        self.number += 1
        mark = "/* victim %d */ " % self.number
        text = ("DO $$ BEGIN LOOP PERFORM pg_stat_clear_snapshot();"
                " EXIT WHEN EXISTS (SELECT FROM pg_stat_activity"
                " WHERE pid = %s AND query LIKE '%s%%');"
                " END LOOP; PERFORM pg_sleep(%f);"
                " PERFORM pg_cancel_backend(%s); END $$" %
                (self.pid, mark, delay, self.pid))
        thread = threading.Thread(target=self.other.must, args=(text + ";",))
        thread.start()
        outcome = self.session.run(mark + statement)
        thread.join()
        return outcome

    def run_locked(self, statement, held):
        """Run it while the table is locked, for so many seconds at most."""
        self.locker.must("BEGIN; LOCK TABLE cancels.door;")
        thread = threading.Thread(target=self.locker.must, args=(
            "SELECT pg_sleep(%f) \\g /dev/null\nCOMMIT;" % held,))
        thread.start()
        outcome = self.session.run(statement)
        thread.join()
        return outcome

    def interrupted(self, kind, statement):
        """Run it, interrupted in that way; (outcome, its statement)"""
        delay = self.moment()
        timeout = "SET statement_timeout = %d;" % max(2, delay * 1000)
        if kind == "cancel":
            return self.run_and_cancel(statement, delay), statement
        if kind == "late":
            took = self.seconds[statement]
            return self.run_and_cancel(
                statement, took * (.9 + .3 * self.rng.random())), statement
        if kind == "lock":
            self.session.must("SET lock_timeout = %d;" %
                              max(1, delay * 1000))
            return self.run_locked(DOOR, LONGEST + .2), DOOR
        if kind == "timeout":
            self.session.must(timeout)
            return self.session.run(statement), statement
        if kind == "both":
            self.session.must(timeout)
            return self.run_and_cancel(statement, delay), statement
        if self.rng.random() < .3:
            self.session.must("SET lock_timeout = 20000;")
            return self.run_locked(DOOR, delay), DOOR
        self.session.must("SET statement_timeout = %d;" %
                          self.rng.choice([0, 60000]))
        return self.session.run(statement), statement

    def trials(self):
        """Trials that came to an end, won or cut by their budget.  One that
        somebody interrupted is none of them."""
        return int(self.other.value(
            "SELECT ruvector_dag_learning_stats() ->> 'trials'"))

    # ---- before and after ------------------------------------------------------

    def calibrate(self):
        """Results and times of the stock planner; too quick: no use."""
        self.expected, self.seconds = {}, {}
        self.session.must("SET ruvector.neural_dag_enabled = off;")
        for statement in [*STATEMENTS.values(), DOOR]:
            begun = time.time()
            self.expected[statement] = self.session.run(statement)
            self.seconds[statement] = time.time() - begun
        self.session.must("RESET ruvector.neural_dag_enabled;")
        return min(self.seconds[s] for s in STATEMENTS.values())

    def complain(self, what, kind, name, detail):
        self.n[what] += 1
        print("%s (%s, %s, in a block: %s): %s" % (
            what.upper(), kind, name, self.in_block, detail), flush=True)

    def judge(self, kind, name, outcome, statement):
        """Did what had to come of it come of it?"""
        expected = EXPECTED[kind]
        said = (outcome.state, outcome.message)
        if outcome.state == "00000":
            if None not in expected:
                self.complain("swallowed", kind, name, "no error")
            elif outcome.digest != self.expected[statement].digest:
                self.complain("wrong_state", kind, name, "other rows")
            else:
                self.n["undisturbed"] += 1
        elif said in expected:
            self.n["honoured"] += 1
        elif kind == "none":
            self.complain("invented", kind, name, "%s %s" % said)
        else:
            self.complain("wrong_state", kind, name, "%s %s" % said)

    def short(self, text):
        """A statement that a time-out still in force may strike, too."""
        for _ in range(50):
            outcome = self.session.run(text)
            if (outcome.state, outcome.message) != TIMEOUT:
                break
        return outcome

    def check_block(self, kind, name, failed):
        """Of the transaction the statement ran in.  ROLLBACK TO takes back
        the time-outs as well."""
        run = self.session.run
        aborted = self.short("SELECT 1").state == "25P02"
        if aborted != failed:
            self.complain("wrong_state", kind, name, "aborted: %s, failed: %s" %
                          (aborted, failed))
        states = [self.short("ROLLBACK TO s").state]
        states += [run(text).state for text in (
            "SELECT count(*) FROM cancels.a", "RELEASE s",
            "INSERT INTO cancels.door SELECT 1 WHERE false", "COMMIT")]
        if set(states) != {"00000"}:
            self.complain("wrong_state", kind, name, "block: %s" % states)
        # COMMIT of an aborted block succeeds, too, but nothing was there
        if run("ROLLBACK TO s").state != "25P01":
            self.complain("wrong_state", kind, name, "still in a transaction")

    def one(self, kind):
        """One statement, interrupted or not, and what comes after."""
        name = self.rng.choice(list(STATEMENTS))
        self.in_block = self.rng.random() < .5
        for setting in PARALLEL:
            self.session.must(("SET %s = 0;" if name == "parallel" else
                               "RESET %s;") % setting)
        if self.in_block:
            self.session.must("BEGIN; SELECT 1 \\g /dev/null\nSAVEPOINT s;")
        before = self.trials()
        outcome, statement = self.interrupted(kind, STATEMENTS[name])
        self.n[kind] += 1
        if self.trials() == before:
            self.n["untried" if kind == "none" else "in_first_trial"] += 1
        self.judge(kind, name, outcome, statement)
        if self.in_block:
            self.check_block(kind, name, outcome.state != "00000")
        self.short("RESET statement_timeout")
        self.session.must("RESET lock_timeout;")
        after = self.session.run("SELECT count(*) FROM cancels.a")
        if (after.state, after.rows) != ("00000", ["3000"]):
            self.complain("invented", kind, name, "next statement: %s %s" %
                          (after.state, after.message))


def set_up(args):
    """The victim, with data enough to keep it busy."""
    session = sessions.Session(args.db, "set-up", [])
    session.must("CREATE EXTENSION IF NOT EXISTS ruvector_dag;\n"
                 "SELECT ruvector_enable_neural_dag() \\g /dev/null")
    victim = Victim(args.db, args.seed)
    rows = 4000
    for _ in range(6):
        # each of a's rows meets a tenth of b's
        session.must(SETUP % (10, rows))
        if victim.calibrate() >= LEAST:
            break
        rows *= 2
    else:
        sys.exit("cancels: this machine is too quick: statements take %s" %
                 victim.seconds)
    leaks.wait_until_active(session)
    return victim


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--db", required=True)
    parser.add_argument("--count", type=int, default=1000,
                        help="interruptions (default 1000)")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    victim = set_up(args)
    kinds = (["cancel"] * 5 + ["timeout"] * 3 + ["lock"] * 2 + ["both", "late"])
    before = victim.trials()
    n = victim.n
    done = 0
    while done < args.count and victim.session.lost == 0:
        victim.one(victim.rng.choice(kinds))
        done += 1
        if done % 8 == 0:
            victim.one("none")
    trials = victim.trials() - before
    lost = victim.session.lost
    print(", ".join("%s %d" % (kind, n[kind]) for kind in EXPECTED))
    print("RESULT interruptions=%d honoured=%d swallowed=%d invented=%d"
          " wrong_state=%d undisturbed=%d in_first_trial=%d untried=%d"
          " trials=%d crashes=%d" %
          (done, n["honoured"], n["swallowed"], n["invented"],
           n["wrong_state"], n["undisturbed"], n["in_first_trial"],
           n["untried"], trials, lost))
    if (n["swallowed"] or n["invented"] or n["wrong_state"] or lost or
            n["in_first_trial"] == 0 or trials == 0 or done == 0):
        sys.exit(1)


if __name__ == "__main__":
    main()

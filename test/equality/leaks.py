"""A long session of trials that are won and cut: what does it leave behind?

The same statements again and again, in one session, every one with a trial
where one is allowed.  After a warm-up, in which caches fill, the session may
not grow.  When it is idle it has no lock, no snapshot, no temporary file.
"""
import time

import queries
import sessions

WARM_UP = .3                # share of the trials
SLACK = 96 * 1024           # bytes that caches may still grow by
ROUND = 60                  # statements, made anew by neither seed nor chance

OURS = ("SELECT coalesce(sum(total_bytes), 0) FROM pg_backend_memory_contexts"
        " WHERE name LIKE 'ruvector_dag%'")
# Plans, statements and catalog caches are the server's; what is ours, or the
# top's, is what a leak of ours would be in.
TOP = ("SELECT sum(used_bytes) FROM pg_backend_memory_contexts"
       " WHERE name IN ('TopMemoryContext', 'CacheMemoryContext',"
       " 'TopTransactionContext', 'PortalContext', 'ResourceOwner',"
       " 'Timezones', 'MessageContext', 'TopPortalContext')")


def wait_until_active(session):
    """Until the learner is at work."""
    for _ in range(120):
        done = session.run("SELECT ruvector_dag_learn() ->> 'success'")
        if done.rows == ["true"]:
            return
        time.sleep(.5)
    raise SystemExit("no learner: " + done.message)


def statements(session):
    """Some that work, and that are worth a trial."""
    generator, result = queries.Generator(4711), []
    while len(result) < ROUND:
        text = generator.statement()
        if session.run(text).state == "00000":
            result.append(text)
    return result


def left_behind(watcher, pid):
    """Of an idle session: what it should not have."""
    found = []
    locks = watcher.value("SELECT string_agg(l::text, ' ') FROM pg_locks l"
                          " WHERE pid = %s" % pid)
    state = watcher.value(
        "SELECT state || coalesce(', snapshot ' || backend_xmin, '') ||"
        " coalesce(', transaction ' || backend_xid, '')"
        " FROM pg_stat_activity WHERE pid = %s" % pid)
    files = watcher.value("SELECT string_agg(name, ' ') FROM pg_ls_tmpdir()"
                          " WHERE name LIKE 'pgsql_tmp%s.%%'" % pid)
    if locks not in ("", "<null>"):
        found.append("locks of an idle session: " + locks)
    if state != "idle":
        found.append("session should be idle, is: " + state)
    if files not in ("", "<null>"):
        found.append("temporary files: " + files)
    return found


def check(args, report):
    """Run them; a list of what leaked."""
    watcher = sessions.Session(args.db, "watcher", [])
    session = sessions.Session(args.db, "long", ["statement_timeout = 2000"])
    todo = statements(session)
    # small, so that plans write temporary files, too
    session.must("SET work_mem = '64kB';\n"
                 "SET ruvector.debug_trial_seed = %d;" % (args.seed + 99))
    pid = session.value("SELECT pg_backend_pid()")
    count = ("SELECT ruvector_dag_learning_stats() ->> 'trials'")
    first = int(watcher.value(count))
    found, base, done = [], None, 0
    while done < args.trials and session.lost == 0:
        for text in todo:
            session.run(text)
        time.sleep(.01)
        found += left_behind(watcher, pid)
        now = int(watcher.value(count)) - first
        if now == done:
            found.append("no trial in a whole round")
            break
        done = now
        sizes = [int(session.value(sql)) for sql in (OURS, TOP)]
        if base is None and done >= WARM_UP * args.trials:
            base = sizes
    if session.lost:
        report.n["crashes"] += 1
    elif base is None:
        found.append("the session ended before its warm-up did")
    else:
        print("long session: %d trials; bytes after the warm-up and at the"
              " end: ours %d, %d, server's %d, %d" %
              (done, base[0], sizes[0], base[1], sizes[1]))
        for what, old, new in zip(("ours", "server's"), base, sizes):
            if new > old + SLACK:
                found.append("memory (%s) grew from %d to %d" %
                             (what, old, new))
    report.n["long_trials"] = done
    session.close()
    watcher.close()
    return found

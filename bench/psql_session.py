"""A psql session driven through pipes, and the little arithmetic that all
benchmarks share.  Python standard library and psql only."""
import fnmatch
import glob
import hashlib
import os
import re
import subprocess
import sys
import time

TIME = re.compile(r"^Time: ([0-9.]+) ms")
ERROR = re.compile(r"^(psql:.*)?(ERROR|FATAL|PANIC): ")
NOISE = ("DETAIL:", "HINT:", "CONTEXT:", "LINE ", "NOTICE:", "WARNING:",
         "INFO:", "LOG:")
LOST = "FATAL: connection lost"


class Psql:
    """One connection.  sets: ["name=value", ...]; init: a file to run."""

    def __init__(self, url, sets, init, timeout_ms):
        self.p = subprocess.Popen(
            ["psql", "-X", "-q", "-A", "-t", "-F", "\x1f", "-d", url,
             "-v", "ON_ERROR_STOP=0", "-P", "pager=off"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, encoding="utf-8",
            errors="replace", bufsize=1)
        self.n = 0
        if init:
            with open(init) as f:
                self.must(f.read())
        for s in sets:
            name, value = s.split("=", 1)
            self.must("SET %s = '%s';" % (name.strip(),
                                          value.strip().strip("'")))
        self.must("SET statement_timeout = %d;" % timeout_ms)
        self.must("\\timing on")

    def cmd(self, sql):
        """Run; returns (lines of output, wall ms)."""
        self.n += 1
        mark = "@@END%d@@" % self.n
        t0 = time.perf_counter()
        out = []
        try:
            self.p.stdin.write(sql.rstrip() + "\n\\echo " + mark + "\n")
            self.p.stdin.flush()
            while True:
                line = self.p.stdout.readline()
                if line == "":
                    out.append(LOST)
                    break
                line = line.rstrip("\n")
                if line == mark:
                    break
                out.append(line)
        except BrokenPipeError:
            out.append(LOST)
        return out, (time.perf_counter() - t0) * 1000

    def must(self, sql):
        """Run; end the program on an error; returns rows of text."""
        out, _ = self.cmd(sql)
        bad = [x for x in out
               if ERROR.match(x) or x.startswith("psql: error")]
        if bad:
            sys.exit("\n".join(out))
        return [x for x in out if not TIME.match(x)
                and not x.startswith(NOISE)]

    def close(self):
        try:
            self.p.stdin.write("\\q\n")
            self.p.stdin.close()
            self.p.wait(10)
        except (OSError, subprocess.TimeoutExpired):
            self.p.kill()


def run_query(ps, sql, timeout_ms):
    """Time one file of statements by psql's own clock.

    Returns ({ms, status, rows, hash, err}, rows); a statement that runs into
    the time-out counts with the time-out.  The hash ignores row order."""
    out, wall = ps.cmd(sql)
    ms, rows, err = 0.0, [], None
    for line in out:
        m = TIME.match(line)
        if m:
            ms += float(m.group(1))
        elif err is None and ERROR.match(line):
            err = line
        elif not line.startswith(NOISE):
            rows.append(line)
    if ms == 0.0:
        ms = wall
    status = "ok"
    if err:
        status = "timeout" if "statement timeout" in err else "error"
        if status == "timeout":
            ms = float(timeout_ms)
    digest = None
    if status == "ok":
        text = "\n".join(sorted(rows)).encode()
        digest = hashlib.sha256(text).hexdigest()[:16]
    return dict(ms=round(ms, 3), status=status, rows=len(rows), hash=digest,
                err=err), rows


def load_queries(directory, only=None):
    """{name: sql} of the directory's *.sql, filtered by a glob on names."""
    queries = {}
    for path in sorted(glob.glob(os.path.join(directory, "*.sql"))):
        name = os.path.basename(path)[:-4]
        if only and not fnmatch.fnmatch(name, only):
            continue
        with open(path) as f:
            sql = f.read().strip()
        queries[name] = sql if sql.endswith(";") else sql + ";"
    if not queries:
        sys.exit("no queries in %s%s" % (directory,
                                         " match " + only if only else ""))
    return queries


def pct(values, q):
    """Quantile q of values, interpolated."""
    v = sorted(values)
    k = (len(v) - 1) * q
    f = int(k)
    c = min(f + 1, len(v) - 1)
    return v[f] + (v[c] - v[f]) * (k - f)

#!/usr/bin/env python3
"""Workload runner: python3 standard library + psql only.

  run.py run --db URL --queries DIR --out OUT.json [--passes N] [--timeout-s S]
             [--set name=value ...] [--init FILE.sql] [--explain] [--label TEXT]
             [--shuffle SEED] [--sequence FILE] [--reconnect query|pass|never] [--only GLOB]
  run.py compare BASE.json NEW.json [--base-pass SEL] [--new-pass SEL] [--reg 1.2] [--min-ms 5] [--per-query]
  run.py verify A.json B.json            (result rows equal? exit 1 when not)
  run.py curve OUT.json [BASE.json]      (total per pass: the learning curve)
  run.py csv OUT.json                    (flat CSV on stdout)

Time is client side: psql's own \\timing of every statement in the file, summed.
A statement that runs into the time-out counts with the time-out (status 'timeout').
SEL (passes): all | first | last | lastK | I-J (1-based). Over the passes selected the
per-query figure is the MEDIAN, so noise in one pass does not decide.
"""
import argparse, csv, json, math, os, random, re, statistics, sys, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from psql_session import Psql, load_queries, pct, run_query

def do_run(a):
    qs = load_queries(a.queries, a.only)
    order = list(qs)
    if a.sequence:
        order = [l.strip() for l in open(a.sequence) if l.strip() and l.strip() in qs]
    tmo = int(a.timeout_s * 1000)
    res = dict(label=a.label, url=re.sub(r":[^:@/]*@", ":***@", a.db), sets=a.set, init=a.init, timeout_s=a.timeout_s,
               passes=[], queries=sorted(qs), started=time.strftime("%F %T"))
    mk = lambda: Psql(a.db, a.set, a.init, tmo)
    ps = mk()
    if a.warm:
        for n in sorted(qs): run_query(ps, qs[n], tmo)
    for p in range(a.passes):
        o = order[:]
        if a.shuffle is not None: random.Random(a.shuffle + p).shuffle(o)
        cur, t0 = {}, time.time()
        for n in o:
            if a.reconnect == "query": ps.close(); ps = mk()
            r, rows = run_query(ps, qs[n], tmo)
            if r["err"] and "connection" in r["err"]: ps = mk()
            if n in cur:   # a sequence may repeat a name
                cur[n]["ms"] += r["ms"]; cur[n]["reps"] = cur[n].get("reps", 1) + 1
            else: cur[n] = r
            if a.verbose: print("  pass %d %-14s %10.1f ms %s" % (p + 1, n, r["ms"], r["status"]), flush=True)
        res["passes"].append(cur)
        bad = sum(v["status"] != "ok" for v in cur.values())
        print("pass %d: total %.2f s, wall %.2f s, %d queries, %d not ok" %
              (p + 1, sum(v["ms"] for v in cur.values()) / 1000, time.time() - t0, len(cur), bad), flush=True)
        if a.reconnect == "pass": ps.close(); ps = mk()
        json.dump(res, open(a.out, "w"))
    if a.explain:
        res["explain"] = {}
        for n in sorted(qs):
            r, rows = run_query(ps, "EXPLAIN (ANALYZE, VERBOSE, FORMAT JSON, SETTINGS) " + qs[n], tmo)
            try: res["explain"][n] = json.loads("\n".join(rows))
            except ValueError: res["explain"][n] = r
    ps.close()
    json.dump(res, open(a.out, "w"))

def sel(res, s):
    P = res["passes"]
    if s == "all": return P
    if s == "first": return P[:1]
    m = re.fullmatch(r"last(\d*)", s)
    if m: return P[-int(m.group(1) or 1):]
    m = re.fullmatch(r"(\d+)(?:-(\d+))?", s)
    i = int(m.group(1)); j = int(m.group(2) or i)
    return P[i - 1:j]

def agg(passes):
    d = {}
    for n in set().union(*[set(p) for p in passes]):
        d[n] = statistics.median(p[n]["ms"] for p in passes if n in p)
    return d

def do_compare(a):
    A, B = json.load(open(a.base)), json.load(open(a.new))
    x, y = agg(sel(A, a.base_pass)), agg(sel(B, a.new_pass))
    names = sorted(set(x) & set(y))
    x = {n: x[n] for n in names}; y = {n: y[n] for n in names}
    rat = {n: y[n] / max(x[n], 1e-3) for n in names}
    reg = [n for n in names if rat[n] > a.reg and y[n] - x[n] > a.min_ms]
    imp = [n for n in names if rat[n] < 1 / a.reg and x[n] - y[n] > a.min_ms]
    to = lambda R, s: sum(p[n]["status"] == "timeout" for p in sel(R, s) for n in p)
    row = lambda k, f, u="ms": print("%-26s %14.1f %14.1f   x%.2f" % (k, f(x), f(y), f(x) / max(f(y), 1e-9)))
    print("%-26s %14s %14s   %s" % ("%d queries" % len(names), (A["label"] or "base")[:14], (B["label"] or "new")[:14], "speed-up"))
    row("total ms", lambda d: sum(d.values()))
    row("median ms", lambda d: pct(d.values(), .5))
    row("p95 ms", lambda d: pct(d.values(), .95))
    row("p99 ms", lambda d: pct(d.values(), .99))
    row("max ms", lambda d: max(d.values()))
    row("geo mean ms", lambda d: math.exp(sum(math.log(max(v, 1e-3)) for v in d.values()) / len(d)))
    print("geometric mean speed-up    x%.3f" % math.exp(-sum(math.log(max(r, 1e-6)) for r in rat.values()) / len(rat)))
    w = max(names, key=lambda n: rat[n] if y[n] - x[n] > a.min_ms else 0)
    wa = max(names, key=lambda n: y[n] - x[n])
    print("worst regression (ratio)   %s: %.1f -> %.1f ms (x%.2f)" % (w, x[w], y[w], rat[w]))
    print("worst regression (ms)      %s: %.1f -> %.1f ms (%+.1f)" % (wa, x[wa], y[wa], y[wa] - x[wa]))
    print("regressions > %.2fx         %d   (and more than %.0f ms slower)" % (a.reg, len(reg), a.min_ms))
    print("improvements > %.2fx        %d" % (a.reg, len(imp)))
    print("time-outs                  %d / %d" % (to(A, a.base_pass), to(B, a.new_pass)))
    print("row hashes                 %s" % ("equal" if not diff(A, B) else "DIFFERENT: " + " ".join(diff(A, B))))
    if a.per_query:
        for n in sorted(names, key=lambda n: rat[n], reverse=True):
            print("  %-16s %10.1f %10.1f  x%.2f" % (n, x[n], y[n], rat[n]))

def hashes(R):
    d = {}
    for p in R["passes"]:
        for n, v in p.items():
            if v["hash"]: d.setdefault(n, set()).add(v["hash"])
    return d

def diff(A, B):
    a, b = hashes(A), hashes(B)
    return sorted(n for n in set(a) & set(b) if a[n] | b[n] != a[n] & b[n] or len(a[n]) > 1)

def do_verify(a):
    A, B = json.load(open(a.base)), json.load(open(a.new))
    d = diff(A, B); n = len(set(hashes(A)) & set(hashes(B)))
    print("%d queries compared, %d different%s" % (n, len(d), ": " + " ".join(d) if d else ""))
    sys.exit(1 if d else 0)

def do_curve(a):
    R = json.load(open(a.base)); B = agg(json.load(open(a.new))["passes"]) if a.new else None
    for i, p in enumerate(R["passes"]):
        t = sum(v["ms"] for v in p.values())
        ex = ""
        if B:
            b = sum(B[n] for n in p if n in B)
            ex = "  base %.2f s  x%.2f  regressions>1.2x %d" % (b / 1000, b / t, sum(p[n]["ms"] > 1.2 * B[n] and p[n]["ms"] - B[n] > 5 for n in p if n in B))
        print("pass %2d  %.2f s%s" % (i + 1, t / 1000, ex))

def do_csv(a):
    R = json.load(open(a.base)); w = csv.writer(sys.stdout)
    w.writerow(["pass", "query", "ms", "status", "rows", "hash"])
    for i, p in enumerate(R["passes"]):
        for n, v in p.items(): w.writerow([i + 1, n, v["ms"], v["status"], v["rows"], v["hash"]])

def main():
    P = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    S = P.add_subparsers(dest="cmd", required=True)
    r = S.add_parser("run")
    r.add_argument("--db", required=True); r.add_argument("--queries", required=True); r.add_argument("--out", required=True)
    r.add_argument("--passes", type=int, default=3); r.add_argument("--timeout-s", type=float, default=60)
    r.add_argument("--set", action="append", default=[]); r.add_argument("--init"); r.add_argument("--label", default="")
    r.add_argument("--explain", action="store_true"); r.add_argument("--shuffle", type=int); r.add_argument("--sequence")
    r.add_argument("--reconnect", choices=["query", "pass", "never"], default="never"); r.add_argument("--only")
    r.add_argument("--warm", action="store_true", help="one unrecorded pass first (not for learning runs)")
    r.add_argument("--verbose", action="store_true"); r.set_defaults(f=do_run)
    for nm, f in (("compare", do_compare), ("verify", do_verify), ("curve", do_curve), ("csv", do_csv)):
        c = S.add_parser(nm); c.add_argument("base")
        c.add_argument("new", nargs="?" if nm in ("curve", "csv") else None); c.set_defaults(f=f)
        if nm == "compare":
            c.add_argument("--base-pass", default="all"); c.add_argument("--new-pass", default="all")
            c.add_argument("--reg", type=float, default=1.2); c.add_argument("--min-ms", type=float, default=5)
            c.add_argument("--per-query", action="store_true")
    a = P.parse_args(); a.f(a)

if __name__ == "__main__": main()

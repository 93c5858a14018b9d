#!/usr/bin/env python3
"""Headroom of a workload over session-level hint sets (stdlib + psql).
  headroom.py measure --db URL --queries DIR --out OUT.json [--only GLOB] [--timeout-s 60] [--reps 3] [--budget-s N]
  headroom.py report OUT.json [--per-query]
  headroom.py confirm --head OUT.json --db URL --queries DIR --out CONF.json   (stock, tuned, chosen arm again, interleaved)
Per query: stock and tuned 3x each; every other hint set once with a time-out a little over the best so far
(arms whose plan was already measured are not run again), then the arms near the best 2x more.
"""
import argparse, hashlib, json, math, os, random, statistics, sys, time
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from psql_session import Psql, load_queries, pct, run_query

T = {"random_page_cost": "1.1", "effective_cache_size": "12GB", "jit": "off"}
def t(**k): d = dict(T); d.update({x: str(y) for x, y in k.items()}); return d
off = "off"
ARMS = {
 "stock": {},
 "rpc1.1": {"random_page_cost": "1.1"},
 "jit_off": {"jit": "off"},
 "tuned": dict(T),
 "noNL": t(enable_nestloop=off), "noHJ": t(enable_hashjoin=off), "noMJ": t(enable_mergejoin=off),
 "HJonly": t(enable_nestloop=off, enable_mergejoin=off), "NLonly": t(enable_hashjoin=off, enable_mergejoin=off),
 "MJonly": t(enable_nestloop=off, enable_hashjoin=off),
 "noSeq": t(enable_seqscan=off), "noIdx": t(enable_indexscan=off, enable_indexonlyscan=off),
 "noIdxBm": t(enable_indexscan=off, enable_indexonlyscan=off, enable_bitmapscan=off),
 "noBm": t(enable_bitmapscan=off), "noIOS": t(enable_indexonlyscan=off),
 "noMemo": t(enable_memoize=off), "noMemoMat": t(enable_memoize=off, enable_material=off),
 "jcl1": t(join_collapse_limit=1, from_collapse_limit=1),
 "jcl20": t(join_collapse_limit=20, from_collapse_limit=20, geqo=off),
 "NL+noSeq": t(enable_hashjoin=off, enable_mergejoin=off, enable_seqscan=off),
 "noNL+noIdx": t(enable_nestloop=off, enable_indexscan=off, enable_indexonlyscan=off),
 "noMJ+noSeq": t(enable_mergejoin=off, enable_seqscan=off),
 "HJ+noIdxBm": t(enable_nestloop=off, enable_mergejoin=off, enable_indexscan=off, enable_indexonlyscan=off, enable_bitmapscan=off),
 "noHJ+noSeq": t(enable_hashjoin=off, enable_seqscan=off),
 "noPar": t(max_parallel_workers_per_gather=0),
 "noPar+noNL": t(max_parallel_workers_per_gather=0, enable_nestloop=off),
 "noPar+noMJ": t(max_parallel_workers_per_gather=0, enable_mergejoin=off),
 "noHashagg": t(enable_hashagg=off), "noSort": t(enable_sort=off),
}
def setup(ps, arm, tmo):
    ps.cmd("\\timing off\nRESET ALL;\n" + "\n".join("SET %s = '%s';" % kv for kv in ARMS[arm].items()) + "\nSET statement_timeout = %d;\n\\timing on" % tmo)

def measure(a):
    qs = load_queries(a.queries, a.only); full = int(a.timeout_s * 1000)
    res = json.load(open(a.out)) if os.path.exists(a.out) else {}
    ps = Psql(a.db, [], None, full); t0 = time.time()
    items = list(qs.items())
    if a.shuffle is not None: random.Random(a.shuffle).shuffle(items)      # a budget then leaves a fair sample
    for n, q in items:
        if n in res: continue
        if a.budget_s and time.time() - t0 > a.budget_s: print("budget used"); break
        plans, R = {}, {}
        def plan(arm):
            setup(ps, arm, full)
            parts = [x for x in q.split(";") if x.strip()]
            txt = []
            for p in parts:
                out, _ = ps.cmd("EXPLAIN (COSTS OFF) " + p + ";"); txt += [l for l in out if not l.startswith("Time:")]
            return hashlib.md5("\n".join(txt).encode()).hexdigest()[:10] + ("j" if ARMS[arm].get("jit") != "off" else "")
        def one(arm, tmo):
            setup(ps, arm, tmo); r, _ = run_query(ps, q, tmo); return r
        first = {}
        for base in ("stock", "tuned"):
            h = plan(base); R[base] = dict(plan=h, ms=[], status="ok"); first.setdefault(h, base)
            for i in range(a.reps):
                r = one(base, full); R[base]["ms"].append(r["ms"]); R[base]["status"] = r["status"]
                if r["status"] != "ok" or (i >= 1 and r["ms"] > 4000): break
        best = min(statistics.median(R[b]["ms"]) for b in R)
        for arm in ARMS:
            if arm in R: continue
            h = plan(arm)
            if h in first: R[arm] = dict(plan=h, same=first[h]); continue
            first[h] = arm
            tmo = int(min(full, best * 1.3 + 30)); r = one(arm, tmo)
            R[arm] = dict(plan=h, ms=[r["ms"]], status=r["status"], cap=tmo)
            if r["status"] == "ok": best = min(best, r["ms"])
        for arm, v in R.items():
            if "same" in v or v["status"] != "ok" or len(v["ms"]) >= a.reps: continue
            if v["ms"][0] <= best * 1.25 + 5:
                for _ in range(a.reps - 1 if best < 4000 else 1):
                    r = one(arm, full); v["ms"].append(r["ms"])
                best = min(best, statistics.median(v["ms"]))
        res[n] = R
        json.dump(res, open(a.out, "w"))
        b, m = bestof(R)
        print("%-14s stock %9.1f tuned %9.1f best %9.1f %-10s plans %d  [%.0f s]" % (n, med(R["stock"]), med(R["tuned"]), m, b, len(first), time.time() - t0), flush=True)
    ps.close()

def med(v): return statistics.median(v["ms"])
def bestof(R):
    c = [(med(v), k) for k, v in R.items() if "same" not in v and (v["status"] == "ok" or k in ("stock", "tuned")) and (len(v["ms"]) > 1 or k in ("stock", "tuned"))]
    m, k = min(c); return k, m

def report(a):
    D = json.load(open(a.out)); n = len(D)
    arm = lambda R, k: R[R[k].get("same", k)]
    S = {q: med(R["stock"]) for q, R in D.items()}; Tn = {q: med(R["tuned"]) for q, R in D.items()}
    B = {q: bestof(R) for q, R in D.items()}
    O = {q: min(B[q][1], S[q], Tn[q]) for q in D}
    g = lambda x, y: math.exp(sum(math.log(x[q] / y[q]) for q in D) / n)
    tot = lambda d: sum(d.values()) / 1000
    print("queries %d   distinct plans/query %.1f" % (n, sum(len([1 for v in R.values() if "same" not in v]) for R in D.values()) / n))
    print("total s   stock %.1f   tuned %.1f   oracle over hint sets %.1f" % (tot(S), tot(Tn), tot(O)))
    for k in ("rpc1.1", "jit_off"):
        v = sum(min(med(arm(R, k)), 60000) for R in D.values()) / 1000
        c = sum(arm(R, k)["status"] != "ok" for R in D.values()); print("  %s alone: %.1f s%s" % (k, v, " (lower bound: %d cut off at their cap)" % c if c else ""))
    print("speed-up total   stock/tuned x%.2f   stock/oracle x%.2f   TUNED/ORACLE x%.2f" % (tot(S) / tot(Tn), tot(S) / tot(O), tot(Tn) / tot(O)))
    print("speed-up geomean stock/tuned x%.2f   stock/oracle x%.2f   TUNED/ORACLE x%.2f" % (g(S, Tn), g(S, O), g(Tn, O)))
    for nm, X in (("stock", S), ("tuned", Tn)):
        r = {q: X[q] / O[q] for q in D}
        print("%s: queries with >1.2x %d, >1.5x %d, >2x %d, >5x %d, >10x %d; time-outs %d" % ((nm,) + tuple(sum(v > k for v in r.values()) for k in (1.2, 1.5, 2, 5, 10)) + (sum(R[nm]["status"] == "timeout" for R in D.values()),)))
        top = sorted(D, key=lambda q: O[q] - X[q])[:10]
        gain = sum(X[q] - O[q] for q in D)
        print("   top 10 by saving (%.0f%% of it): " % (100 * sum(X[q] - O[q] for q in top) / max(gain, 1e-9)) + ", ".join("%s %.2f->%.2fs(%s)" % (q, X[q] / 1000, O[q] / 1000, B[q][0]) for q in top))
        print("   median %.0f p95 %.0f p99 %.0f max %.0f ms   (oracle median %.0f p95 %.0f p99 %.0f max %.0f)" % tuple(f(list(d.values())) for d in (X, O) for f in (lambda v: pct(v, .5), lambda v: pct(v, .95), lambda v: pct(v, .99), max)))
    # best single arm
    single = {}
    for k in ARMS:
        s = 0
        for q, R in D.items():
            v = arm(R, k); s += med(v) if v["status"] == "ok" else max(v.get("cap", 60000), med(v))
        single[k] = s / 1000
    print("best single arms (cut-off queries counted at their cap, so a lower bound): " + ", ".join("%s %.1f" % (k, single[k]) for k in sorted(single, key=single.get)[:6]))
    c = {}
    for q in D:
        if Tn[q] / O[q] > 1.2: c[B[q][0]] = c.get(B[q][0], 0) + 1
    print("winning arms where >1.2x over tuned: " + ", ".join("%s %d" % kv for kv in sorted(c.items(), key=lambda x: -x[1])))
    if a.per_query:
        for q in sorted(D, key=lambda q: O[q] / Tn[q]): print("  %-16s stock %9.1f tuned %9.1f best %9.1f x%.2f %s" % (q, S[q], Tn[q], O[q], Tn[q] / O[q], B[q][0]))

def confirm(a):
    """stock / tuned / chosen arm again, interleaved: free of the bias of picking the fastest of many noisy timings"""
    D = json.load(open(a.head)); qs = load_queries(a.queries, a.only); full = int(a.timeout_s * 1000)
    ps = Psql(a.db, [], None, full); C = {}; t0 = time.time()
    for n in qs:
        if n not in D: continue
        if a.budget_s and time.time() - t0 > a.budget_s: print("budget used"); break
        k = bestof(D[n])[0]; C[n] = dict(arm=k, stock=[], tuned=[], best=[])
        for i in range(a.reps):
            for nm, arm in (("stock", "stock"), ("tuned", "tuned"), ("best", k)):
                if C[n][nm] and C[n][nm][-1] > 8000: continue
                setup(ps, arm, full); r, _ = run_query(ps, qs[n], full); C[n][nm].append(r["ms"])
        json.dump(C, open(a.out, "w"))
    ps.close(); confirm_report(C)

def confirm_report(C):
    m = {x: {n: statistics.median(C[n][x]) for n in C} for x in ("stock", "tuned", "best")}; N = len(C)
    for x in m: print("confirmed %-5s total %8.1f s  median %6.0f  p95 %6.0f  p99 %6.0f ms" % (x, sum(m[x].values()) / 1000, *[pct(list(m[x].values()), p) for p in (.5, .95, .99)]))
    for x in ("stock", "tuned"):
        r = [m[x][n] / max(m["best"][n], 1e-3) for n in C]
        print("over %s: total x%.2f geomean x%.2f; >1.2x %d, >1.5x %d, >2x %d, >5x %d of %d" % (x, sum(m[x].values()) / sum(m["best"].values()), math.exp(sum(map(math.log, r)) / N), *[sum(v > k for v in r) for k in (1.2, 1.5, 2, 5)], N))

P = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter); SP = P.add_subparsers(dest="cmd", required=True)
m = SP.add_parser("measure"); m.add_argument("--db", required=True); m.add_argument("--queries", required=True); m.add_argument("--out", required=True)
m.add_argument("--only"); m.add_argument("--shuffle", type=int); m.add_argument("--timeout-s", type=float, default=60); m.add_argument("--reps", type=int, default=3); m.add_argument("--budget-s", type=float, default=0); m.set_defaults(f=measure)
r = SP.add_parser("report"); r.add_argument("out"); r.add_argument("--per-query", action="store_true"); r.set_defaults(f=report)
c = SP.add_parser("confirm"); c.add_argument("--head", required=True); c.add_argument("--db", required=True); c.add_argument("--queries", required=True); c.add_argument("--out", required=True)
c.add_argument("--only"); c.add_argument("--timeout-s", type=float, default=60); c.add_argument("--reps", type=int, default=3); c.add_argument("--budget-s", type=float, default=0); c.set_defaults(f=confirm)
a = P.parse_args(); a.f(a)

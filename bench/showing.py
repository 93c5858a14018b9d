"""What bench/run prints: tables, the state of plans, plans themselves."""
import json

from judging import EARLY, FINAL, PAIRS
from psql_session import pct
from sides import REGRESSION, geometric_mean

LIMIT = "%.1fx" % REGRESSION


def some(names):
    return " ".join(names[:8]) + (" ..." if len(names) > 8 else "")


def table(r):
    x, y = list(r["tuned_ms"].values()), list(r["ours_ms"].values())
    best = list(r["oracle"]["oracle_ms"].values()) if "oracle" in r else None
    print("\n%d statements, milliseconds, after learning" % r["statements"])
    print("%-22s %12s %12s %11s" % ("", "tuned", "ours", "ours/tuned") +
          (" %12s %12s" % ("oracle", "ours/oracle") if best else ""))
    for label, f in (("total", sum), ("median", lambda v: pct(v, .5)),
                     ("p95", lambda v: pct(v, .95)),
                     ("p99", lambda v: pct(v, .99)), ("max", max),
                     ("geometric mean", geometric_mean)):
        row = "%-22s %12.1f %12.1f %11.2f" % (label, f(x), f(y), f(y) / f(x))
        print(row + (" %12.1f %12.2f" % (f(best), f(y) / f(best))
                     if best else ""))
    print("%-22s %37d   %s" % ("faster than 1/" + LIMIT, len(r["improved"]),
                               some(r["improved"])))
    print("%-22s %37s   %s" % ("same rows everywhere",
                               "NO" if r["different"] else "yes",
                               some(r["different"])))
    same = r["same_plan"]
    if same:
        print("%-22s %37d   total %.3f, geometric mean %.3f: noise and our cost"
              % ("same plan in both", len(same), r["same_plan_total"],
                 r["same_plan_geomean"]))
    if "quiet" in r:
        q = r["quiet"]
        print("%-22s %12.1f %12.1f %11.3f   geometric mean %.3f, %d statements"
              " in turns" % ("nothing to gain", sum(q["tuned_ms"].values()),
                             sum(q["ours_ms"].values()), q["total"],
                             q["geomean"], q["statements"]))
    early(r)
    curve(r)


def early(r):
    """The verdict after few passes beside that of the last ones."""
    if "early" not in r:
        return
    e = r["early"]
    print("\n%-22s %11s %11s %9s %9s %11s %9s" % (
        "", "total", "geomean", "worst", "> " + LIMIT, "learning", "/oracle"))
    rows = (("after %d passes" % EARLY, e, e["regressed"], e["worst"]),
            ("after all", r, len(r["regressed"]), r["worst"]))
    for label, v, n, worst in rows:
        vs = e.get("vs_oracle") if v is e else r.get("oracle", {}).get("vs_oracle")
        print("%-22s %11.2f %11.2f %9.2f %9d %11.2f %9s" % (
            label, v["total"], v["geomean"], worst, n, v["learning_total"],
            "%.2f" % vs if vs else ""))
    print("(worst and > %s after %d passes as they look, not run again)"
          % (LIMIT, EARLY))


def curve(r):
    print("\nlearning curve (pass: seconds, share of tuned)")
    n = len(r["curve"])
    for i, (p, ms, ratio) in enumerate(r["curve"]):
        note = " counts" if i >= n - FINAL else " counts as early" \
            if "early" in r and EARLY <= i < EARLY + FINAL else ""
        print("  %2d  %7.2f  %5.2f  %-40s%s" % (
            p, ms / 1000, ratio, "#" * min(40, round(20 * ratio)), note))


# ---- regressions ----------------------------------------------------------------

def states(side, sql):
    """What the extension says of the plans of these statements."""
    lines = []
    for top in side.explain_json(sql):
        queryid = top.get("Query Identifier")
        extra = {k: v for k, v in top.items() if k not in
                 ("Plan", "Query Identifier", "Settings", "JIT", "Planning")}
        if extra:
            lines.append(json.dumps(extra)[:300])
        if queryid is None:
            continue
        rows = side.ps.must(
            "SELECT 'class ' || state || ', ' || plans || ' plans, ' || trials"
            " || ' trials, ' || abandoned_trials || ' abandoned'"
            " FROM ruvector_dag_queries() WHERE queryid = %s;" % queryid)
        lines += rows
        lines += side.ps.must(
            "SELECT format('  %%s by %%s: %%s calls, %%s ms, reason: %%s', role,"
            " arm, calls, round(mean_ms::numeric, 1),"
            " coalesce(configuration ->> 'reason', '-'))"
            " FROM ruvector_dag_plans(%s)"
            " WHERE role IN ('baseline', 'proven')"
            " ORDER BY calls DESC LIMIT 6;" % queryid)
    return lines


def regressions(r, queries, ours):
    """Every suspect, and what it was when it had run again in turns."""
    print("\n%d looked slower than %s; run again in %d turns, %d are" % (
        r["suspects"], LIMIT, PAIRS, len(r["regressed"])))
    for n, c in r["rechecked"].items():
        c["same_plan"] = n in r["same_plan"]
        print("  %-8s %8.1f -> %8.1f ms  %5.2f, again %5.2f  %s  %s" % (
            n, r["tuned_ms"][n], r["ours_ms"][n], c["first"], c["again"],
            "same plan   " if c["same_plan"] else "another plan",
            "SLOWER" if n in r["regressed"] else "noise"))
    r["states"] = {n: states(ours, queries[n]) for n in r["regressed"]}
    for n in r["regressed"]:
        print("  %s" % n)
        for line in r["states"][n]:
            print("     " + line)


# ---- gains ------------------------------------------------------------------------

def gains(count, r, queries, tuned, ours):
    """The statements that gained most by another plan, with both plans.
    A gain under the same plan is noise and is not shown."""
    x, y = r["tuned_ms"], r["ours_ms"]
    shown = 0
    for n in sorted(x, key=lambda n: y[n] - x[n]):
        if shown == count or y[n] * REGRESSION >= x[n]:
            break
        if n in r["same_plan"]:
            continue
        shown += 1
        print("\n%s\n%s: %.1f ms -> %.1f ms (%.1fx faster)\n\n%s" % (
            "=" * 78, n, x[n], y[n], x[n] / max(y[n], 1e-3), queries[n]))
        for side, ms in ((tuned, x[n]), (ours, y[n])):
            print("\n-- plan of %s, %.1f ms" % (side.name, ms))
            print("\n".join("   " + line for line in side.explain(queries[n])))
    if shown < count:
        print("\n%d of %d asked for: no more statements are faster than 1/%s"
              " under another plan" % (shown, count, LIMIT))


def result_line(r, stats):
    two = lambda v, f="%.2f": f % v if v is not None else "none"
    e, q, o = r.get("early", {}), r.get("quiet", {}), r.get("oracle", {})
    line = ("RESULT total=%.2f geomean=%.2f worst=%.2f regressed=%d/%d "
            "learning_total=%s identical=%s" % (
                r["total"], r["geomean"], r["worst"], len(r["regressed"]),
                r["statements"], two(r["learning_total"]),
                "no" if r["different"] else "yes"))
    line += " total_%d=%s geomean_%d=%s learning_%d=%s" % (
        EARLY, two(e.get("total")), EARLY, two(e.get("geomean")), EARLY,
        two(e.get("learning_total")))
    line += " nothing_to_gain=%s nothing_geomean=%s" % (
        two(q.get("total"), "%.3f"), two(q.get("geomean"), "%.3f"))
    if o:
        line += " vs_oracle=%.2f vs_oracle_%d=%s" % (
            o["vs_oracle"], EARLY, two(e.get("vs_oracle")))
    return line + " baseline=%s" % ("tuned+stats" if stats else "tuned")

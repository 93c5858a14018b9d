"""What the passes of bench/run mean: ratios, regressions beyond noise, and
how far from the best plans there are."""
import statistics

from sides import REGRESSION, floored, geometric_mean

FINAL = 3                       # passes of ours that count as "after learning"
EARLY = 5                       # learning passes before the early verdict
PAIRS = 7                       # of runs, to tell a regression from noise
QUIET_PAIRS = (9, 61)           # at least and most, where nothing is to gain
QUIET_S = 0.8                   # a statement's share of time for them


def ratios(tuned_ms, ours_ms):
    """{statement: ours / tuned}, plain and floored."""
    return ({n: max(ours_ms[n], 1e-3) / max(tuned_ms[n], 1e-3)
             for n in tuned_ms},
            {n: floored(ours_ms[n], tuned_ms[n]) for n in tuned_ms})


def summary(tuned_ms, ours_ms):
    raw, floor = ratios(tuned_ms, ours_ms)
    return dict(total=sum(ours_ms.values()) / sum(tuned_ms.values()),
                geomean=geometric_mean(raw.values()),
                worst=max(floor.values()),
                regressed=sum(v > REGRESSION for v in floor.values()))


def different_rows(everybody, ours, tuned, queries):
    """Statements whose rows differ anywhere, or that only one side can run."""
    bad = []
    for n in queries:
        status = {s.name: {r[n]["status"] for r in s.runs.values()}
                  for s in (tuned, ours)}
        hashes = {r[n]["hash"] for s in everybody for r in s.runs.values()}
        if len(hashes - {None}) > 1 or \
                ("error" in status["ours"] and "ok" in status["tuned"]):
            bad.append(n)
    return bad


def judge(queries, tuned, ours, oracle):
    """Everything that follows from the passes alone."""
    passes = sorted(ours.runs)
    learning = passes[:-FINAL]
    everything = tuned.medians(sorted(tuned.runs))
    late = [p for p in sorted(tuned.runs) if p >= passes[-FINAL]]
    x = tuned.medians(late) if len(late) >= FINAL else everything
    y = ours.medians(passes[-FINAL:])
    total = sum(x.values())
    raw, floor = ratios(x, y)
    share = lambda some: sum(ours.total(p) for p in some) / (len(some) * total)
    r = dict(
        summary(x, y), statements=len(x), ratios=floor,
        improved=sorted((n for n in floor if floor[n] < 1 / REGRESSION),
                        key=floor.get),
        learning_total=share(learning) if learning else None,
        different=different_rows([s for s in (tuned, ours, oracle) if s],
                                 ours, tuned, queries),
        curve=[[p, ours.total(p), ours.total(p) / total] for p in passes],
        tuned_ms=x, ours_ms=y)
    if len(passes) >= EARLY + FINAL:
        early = ours.medians(passes[EARLY:EARLY + FINAL])
        r["early"] = dict(summary(everything, early), ours_ms=early,
                          learning_total=share(passes[:EARLY]))
    if oracle:
        best = oracle.medians(sorted(oracle.runs))
        r["oracle"] = dict(
            oracle_ms=best, vs_oracle=sum(y.values()) / sum(best.values()),
            geomean=geometric_mean(max(y[n], 1e-3) / max(best[n], 1e-3)
                                   for n in y),
            oracle_total=sum(best.values()) / total)
        if "early" in r:
            r["early"]["vs_oracle"] = (sum(r["early"]["ours_ms"].values()) /
                                       sum(best.values()))
    return r


# ---- beyond noise ---------------------------------------------------------------

def pairs(sql, tuned, ours, least, most, seconds):
    """Turns of the two sessions: ([tuned ms], [ours ms])."""
    x, y = [], []
    spent = 0.0
    for i in range(most):
        if i >= least and spent > seconds * 1000:
            break
        for side, to in ((tuned, x), (ours, y)) if i % 2 else \
                ((ours, y), (tuned, x)):
            to.append(side.once(sql)["ms"])
        spent += x[-1] + y[-1]
    return x, y


def recheck(r, queries, tuned, ours, seconds):
    """What looks slower runs again in turns before it is called slower."""
    suspects = sorted((n for n, v in r["ratios"].items() if v > REGRESSION),
                      key=r["ours_ms"].get)
    r["rechecked"], spent = {}, 0.0
    now = dict(r["ratios"])
    for n in suspects:
        if spent > seconds * 1000:
            print("no time to run %s again" % n)
            continue
        x, y = pairs(queries[n], tuned, ours, PAIRS, PAIRS, 0)
        spent += sum(x) + sum(y)
        now[n] = floored(statistics.median(y), statistics.median(x))
        r["rechecked"][n] = dict(first=r["ratios"][n], again=now[n], tuned=x,
                                 ours=y)
    r["suspects"] = len(suspects)
    r["worst"] = max(now.values())
    r["worst_statement"] = max(now, key=now.get)
    r["regressed"] = sorted((n for n in suspects if now[n] > REGRESSION),
                            key=now.get, reverse=True)


def nothing_to_gain(r, queries, names, tuned, ours):
    """Statements that are best left alone, in turns until noise averages out."""
    x, y = {}, {}
    for n in names:
        a, b = pairs(queries[n], tuned, ours, *QUIET_PAIRS, QUIET_S)
        x[n], y[n] = statistics.median(a), statistics.median(b)
    raw, _ = ratios(x, y)
    r["quiet"] = dict(statements=len(names), tuned_ms=x, ours_ms=y,
                      total=sum(y.values()) / sum(x.values()),
                      geomean=geometric_mean(raw.values()))


def same_plans(r, queries, tuned, ours):
    """Statements that both sessions plan alike: what differs there is noise,
    or the extension's own cost."""
    same = [n for n in queries
            if tuned.shape(queries[n]) == ours.shape(queries[n])]
    raw, _ = ratios(r["tuned_ms"], r["ours_ms"])
    r["same_plan"] = same
    if same:
        r["same_plan_total"] = (sum(r["ours_ms"][n] for n in same) /
                                sum(r["tuned_ms"][n] for n in same))
        r["same_plan_geomean"] = geometric_mean(raw[n] for n in same)

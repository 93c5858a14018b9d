#!/usr/bin/env python3
"""Judge two runs of the server's regression suite, test by test.

Called by scripts/server-regress with a directory of runs: "stock" without the
extension, "ours" with it, and variants, without it but under other planner
settings.  A test passes if it printed the same in "ours" as in "stock", or
what the suite expects.  Else the two outputs are cut into result tables and
other lines, which are compared one by one.  Allowed, and listed with the
test's name:

  explain   the text of a plan (a table headed QUERY PLAN or explain_filter,
            or filled by a statement that has "explain" in it)
  order     the same rows in another order, of a statement that asks for none
  open      a table that is another in a variant, too, other than by order of
            rows, or whose order is another there although the statement asks
            for one: what it has to be is left open by the statement
  listing   rows too many in a listing, each of which is a thing of the
            extension's own (LISTINGS says which, test by test)

Ends with "N passed, N failed" and RESULT; status 1 if a test failed,
if the server crashed or warned of a leak, or if nothing was tried at all.
"""
import argparse
import difflib
import glob
import os
import re
import sys

# What the extension adds to the catalogs, where a test lists those.
LISTINGS = {
    # an event trigger, by which a dropped table is no longer enabled
    "event_trigger": r"\bruvector_dag_on_drop\b",
    # its function must delete from a table that others may not write
    "opr_sanity": r"\| dag_on_drop$",
    # arrays of floats that are not worth compressing
    "type_sanity": r"\| (embedding|centroid|features|state) \| \d+ \| _\w+$",
}

RULE = re.compile(r"^-+(\+-+)*$")
COUNT = re.compile(r"^\(\d+ rows?\)$")
BAD_LOG = re.compile(r"PANIC:|TRAP:|terminated by signal|WARNING:.*("
                     r"leak|still referenced|already held|not closed)")


def squeeze(line):
    """Column widths follow the longest value: of no concern."""
    if RULE.match(line):
        return "--+" * line.count("+") + "--"
    return re.sub(r" +", " ", line).rstrip()


def segments(path):
    """The output as a list of ("line", text) and ("table", head, rows,
    number of its first line)."""
    with open(path, encoding="utf-8", errors="replace") as f:
        lines = f.read().split("\n")
    result = []
    i = 0
    while i < len(lines):
        if (i + 1 < len(lines) and RULE.match(lines[i + 1]) and
                lines[i].startswith(" ")):
            end = i + 2
            while end < len(lines) and not COUNT.match(lines[end]):
                end += 1
            if end < len(lines):
                result.append(("table", squeeze(lines[i]),
                               tuple(squeeze(x) for x in lines[i + 2:end]),
                               i + 1))
                i = end + 1
                continue
        result.append(("line", lines[i], (), i + 1))
        i += 1
    return result


def key(segment):
    return segment[:3]


def statement_before(parts, at):
    """The lines echoed before a table: its statement's text."""
    text = []
    for kind, line, _, _ in reversed(parts[:at]):
        if kind == "table" or len(text) == 40:
            break
        text.append(line)
        if line.startswith("--") or line == "":
            break
    return "\n".join(reversed(text))


def is_plan(head, statement):
    return ("QUERY PLAN" in head or "explain" in head or
            re.search(r"\bexplain", statement, re.I) is not None)


def orders(statement):
    """Has it an ORDER BY outside of all parentheses?"""
    depth = 0
    outer = []
    for char in statement:
        depth += (char == "(") - (char == ")")
        outer.append(char if depth <= 0 else " ")
    return re.search(r"\border\s+by\b", "".join(outer), re.I) is not None


def judge_table(test, old, new, statement, varying):
    """Why these may differ; None: they may not."""
    if old[1] == new[1] and is_plan(old[1], statement):
        return "explain"
    if sorted(old[2]) == sorted(new[2]) and old[1] == new[1] and not orders(
            statement):
        return "order"
    if old[3] in varying:
        return "open"
    if old[1] != new[1]:
        return None
    if test in LISTINGS:
        rest = list(new[2])
        for row in old[2]:
            if row not in rest:
                return None
            rest.remove(row)
        if all(re.search(LISTINGS[test], row) for row in rest):
            return "listing"
    return None


def differing(a, b):
    """Ranges of the one that are others in the other."""
    matcher = difflib.SequenceMatcher(None, [key(s) for s in a],
                                      [key(s) for s in b], autojunk=False)
    return [code[1:] for code in matcher.get_opcodes() if code[0] != "equal"]


def varying_tables(stock, variants):
    """Numbers of the lines at which stock's tables begin that are not the
    same in all variants."""
    a, result = segments(stock), set()
    for variant in variants:
        for a1, a2, _, _ in differing(a, segments(variant)):
            result.update(s[3] for s in a[a1:a2] if s[0] == "table")
    return result


def judge(test, stock, ours, variants):
    """Compare outputs; returns ({reason: count}, [failure, ...])."""
    a, b = segments(stock), segments(ours)
    varying = varying_tables(stock, variants)
    reasons, failures = {}, []
    for a1, a2, b1, b2 in differing(a, b):
        same_kind = (a2 - a1 == b2 - b1 and
                     all(x[0] == y[0] == "table"
                         for x, y in zip(a[a1:a2], b[b1:b2])))
        why = None
        if same_kind:
            for i in range(a2 - a1):
                why = judge_table(test, a[a1 + i], b[b1 + i],
                                  statement_before(b, b1 + i), varying)
                if why is None:
                    break
                reasons[why] = reasons.get(why, 0) + 1
        if why is None:
            failures.append(difference(a[a1:a2], b[b1:b2]))
    return reasons, failures


def difference(old, new):
    lines = []
    for mark, parts in (("-", old), ("+", new)):
        for kind, text, rows, number in parts:
            lines.append("%s%5d %s" % (mark, number, text))
            lines += [mark + "      " + row for row in rows]
    return "\n".join(lines[:60])


def same(one, other):
    with open(one, "rb") as f, open(other, "rb") as g:
        return f.read() == g.read()


def expected_files(suite, test):
    return [path for path in
            glob.glob(os.path.join(suite, "expected", test + "*.out"))
            if re.match(re.escape(test) + r"(_\d+)?\.out$",
                        os.path.basename(path))]


def run_test(args, test):
    """Prints its line; returns (did it pass, {reason: count})."""
    def output(run):
        return os.path.join(args.runs, run, "results", test + ".out")
    variants = [path for path in
                glob.glob(os.path.join(args.runs, "variant*", "results",
                                       test + ".out"))]
    if not os.path.exists(output("ours")):
        print("FAIL  %-24s no output" % test)
        return False, {}
    if any(same(output("ours"), path) for path in
           [output("stock")] + expected_files(args.suite, test)):
        print("ok    %s" % test)
        return True, {}
    reasons, failures = judge(test, output("stock"), output("ours"), variants)
    said = ", ".join("%s: %d" % pair for pair in sorted(reasons.items()))
    if failures:
        print("FAIL  %-24s %d differences%s" %
              (test, len(failures), "; allowed: " + said if said else ""))
        for failure in failures[:20]:
            print("      | " + failure.replace("\n", "\n      | "))
        return False, reasons
    print("ok    %-24s differs (%s)" % (test, said or "layout"))
    return True, reasons


def log_complaints(path):
    with open(path, encoding="utf-8", errors="replace") as f:
        return [line.rstrip() for line in f if BAD_LOG.search(line)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    for name in ("suite", "runs", "log", "major"):
        parser.add_argument("--" + name, required=True)
    for name in ("trials", "abandoned"):
        parser.add_argument("--" + name, type=int, required=True)
    args = parser.parse_args()
    tests = sorted(os.path.basename(path)[:-4] for path in
                   glob.glob(os.path.join(args.runs, "stock", "results",
                                          "*.out")))
    passed = failed = others = 0
    total = {}
    for test in tests:
        good, reasons = run_test(args, test)
        passed += good
        failed += not good
        others += bool(reasons) and good
        for why, count in reasons.items():
            total[why] = total.get(why, 0) + count
    complaints = log_complaints(args.log)
    for line in complaints[:20]:
        print("LOG   " + line)
    if args.trials == 0:
        failed += 1
        print("FAIL  nothing was tried in the whole run")
    print("%d passed, %d failed" % (passed, failed))
    print("RESULT server_regress=%s tests=%d passed=%d failed=%d differing=%d"
          " explain=%d order=%d open=%d listing=%d trials=%d abandoned=%d log=%d" %
          (args.major, len(tests), passed, failed, others,
           total.get("explain", 0), total.get("order", 0),
           total.get("open", 0), total.get("listing", 0), args.trials, args.abandoned,
           len(complaints)))
    sys.exit(1 if failed or complaints or not tests else 0)


if __name__ == "__main__":
    main()

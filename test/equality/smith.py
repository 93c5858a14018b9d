"""sqlsmith's statements, made to have one result.

sqlsmith (a Debian package) reads the catalogs of a database of its own with
the tables of setup.sql and prints random statements; it runs none of them.
Taken are the SELECTs, except those that

  - call a function that is volatile or tells about the session, the clock or
    the server's state (VOLATILE; read from pg_proc, and a list of names),
  - lock rows, or compute in floating point, whose sums depend on the order
    of addition (FLOATS).  TABLESAMPLE is taken out of the others.

sqlsmith puts LIMIT everywhere, without an order.  Outside of all parentheses
it is taken away; elsewhere an ORDER BY of all output columns goes before it
(rows cut off are then determined; types without an order make the statement
fail, with us as without).  What still changes from run to run of the stock
planner (changes(), asked for sqlsmith's statements only) is left out.
"""
import itertools
import re
import shutil
import subprocess
import sys

import sessions

DATABASE = "equality_smith"

VOLATILE = re.compile(
    r"\b(for (update|share|no key|key)|current_\w+|session_user|"
    r"localtime\w*|random|clock|now|age|timeofday|\w*_timestamp|pg_\w+_\w*|"
    r"txid_\w+|inet_\w+|has_\w+|\w*_privilege|current_\w+|currtid\w*|version|"
    r"getdatabaseencoding|getpgusername|lo_\w+|\w*_to_xml\w*|\w*xmlschema|"
    r"query_to_\w+|cursor_to_\w+|ts_stat|ts_rewrite|to_ts\w+|set_config|"
    r"\w+_description|gin_\w+|brin_\w+|dblink\w*|plpgsql_\w+|fmgr_\w+|"
    r"suppress_\w+|tsvector_update\w*|array_agg\w*|\w*_?agg|string_agg|"
    r"xmlagg|mode|ctid|xmin|xmax|cmin|cmax|tableoid)\b", re.I)
FLOATS = re.compile(r"\b(float[48]\w*|real|double|var_\w+|variance|stddev\w*|"
                    r"corr|covar_\w+|regr_\w+|d\w*float\w*|percentile\w*|"
                    r"\w*float\w*)\b", re.I)
MARK = "/* sqlsmith */ "


def changes(statement):
    """Should it be run twice, to see whether its result is determined?"""
    return statement.startswith(MARK)


def find_volatile(session):
    return set(session.must(
        "SELECT proname FROM pg_proc WHERE provolatile = 'v';"))


def tokens(text):
    """Words and punctuation, strings whole: [(token, depth of parentheses)]"""
    result, depth = [], 0
    for token in re.findall(r"'(?:[^']|'')*'|\"[^\"]*\"|\w+|\s+|.", text,
                            re.S):
        depth -= token == ")"
        result.append((token, depth))
        depth += token == "("
    return result


def outputs(parts, at):
    """How many columns has the SELECT whose LIMIT is parts[at]?  0: unknown."""
    depth, commas = parts[at][1], 0
    begin = at
    while begin >= 0 and parts[begin][1] >= depth and not (
            parts[begin][1] == depth and parts[begin][0].lower() == "select"):
        begin -= 1
    if begin < 0 or parts[begin][0].lower() != "select":
        return 0
    for token, level in parts[begin:at]:
        if level == depth and token.lower() == "from":
            return commas + 1
        commas += level == depth and token == ","
    return 0


def determined(text):
    """The statement with its LIMITs put in order, or None."""
    parts = tokens(text)
    result, skip = [], False
    for at, (token, depth) in enumerate(parts):
        word = token.lower()
        if word == "limit" and depth == 0:
            skip = True
        elif word == "limit":
            n = outputs(parts, at)
            if n == 0:
                return None
            result.append("order by %s " % ", ".join(
                str(i + 1) for i in range(n)))
        if not skip:
            result.append(token)
    return " ".join("".join(result).split())


def prepare(url):
    """The database that sqlsmith looks at: the tables, nothing of ours."""
    main = sessions.Session(url, "smith", [])
    main.must("DROP DATABASE IF EXISTS %s;\nCREATE DATABASE %s;" %
              (DATABASE, DATABASE))
    main.close()
    own = re.sub(r"dbname=\S+", "dbname=" + DATABASE, url)
    session = sessions.Session(own, "smith", [])
    with open(sessions.ROOT + "/test/equality/setup.sql",
              encoding="utf-8") as f:
        session.must(f.read())
    volatile = find_volatile(session)
    session.close()
    return own, volatile


def generate(url, seed, n=400):
    done = subprocess.run(
        ["sqlsmith", "--target=" + url, "--exclude-catalog", "--dry-run",
         "--max-queries=%d" % n, "--seed=%d" % seed],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode != 0 or not done.stdout:
        sys.exit("equality: sqlsmith failed: " + done.stderr[-500:])
    return re.split(r";\s*\n", done.stdout)


def statements(url, seed):
    """An endless iterator."""
    if shutil.which("sqlsmith") is None:
        sys.exit("equality: there is no sqlsmith: install it, or --smith 0")
    own, volatile = prepare(url)
    for number in itertools.count(seed * 1000):
        for text in generate(own, number):
            # comments, and a statement it could not finish
            text = re.sub(r"--.*", "", text).strip()
            text = re.sub(r"\btablesample \w+ \([^()]*\)", "", text)
            if (not re.match(r"(select|with)\b", text, re.I) or
                    re.search(r"\b(insert|update|delete|merge)\b", text) or
                    VOLATILE.search(text) or
                    not volatile.isdisjoint(re.findall(r"\w+", text)) or
                    FLOATS.search(text)):
                continue
            text = determined(text)
            if text and len(text) < 8000:
                yield MARK + text

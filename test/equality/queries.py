"""Random queries over the tables of setup.sql, whose results are determined.

A Generator makes statements of joins of every kind, semi and anti joins,
grouping, DISTINCT, window functions, set operations, CTEs, LATERAL and
LIMIT.  Results may not depend on the plan, so: no floating point; every
aggregate that depends on order has one; rows are cut off (LIMIT, DISTINCT ON)
and numbered in the order of all their columns, where ties are equal rows.

A few statements fail, by a division by zero in the data, say: that may
depend on the plan, and the caller must reckon with it.
"""
import collections
import random

# typ: i(nt), n(umeric), t(ext), d(ate); domain: what it may be joined by
Col = collections.namedtuple("Col", "name typ domain")
Table = collections.namedtuple("Table", "name rows cols")

# Number of values of a domain: joining by it multiplies rows by rows/this.
DOMAINS = {"cust": 1500, "prod": 400, "store": 40, "region": 11, "day": 365,
           "key": 900, "few": 10, "node": 900}


def table(name, rows, columns):
    cols = []
    for word in columns.split():
        name_, typ, domain = (word.split(":") + [None, None])[:3]
        cols.append(Col(name_, typ or "i", domain))
    return Table(name, rows, cols)


TABLES = [
    table("star.cust", 1500, "id:i:cust region:i:region kind:t credit:n"),
    table("star.prod", 400, "id:i:prod grp:i:few name:t price:n"),
    table("star.store", 40, "id:i:store region:i:region open:d"),
    table("star.sale", 8000, "id cust:i:cust prod:i:prod store:i:store"
          " day:d:day qty:i:few amount:n note:t"),
    table("star.sales_by_cust", 1500, "cust:i:cust n:i total:n last:d:day"),
    table("part.ev", 3000, "id:i:key k:i:key v:i:few at:d:day"),
    table("part.ev2", 550, "id:i:key k:i:key v:i:few at:d:day"),
    table("part.pair", 1500, "id:i:key k:i:key w:i:few"),
    table("part.acct", 1100, "id:i:key owner:t bal:n"),
    table("part.par", 1200, "id:i:key x:i:few"),
    table("odd.dup", 2000, "a:i:store b:i:few c:t d:n"),
    table("odd.none", 1, "a:i:store b:i:few c:t"),
    table("odd.one", 1, "a:i:few b:t"),
    table("odd.bag", 1000, "id:i:key"),
    table("odd.node", 900, "id:i:node parent:i:node lbl:t"),
    table("odd.stale", 4000, "id:i:key g:i:few x:i"),
]
BY_NAME = {t.name: t for t in TABLES}
MOST_ROWS = 3000           # of a join, as far as one can tell


class Generator:
    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.n = 0

    # ---- small things --------------------------------------------------------

    def chance(self, p):
        return self.rng.random() < p

    def pick(self, items):
        return self.rng.choice(items)

    def name(self, prefix="t"):
        self.n += 1
        return "%s%d" % (prefix, self.n)

    def literal(self, typ, domain=None):
        if typ == "d":
            return "date '2021-01-01' + %d" % self.rng.randrange(365)
        if typ == "t":
            return "'%s%d'" % (self.pick("kpncol"), self.rng.randrange(13))
        if typ == "n":
            return "%.2f" % (self.rng.randrange(400) / 4.0)
        return str(self.rng.randrange(DOMAINS.get(domain, 60)))

    def expression(self, scope, typ, depth=2):
        """Of a type, over the columns (text, Col) in scope."""
        mine = [text for text, col in scope if col.typ == typ]
        kind = self.rng.randrange(10)
        if not mine or (kind == 0 and depth > 0):
            return self.literal(typ) if not mine or self.chance(.3) else \
                "coalesce(%s, %s)" % (self.pick(mine), self.literal(typ))
        if depth == 0 or kind < 5:
            return self.pick(mine)
        one = self.expression(scope, typ, depth - 1)
        other = self.expression(scope, typ, depth - 1)
        if kind == 5:
            return "CASE WHEN %s THEN %s ELSE %s END" % (
                self.predicate(scope, 0), one, other)
        if typ == "i":
            if self.chance(.01):
                return "(1000 / (%s - %s))" % (one, self.literal("i"))
            return self.pick(["(%s + %s)", "(%s - %s)", "greatest(%s, %s)",
                              "nullif(%s, %s)", "(%s %% 7 + %s)",
                              "odd.twice(%s) - %s"]) % (one, other)
        if typ == "n":
            return self.pick(["(%s + %s)", "(%s - %s)", "least(%s, %s)",
                              "round(%s, 1) + %s"]) % (one, other)
        if typ == "t":
            return self.pick(["(%s || %s)", "coalesce(%s, %s)",
                              "greatest(%s, %s)"]) % (one, other)
        return "greatest(%s, %s)" % (one, other)

    # ---- conditions ----------------------------------------------------------

    def predicate(self, scope, depth=2):
        kind = self.rng.randrange(16)
        if depth > 0 and kind < 2:
            return "(%s %s %s)" % (self.predicate(scope, depth - 1),
                                   self.pick(["AND", "OR"]),
                                   self.predicate(scope, depth - 1))
        if depth > 0 and kind == 2:
            return "NOT (%s)" % self.predicate(scope, depth - 1)
        if depth > 0 and kind < 6:
            return self.subquery_condition(scope)
        text, col = self.pick(scope)
        value = self.literal(col.typ, col.domain)
        if kind == 6:
            return "%s IS %sNULL" % (text, self.pick(["", "NOT "]))
        if kind == 7:
            return "%s IN (%s)" % (text, ", ".join(
                self.literal(col.typ, col.domain) for _ in range(4)))
        if kind == 8:
            return "%s BETWEEN SYMMETRIC %s AND %s" % (
                text, value, self.literal(col.typ, col.domain))
        if kind == 9 and col.typ == "t":
            return "%s LIKE '%%%d'" % (text, self.rng.randrange(10))
        if kind == 10 and col.typ == "i":
            return "(%s) %% %d = 1" % (text, self.rng.randrange(2, 9))
        if kind == 11:
            return "%s IS DISTINCT FROM %s" % (
                text, self.expression(scope, col.typ, 0))
        if kind == 12 and col.typ == "i":
            return "%s = ANY (ARRAY[%s, %s, %s])" % (
                text, value, self.literal("i"), self.literal("i"))
        if kind == 13 and col.domain == "region":
            return "odd.regions(%s) > %d" % (text, self.rng.randrange(200))
        return "%s %s %s" % (text, self.pick(["=", "<", ">", "<=", "<>"]),
                             value)

    def subquery_condition(self, scope):
        """EXISTS, IN and their opposites, and comparison with a scalar."""
        inner = self.pick(TABLES)
        alias = self.name("s")
        cols = [("%s.%s" % (alias, c.name), c) for c in inner.cols]
        pairs = [(o, i) for o, oc in scope for i, ic in cols
                 if oc.domain and oc.domain == ic.domain]
        where = [self.predicate(cols, 0)]
        if not pairs:
            return "%s < (SELECT count(*) FROM %s %s WHERE %s)" % (
                self.expression(scope, "i", 0), inner.name, alias, where[0])
        outer, own = self.pick(pairs)
        if self.chance(.5):
            if self.chance(.3):
                o, i = self.pick(pairs)
                where.append("%s %s %s" % (o, self.pick(["=", "<>", "<"]), i))
            return "%s (SELECT 1 FROM %s %s WHERE %s = %s AND %s)" % (
                self.pick(["EXISTS", "NOT EXISTS"]), inner.name, alias, own,
                outer, " AND ".join(where))
        if self.chance(.2):
            return "%s = (SELECT %s(%s) FROM %s %s WHERE %s = %s AND %s)" % (
                outer, self.pick(["max", "min"]), own, inner.name, alias, own,
                outer, where[0])
        if self.chance(.3):
            where.append("%s IS NOT NULL" % own)
        return "%s %s (SELECT %s FROM %s %s WHERE %s)" % (
            outer, self.pick(["IN", "NOT IN", "IN"]), own, inner.name, alias,
            " AND ".join(where))

    # ---- FROM ----------------------------------------------------------------

    def source(self, depth, ctes, outer):
        """(text, columns in scope, rows, is it lateral)"""
        alias = self.name()
        kind = self.rng.randrange(12)
        if ctes and kind < 3:
            source = self.pick(ctes)
            return ("%s AS %s" % (source.name, alias),
                    [("%s.%s" % (alias, c.name), c) for c in source.cols],
                    source.rows, False)
        if depth > 0 and kind in (3, 4):
            lateral = bool(outer) and self.chance(.5)
            text, cols, rows = self.select(depth - 1, ctes,
                                           outer if lateral else [])
            return ("%s(%s) AS %s" % ("LATERAL " if lateral else "", text,
                                      alias),
                    [("%s.%s" % (alias, c.name), c) for c in cols], rows,
                    lateral)
        if kind == 5 and self.chance(.4):
            arg = self.pick([t for t, c in outer if c.typ == "i"] or ["5"])
            return ("odd.upto(%s) AS %s(u)" % (arg, alias),
                    [("%s.u" % alias, Col("u", "i", "few"))], 5, True)
        if kind == 6 and self.chance(.3):
            rows = ", ".join("(%d, '%s')" % (self.rng.randrange(12),
                                             self.pick("abc"))
                             for _ in range(4))
            return ("(VALUES %s) AS %s(a, b)" % (rows, alias),
                    [("%s.a" % alias, Col("a", "i", "few")),
                     ("%s.b" % alias, Col("b", "t", None))], 4, False)
        base = self.pick(TABLES)
        if base.rows == 1 and self.chance(.8):
            base = self.pick(TABLES)
        return ("%s AS %s" % (base.name, alias),
                [("%s.%s" % (alias, c.name), c) for c in base.cols],
                base.rows, False)

    def joined(self, depth, ctes, outer, n):
        """(FROM text, scope, rows) of n sources or fewer."""
        text, scope, rows, _ = self.source(depth, ctes, outer)
        for _ in range(n - 1):
            for _ in range(6):
                item, cols, more, lateral = self.source(depth, ctes,
                                                        outer + scope)
                pairs = [(a, b, ac.domain) for a, ac in scope for b, bc in cols
                         if ac.domain and ac.domain == bc.domain]
                if not pairs:
                    continue
                a, b, domain = self.pick(pairs)
                result = rows * max(more / DOMAINS[domain], .5)
                if result <= MOST_ROWS:
                    break
            else:
                continue
            kind = self.pick(["JOIN"] * 5 + ["LEFT JOIN"] * 3 +
                             ["RIGHT JOIN", "FULL JOIN"])
            if lateral and kind in ("RIGHT JOIN", "FULL JOIN"):
                kind = "LEFT JOIN"
            on = "%s = %s" % (a, b)
            if kind != "FULL JOIN" and self.chance(.25):
                on += " AND " + self.predicate(scope + cols, 0)
            text = "%s %s %s ON %s" % (text, kind, item, on)
            scope = scope + cols
            rows = max(result, rows if kind[0] in "LF" else 1)
        return text, scope, rows

    # ---- SELECT --------------------------------------------------------------

    def outputs(self, scope, n):
        """n output columns: (text, Col), mostly of those there are."""
        result = []
        for i in range(n):
            text, col = self.pick(scope)
            if self.chance(.3):
                text, col = (self.expression(scope, col.typ), col._replace(
                    domain=None))
            result.append((text, col._replace(name="c%d" % i)))
        return result

    def aggregate(self, scope):
        text, col = self.pick(scope)
        distinct = self.pick(["", "", "", "DISTINCT "])
        kind = self.rng.randrange(6)
        if kind == 0:
            call, typ = "count(*)", "i"
        elif kind == 1:
            call, typ = "count(%s%s)" % (distinct, text), "i"
        elif kind == 2:
            call = "string_agg(%s%s::text, ',' ORDER BY %s::text)" % (
                distinct, text, text)
            call, typ = "md5(%s)" % call, "t"
        elif kind == 3 and col.typ in "in":
            call, typ = "sum(%s%s)::numeric" % (distinct, text), "n"
        else:
            call, typ = "%s(%s)" % (self.pick(["min", "max"]), text), col.typ
        if self.chance(.15) and kind != 2:
            # FILTER belongs to the aggregate, before any cast
            cut = call.index("::") if "::" in call else len(call)
            call = "%s FILTER (WHERE %s)%s" % (
                call[:cut], self.predicate(scope, 0), call[cut:])
        return call, typ

    def grouped(self, scope, where, source):
        keys = self.outputs(scope, self.rng.randrange(1, 3))
        calls = [self.aggregate(scope)
                 for _ in range(self.rng.randrange(1, 4))]
        cols = [col for _, col in keys]
        cols += [Col("g%d" % i, typ, None) for i, (_, typ) in enumerate(calls)]
        # by number: a constant is a key like any other
        numbers = ", ".join(str(i + 1) for i in range(len(keys)))
        group = numbers
        if self.chance(.1):
            group = "ROLLUP (%s)" % ", ".join(text for text, _ in keys)
            if any(text.isdigit() for text, _ in keys):
                group = numbers
        text = "SELECT %s FROM %s%s GROUP BY %s" % (
            ", ".join("%s AS %s" % (t, c.name) for (t, _), c in
                      zip(keys + calls, cols)), source, where, group)
        if self.chance(.3):
            text += " HAVING count(*) > %d" % self.rng.randrange(4)
        return text, cols

    def select(self, depth, ctes=(), outer=()):
        """A whole SELECT: (text, its columns, rows)"""
        kind = self.rng.randrange(20)
        if depth > 0 and kind < 2:
            return self.set_operation(depth, ctes, outer)
        if depth > 0 and kind < 4:
            return self.windowed(depth, ctes, outer)
        n = self.rng.choice([1, 2, 2, 3, 3, 4] + [5, 6] * (depth > 1))
        source, scope, rows = self.joined(depth, list(ctes), list(outer), n)
        everything = scope + list(outer)
        conditions = [self.predicate(everything, 2)
                      for _ in range(self.pick([0, 0, 0, 1, 1, 1, 2]))]
        if outer:
            a, col = self.pick(outer)
            same = [b for b, c in scope if c.typ == col.typ]
            if same:
                conditions.append("%s = %s" % (self.pick(same), a))
        where = " WHERE " + " AND ".join(conditions) if conditions else ""
        if kind < 9 or (rows > 3000 and kind < 15):
            text, cols = self.grouped(scope, where, source)
            return self.limited(text, cols, min(rows, 300))
        chosen = self.outputs(scope, self.rng.randrange(1, 5))
        cols = [col for _, col in chosen]
        listing = ", ".join("%s AS %s" % (t, c.name) for t, c in chosen)
        if kind == 17:
            return ("SELECT DISTINCT ON (1) %s FROM %s%s ORDER BY 1, %s" % (
                listing, source, where, self.all_columns(cols)), cols,
                min(rows, 500))
        text = "SELECT %s%s FROM %s%s" % (
            "DISTINCT " if kind > 17 else "", listing, source, where)
        return self.limited(text, cols, rows)

    def all_columns(self, cols):
        """Numbers of all, in any order: where that is equal, rows are."""
        numbers = [str(i + 1) for i in range(len(cols))]
        self.rng.shuffle(numbers)
        return ", ".join(n + self.pick(["", "", " DESC", " NULLS FIRST"])
                         for n in numbers)

    def limited(self, text, cols, rows):
        if not self.chance(.25):
            return text, cols, rows
        limit = self.rng.randrange(1, 60)
        text += " ORDER BY %s LIMIT %d" % (self.all_columns(cols), limit)
        if self.chance(.2):
            text += " OFFSET %d" % self.rng.randrange(20)
        return text, cols, limit

    def windowed(self, depth, ctes, outer):
        text, cols, rows = self.select(depth - 1, ctes, outer)
        alias = self.name("w")
        total = ", ".join("%s.%s" % (alias, c.name) for c in cols)
        by = "%s.%s" % (alias, self.pick(cols).name)
        call = self.pick([
            "row_number() OVER (ORDER BY %s)" % total,
            "rank() OVER (ORDER BY %s)" % by,
            "row_number() OVER (PARTITION BY %s ORDER BY %s)" % (by, total),
            "count(*) OVER (PARTITION BY %s)" % by,
            "count(*) OVER (ORDER BY %s)" % by,
            "max(%s) OVER (ORDER BY %s ROWS 3 PRECEDING)" % (by, total),
            "lag(%s) OVER (ORDER BY %s)" % (by, total)])
        of = next((c.typ for c in cols if by.endswith("." + c.name)), "i")
        typ = of if call[:3] in ("max", "lag") else "i"
        own = self.name("x")
        return ("SELECT %s.*, %s AS %s FROM (%s) %s" % (alias, call, own, text,
                                                        alias),
                cols + [Col(own, typ, None)], rows)

    def set_operation(self, depth, ctes, outer):
        text, cols, rows = self.select(depth - 1, ctes, outer)
        source, scope, _ = self.joined(0, list(ctes), list(outer),
                                       self.rng.randrange(1, 3))
        listing = ", ".join("%s AS %s" % (self.expression(scope, c.typ, 1),
                                          c.name) for c in cols)
        other = "SELECT %s FROM %s WHERE %s" % (listing, source,
                                                self.predicate(scope, 1))
        both = "(%s) %s (%s)" % (text, self.pick(
            ["UNION", "UNION ALL", "INTERSECT", "EXCEPT", "EXCEPT ALL",
             "UNION ALL"]), other)
        # what columns of two sides are is not what either was
        return both, [c._replace(domain=None) for c in cols], rows + 500

    def statement(self):
        """A statement on one line, without semicolon."""
        ctes, heads = [], []
        for _ in range(self.pick([0, 0, 0, 1, 1, 2])):
            text, cols, rows = self.select(1, ctes)
            name = self.name("cte")
            heads.append("%s AS %s(%s)" % (name, self.pick(
                ["", "MATERIALIZED ", "NOT MATERIALIZED "]), text))
            ctes.append(Table(name, rows, cols))
        text, _, _ = self.select(2, ctes)
        if heads:
            text = "WITH %s %s" % (", ".join(heads), text)
        return text

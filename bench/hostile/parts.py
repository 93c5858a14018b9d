"""The parts of bench/regret: statements of every pass, and what happens to
the data between passes."""
import random


class Part:
    """name, what it is; prepare: run by every session when it connects."""

    name, what, prepare, passes = "", "", "", 10

    def statements(self, number, rng):
        """{name: sql} of this pass."""
        raise NotImplementedError

    def before(self, number, name):
        """SQL that a session runs, untimed, before that statement."""
        return None

    def change(self, number):
        """SQL that changes the data after this pass."""
        return None


class Traps(Part):
    """Row estimates are far off, and yet the stock plan is the best: the
    truth about the rows, or another method, leads to plans that run a filter
    over every row which the cost model takes to be free."""

    name, what = "traps", "stock is best, estimates are wrong"
    templates = dict(
        join="SELECT count(*), sum(f.w) FROM dim d JOIN fact f"
        " ON f.dim_id = d.id WHERE d.a = {k} AND d.b = {k} AND costly(f.v);",
        two="SELECT d.c, count(*) FROM dim d JOIN fact f ON f.dim_id = d.id"
        " JOIN dim e ON e.id = f.w + 1 WHERE d.a = {k} AND d.b = {k}"
        " AND costly(f.v) AND e.c < 6 GROUP BY 1 ORDER BY 1;",
        first="SELECT f.id, d.name FROM fact f JOIN dim d ON d.id = f.dim_id"
        " WHERE costly(f.v) AND d.a = {k} ORDER BY f.ts LIMIT 50;",
        exist="SELECT count(*) FROM dim d WHERE d.a = {k} AND d.b = {k} AND"
        " EXISTS (SELECT FROM fact f WHERE f.dim_id = d.id AND costly(f.v));",
        group="SELECT count(*), max(n) FROM (SELECT dim_id % 2500 x, w % 10 y,"
        " count(*) n FROM fact WHERE ts > {k} * 1000 GROUP BY 1, 2) t;")

    def statements(self, number, rng):
        return {"%s_%d" % (n, k): t.format(k=k)
                for n, t in self.templates.items() for k in (1, 4, 7, 12)}


class Tails(Part):
    """The time of an execution is mostly chance, with a heavy tail."""

    name, what, passes = "tails", "latencies of Pareto's distribution", 12
    templates = dict(
        join="SELECT count(*), sum(f.w), (SELECT pause(4, 300)) FROM dim d JOIN"
        " fact f ON f.dim_id = d.id WHERE d.a = {k} AND d.b = {k} AND f.w < 40;",
        plain="SELECT count(*), (SELECT pause(6, 400)) FROM fact WHERE w = {k}"
        " AND v % 3 = 0;",
        group="SELECT d.c, count(*), (SELECT pause(3, 300)) FROM dim d JOIN"
        " fact f ON f.dim_id = d.id WHERE d.a < {k} / 4 AND f.ts < 40000"
        " GROUP BY 1 ORDER BY 1;")

    def statements(self, number, rng):
        return {"%s_%d" % (n, k): t.format(k=k)
                for n, t in self.templates.items() for k in (4, 8, 13, 17)}

    def before(self, number, name):
        seed = random.Random("%d %s" % (number, name)).random()
        return "SELECT setseed(%.6f);" % seed


class Changes(Part):
    """Ten times the rows, none of them, no statistics, no index, and back."""

    name, what, passes = "changes", "the data change under it", 13
    events = {
        2: "SELECT hostile.load(20001, 200000, 5000);",
        3: "ANALYZE hostile.moving;",
        5: "DELETE FROM hostile.moving WHERE id % 10 <> 0;",
        6: "VACUUM ANALYZE hostile.moving;",
        7: "DROP INDEX hostile.moving_dim;",
        9: "CREATE INDEX moving_dim ON hostile.moving (dim_id);",
        10: "SELECT hostile.load(200001, 400000, 50);"
            " ANALYZE hostile.moving;",
        12: "DELETE FROM hostile.moving WHERE id > 100000;",
    }
    templates = dict(
        join="SELECT count(*), sum(m.v) FROM dim d JOIN moving m"
        " ON m.dim_id = d.id WHERE d.a = {k} AND d.b = {k};",
        three="SELECT m.grp, count(*) FROM dim d JOIN moving m ON"
        " m.dim_id = d.id JOIN fact f ON f.id = m.id WHERE d.a = {k} AND"
        " d.b = {k} AND f.w < 45 GROUP BY 1 ORDER BY 1;",
        range="SELECT count(*), max(d.name) FROM moving m JOIN dim d ON"
        " d.id = m.dim_id WHERE m.id BETWEEN {k} * 1000 AND {k} * 1000 + 2000"
        " AND m.grp = 5;")

    def statements(self, number, rng):
        return {"%s_%d" % (n, k): t.format(k=k)
                for n, t in self.templates.items() for k in (1, 4, 7, 12)}

    def change(self, number):
        return self.events.get(number)


class Flips(Part):
    """The best plan depends on the parameter: hot and cold keys through
    prepared statements and literals, and constants that never come twice."""

    name, what = "flips", "parameters flip the best plan"
    passes = 12
    body = dict(
        acc="SELECT count(*), sum(e.amount), max(a.kind) FROM entry e JOIN"
        " account a ON a.id = e.account_id WHERE e.account_id = {k}"
        " AND e.amount > 100",
        pair="SELECT count(*) FROM entry e JOIN entry f ON f.day = e.day AND"
        " f.account_id = e.account_id + 1 WHERE e.account_id = {k}"
        " AND e.amount < 60",
        last="SELECT e.id, a.kind FROM entry e JOIN account a ON"
        " a.id = e.account_id WHERE e.account_id = {k} AND e.amount < 9000"
        " ORDER BY e.id DESC LIMIT 30")
    prepare = "\n".join("PREPARE %s(int) AS %s;" % (n, t.format(k="$1"))
                        for n, t in body.items())

    def statements(self, number, rng):
        out = {}
        for key, label in ((1, "hot"), (5, "warm"), (4321, "cold")):
            for n, t in self.body.items():
                out["execute_%s_%s" % (n, label)] = "EXECUTE %s(%d);" % (n, key)
                out["literal_%s_%s" % (n, label)] = t.format(k=key) + ";"
        for i in range(8):
            low = rng.randrange(0, 900)
            wide = rng.choice((1, 3, 60))
            out["fresh_%d" % i] = (
                "SELECT a.kind, count(*), sum(e.amount) FROM entry e JOIN"
                " account a ON a.id = e.account_id WHERE e.day BETWEEN %d AND"
                " %d AND e.amount < %d AND e.account_id <> %d GROUP BY 1"
                " ORDER BY 1;" % (low, low + wide, rng.randrange(50, 10000),
                                  rng.randrange(1, 5000)))
        return out


PARTS = [Traps(), Tails(), Changes(), Flips()]

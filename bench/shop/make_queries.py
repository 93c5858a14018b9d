#!/usr/bin/env python3
"""make_queries.py [DIR]: writes DIR/*.sql (default: queries/ beside this file), templates x constants.

A name is template_variant; variants of one template share the shape and differ in constants only, and often need
different plans. To see that nothing is fitted to these constants, change them and measure again.
"""
import os
import shutil
import sys

T = []


def t(name, sql, *params):
    T.append((name, sql, params))


# ---- correlated predicates on one table, several joins above them
t("a01", """select count(*), sum(l.qty * l.price) from product p join order_line l on l.product_id = p.id join orders o on o.id = l.order_id join customer c on c.id = o.customer_id
where p.category = {cat} and p.brand = 'B{br}' and p.color = 'col{col}' and c.tier = '{tier}'""",
  dict(cat=2, br=14, col=2, tier="enterprise"), dict(cat=5, br=35, col=11, tier="basic"), dict(cat=40, br=281, col=5, tier="plus"), dict(cat=0, br=0, col=0, tier="pro"))
t("a02", """select o.warehouse, count(*), avg(s.cost) from customer c join orders o on o.customer_id = c.id join shipment s on s.order_id = o.id
where c.country = '{c}' and c.lang = '{l}' and c.industry = {i} and c.city = '{c}-{n}' and s.carrier = '{k}' group by o.warehouse order by 1""",
  dict(c="C00", l="L0", i=0, n=0, k="K0"), dict(c="C01", l="L0", i=7, n=1, k="K1"), dict(c="C02", l="L0", i=14, n=0, k="K2"), dict(c="C30", l="L10", i=10, n=3, k="K3"))
t("a03", """select count(*) from orders o join order_line l on l.order_id = o.id join product p on p.id = l.product_id join ticket t on t.order_id = o.id
where o.promo = 'P{m}' and o.order_ts >= '{d0}' and o.order_ts < '{d1}' and l.discount >= {disc} and p.price < {pr}""",
  dict(m="2203", d0="2022-03-01", d1="2022-04-01", disc=.1, pr=100), dict(m="2301", d0="2023-01-01", d1="2023-02-01", disc=.2, pr=20), dict(m="2401", d0="2024-01-05", d1="2024-02-01", disc=.1, pr=500), dict(m="2106", d0="2022-06-01", d1="2023-06-01", disc=.1, pr=500))
t("a04", """select c.tier, count(*) from customer c join event e on e.customer_id = c.id join product p on p.id = e.product_id join product_tag g on g.product_id = p.id
where c.country = '{c}' and c.lang = '{l}' and c.industry = {i} and c.newsletter and c.tier in ('plus','pro','enterprise') and g.tag = '{g}' group by c.tier order by 1""",
  dict(c="C03", l="L1", i=21, g="bestseller"), dict(c="C00", l="L0", i=0, g="trending"), dict(c="C10", l="L3", i=20, g="longtail"), dict(c="C05", l="L1", i=10, g="g3"))

# ---- rank of a tag or category in the fact table differs by orders of magnitude from its share of the dimension
t("b01", """select count(*), sum(l.qty) from product_tag g join order_line l on l.product_id = g.product_id join orders o on o.id = l.order_id join shipment s on s.order_id = o.id
where g.tag = '{g}' and s.state = '{st}'""",
  dict(g="bestseller", st="lost"), dict(g="premium", st="moving"), dict(g="clearance", st="back"), dict(g="eco", st="lost"), dict(g="g5", st="done"))
t("b02", """select o.channel, count(distinct o.customer_id), sum(l.qty) from product_tag g join product_tag h on h.product_id = g.product_id join order_line l on l.product_id = g.product_id join orders o on o.id = l.order_id
where g.tag = '{g}' and h.tag = '{h}' group by o.channel order by 1""",
  dict(g="bestseller", h="premium"), dict(g="trending", h="premium"), dict(g="longtail", h="clearance"), dict(g="eco", h="giftable"))
t("b03", """select count(*) from supplier s join product p on p.supplier_id = s.id join order_line l on l.product_id = p.id join orders o on o.id = l.order_id join customer c on c.id = o.customer_id
where p.discontinued and p.category between {a} and {b} and s.rating >= {r} and c.tier = '{t}'""",
  dict(a=30, b=59, r=2, t="pro"), dict(a=0, b=20, r=1, t="basic"), dict(a=45, b=50, r=5, t="plus"), dict(a=50, b=59, r=3, t="basic"))
t("b04", """select p.category, count(*), avg(r.rating) from product p join review r on r.product_id = p.id join event e on e.product_id = p.id
where p.id in (select product_id from product_tag where tag = '{g}') and r.rating = {r} and e.kind = '{k}' group by p.category order by 2 desc, 1 limit 10""",
  dict(g="bestseller", r=5, k="report"), dict(g="longtail", r=5, k="view"), dict(g="clearance", r=1, k="cart"), dict(g="premium", r=4, k="report"))

# ---- several facts share the same heavy hitters: many-to-many joins blow up, order matters
t("c01", """select count(*) from customer c join ticket t on t.customer_id = c.id join review r on r.customer_id = c.id join orders o on o.customer_id = c.id
where c.tier = '{t}' and t.severity = '{s}' and r.helpful > {h} and o.status = '{st}'""",
  dict(t="enterprise", s="critical", h=370, st="open"), dict(t="pro", s="high", h=150, st="cancelled"), dict(t="plus", s="critical", h=5, st="returned"), dict(t="basic", s="low", h=0, st="delivered"))
t("c02", """select count(*) from customer c, event e, review r, ticket t
where e.customer_id = c.id and r.customer_id = c.id and t.customer_id = c.id and c.country = '{c}' and e.kind = '{k}' and r.rating <= {r} and t.topic = '{tp}'""",
  dict(c="C01", k="report", r=1, tp="refund"), dict(c="C20", k="compare", r=2, tp="billing"), dict(c="C35", k="view", r=5, tp="delivery"), dict(c="C00", k="report", r=2, tp="account"))
t("c03", """select p.category, count(*) from event e join orders o on o.customer_id = e.customer_id join order_line l on l.order_id = o.id and l.product_id = e.product_id join product p on p.id = e.product_id
where e.kind = '{k}' and e.ts >= '{d}' and e.ts < timestamp '{d}' + interval '{n} days' and o.channel = '{ch}' group by 1 order by 2 desc, 1 limit 5""",
  dict(k="compare", d="2022-05-01", n=20, ch="edi"), dict(k="report", d="2021-01-01", n=900, ch="edi"), dict(k="wish", d="2023-01-01", n=10, ch="phone"), dict(k="cart", d="2024-01-01", n=60, ch="app"))
t("c04", """select c.country, count(*) from review a join review b on b.product_id = a.product_id and b.customer_id <> a.customer_id join customer c on c.id = b.customer_id
where a.rating = {r} and a.helpful >= {h} and b.rating = {s} and c.tier = '{t}' group by 1 order by 2 desc, 1 limit 10""",
  dict(r=5, h=200, s=4, t="enterprise"), dict(r=4, h=350, s=5, t="pro"), dict(r=1, h=30, s=1, t="basic"), dict(r=3, h=20, s=2, t="plus"))
t("c05", """select count(*) from orders o1 join orders o2 on o2.customer_id = o1.customer_id and o2.id > o1.id join ticket t on t.order_id = o2.id
where o1.status = '{a}' and o2.status = '{b}' and o1.channel = '{ch}' and t.severity = '{s}'""",
  dict(a="open", b="open", ch="edi", s="critical"), dict(a="cancelled", b="returned", ch="phone", s="critical"), dict(a="shipped", b="open", ch="edi", s="high"), dict(a="cancelled", b="open", ch="web", s="high"))

# ---- join on columns without an index, after an underestimate
t("d01", """select s.format, count(*) from customer c join store s on s.city = c.city join orders o on o.customer_id = c.id
where c.country = '{c}' and c.lang = '{l}' and c.industry = {i} and s.country = '{c}' and s.format in ({f}) and o.order_ts >= '{d}' group by s.format order by 1""",
  dict(c="C00", l="L0", i=0, f="'flagship','mall'", d="2024-08-01"), dict(c="C01", l="L0", i=7, f="'flagship'", d="2024-10-01"), dict(c="C04", l="L1", i=3, f="'mall','kiosk'", d="2023-01-01"), dict(c="C20", l="L6", i=15, f="'outlet'", d="2021-01-01"))
t("d02", """select count(*) from product a join product b on a.brand = b.brand and a.color = b.color and a.id < b.id join order_line l on l.product_id = b.id
where a.category = {cat} and a.supplier_id between {s0} and {s1} and a.color = 'col{col}' and b.discontinued = {d}""",
  dict(cat=3, s0=40, s1=60, col=9, d="false"), dict(cat=10, s0=140, s1=160, col=10, d="false"), dict(cat=50, s0=700, s1=715, col=2, d="true"), dict(cat=0, s0=1, s1=9, col=1, d="false"))
t("d03", """select count(*) from (select o.customer_id, date_trunc('day', o.order_ts) as dy, count(*) n from orders o where o.channel = '{ch}' and o.ship_country = '{c}' and o.warehouse = {w} group by 1, 2) x
join (select e.customer_id, date_trunc('day', e.ts) as dy, count(*) n from event e where e.device = '{dv}' and e.kind = '{k}' group by 1, 2) y on x.customer_id = y.customer_id and x.dy = y.dy
join customer c on c.id = x.customer_id where x.n >= {n}""",
  dict(ch="edi", c="C00", w=0, dv="api", k="compare", n=2), dict(ch="web", c="C01", w=1, dv="mobile", k="cart", n=1), dict(ch="app", c="C13", w=1, dv="desktop", k="view", n=1), dict(ch="edi", c="C02", w=2, dv="api", k="view", n=1))
t("d04", """select count(*) from ticket t join orders o on o.id = t.order_id join shipment s on s.order_id = o.id join store st on st.country = o.ship_country
where t.topic = '{tp}' and t.severity = '{sv}' and o.channel = '{ch}' and o.ship_country = '{c}' and o.warehouse = {w} and s.carrier = '{k}' and st.size > {z} and st.opened < s.shipped - interval '{y} years'""",
  dict(tp="billing", sv="critical", ch="edi", c="C00", w=0, k="K0", z=0, y=1), dict(tp="billing", sv="high", ch="edi", c="C01", w=1, k="K1", z=50, y=10), dict(tp="refund", sv="low", ch="web", c="C02", w=2, k="K2", z=100, y=5), dict(tp="billing", sv="critical", ch="edi", c="C25", w=1, k="K7", z=0, y=1))

# ---- ORDER BY .. LIMIT, the wanted rows sit at one end
t("e01", """select o.id, o.total from orders o join customer c on c.id = o.customer_id where o.status = '{s}' and c.tier = '{t}' order by o.order_ts, o.id limit {n}""",
  dict(s="open", t="basic", n=500), dict(s="shipped", t="pro", n=50), dict(s="delivered", t="basic", n=20), dict(s="open", t="enterprise", n=900))
t("e02", """select e.id, e.ts, p.name from event e join product p on p.id = e.product_id where e.kind = '{k}' and p.category = {cat} and p.discontinued order by e.ts desc, e.id limit {n}""",
  dict(k="report", cat=55, n=5), dict(k="compare", cat=40, n=20), dict(k="view", cat=5, n=10), dict(k="report", cat=2, n=10))
t("e03", """select t.id, t.opened, o.total from ticket t join orders o on o.id = t.order_id join order_line l on l.order_id = o.id where t.state = 'open' and t.topic = '{tp}' and o.channel = '{ch}' and l.qty > {q} order by t.opened, t.id, l.line limit {n}""",
  dict(tp="billing", ch="edi", q=30, n=40), dict(tp="refund", ch="phone", q=2, n=10), dict(tp="delivery", ch="web", q=4, n=100), dict(tp="account", ch="edi", q=55, n=10))
t("e04", """select o.id from orders o where o.status = '{s}' and o.promo is null and o.total > {v} and exists (select 1 from order_line l where l.order_id = o.id and l.product_id in (select product_id from product_tag where tag = '{g}')) order by o.id limit {n}""",
  dict(s="open", v=100, g="premium", n=300), dict(s="shipped", v=2000, g="bestseller", n=20), dict(s="cancelled", v=500, g="clearance", n=10), dict(s="delivered", v=50, g="eco", n=30))

# ---- semi and anti joins, aggregates as inputs
t("f01", """select c.tier, count(*) from customer c where c.country = '{c}' and c.lang = '{l}' and c.industry = {i}
and exists (select 1 from orders o join order_line l on l.order_id = o.id join product p on p.id = l.product_id where o.customer_id = c.id and p.category = {cat} and o.status = '{s}')
and not exists (select 1 from ticket t where t.customer_id = c.id and t.severity = '{sv}') group by 1 order by 1""",
  dict(c="C00", l="L0", i=0, cat=0, s="delivered", sv="high"), dict(c="C02", l="L0", i=14, cat=10, s="open", sv="low"), dict(c="C07", l="L2", i=24, cat=3, s="returned", sv="critical"), dict(c="C38", l="L12", i=16, cat=30, s="delivered", sv="low"))
t("f02", """with heavy as (select customer_id, count(*) n, sum(total) s from orders where channel = '{ch}' group by customer_id having count(*) > {n})
select c.country, count(*), sum(e.n) from heavy h join customer c on c.id = h.customer_id join (select customer_id, count(*) n from event where kind = '{k}' group by 1) e on e.customer_id = h.customer_id
join review r on r.customer_id = h.customer_id where r.rating >= {r} group by 1 order by 2 desc, 1 limit 10""",
  dict(ch="edi", n=50, k="compare", r=4), dict(ch="web", n=2, k="view", r=1), dict(ch="phone", n=5, k="report", r=5), dict(ch="app", n=10, k="share", r=3))
t("f03", """select p.category, count(*) from product p join (select product_id, avg(rating) a, count(*) n from review group by 1) r on r.product_id = p.id join order_line l on l.product_id = p.id join orders o on o.id = l.order_id
where r.a {op} {a} and r.n > {n} and o.order_ts >= '{d}' group by 1 order by 2 desc, 1 limit 10""",
  dict(op=">", a=4.3, n=20, d="2024-06-01"), dict(op="<", a=1.6, n=2, d="2021-01-01"), dict(op=">", a=4.5, n=100, d="2024-10-20"), dict(op="<", a=2, n=1, d="2024-10-01"))

# ---- long join chains (8-9 relations)
t("g01", """select count(*), max(o.total) from customer c, orders o, order_line l, product p, product_tag g, supplier s, shipment h, ticket t
where o.customer_id = c.id and l.order_id = o.id and p.id = l.product_id and g.product_id = p.id and s.id = p.supplier_id and h.order_id = o.id and t.order_id = o.id
and g.tag = '{g}' and c.tier = '{t}' and s.rating = {r} and h.carrier = '{k}' and t.topic = '{tp}' and o.ship_country = '{c}'""",
  dict(g="bestseller", t="enterprise", r=5, k="K0", tp="billing", c="C00"), dict(g="eco", t="plus", r=3, k="K1", tp="refund", c="C10"), dict(g="premium", t="pro", r=6, k="K3", tp="delivery", c="C03"), dict(g="longtail", t="basic", r=4, k="K2", tp="quality", c="C20"))
t("g02", """select count(*) from customer c, orders o, order_line l, product p, product_tag g, event e, product_tag g2
where o.customer_id = c.id and l.order_id = o.id and p.id = l.product_id and g.product_id = p.id and e.product_id = p.id and e.customer_id = c.id and g2.product_id = p.id
and c.country = '{c}' and c.tier = '{t}' and g.tag = '{g}' and g2.tag = '{g2}' and e.kind = '{k}'""",
  dict(c="C00", t="enterprise", g="bestseller", g2="premium", k="compare"), dict(c="C05", t="plus", g="trending", g2="giftable", k="cart"), dict(c="C02", t="pro", g="g2", g2="trending", k="wish"), dict(c="C30", t="basic", g="longtail", g2="clearance", k="view"))
t("g03", """select s.country, count(*) from supplier s, product p, order_line l, orders o, customer c, ticket t, review r
where p.supplier_id = s.id and l.product_id = p.id and o.id = l.order_id and c.id = o.customer_id and t.order_id = o.id and r.product_id = p.id and r.customer_id = c.id
and s.certified and p.category < {cat} and t.severity = '{sv}' and r.rating = {r} and o.status = '{st}' group by 1 order by 2 desc, 1 limit 5""",
  dict(cat=10, sv="critical", r=5, st="open"), dict(cat=30, sv="high", r=1, st="returned"), dict(cat=5, sv="low", r=4, st="cancelled"), dict(cat=60, sv="critical", r=3, st="shipped"))

# ---- short statements: planning and bookkeeping overhead shows here
t("s01", "select o.id, o.total, l.line, p.name from orders o join order_line l on l.order_id = o.id join product p on p.id = l.product_id where o.id = {i} order by l.line", *[dict(i=x) for x in (1, 77777, 250000, 499000)])
t("s02", "select c.tier, count(*), max(o.order_ts) from customer c join orders o on o.customer_id = c.id where c.id = {i} group by 1", *[dict(i=x) for x in (12, 48283, 48272 + 11, 3000)])
t("s03", "select count(*) from event e join product p on p.id = e.product_id where e.ts >= '{d}' and e.ts < timestamp '{d}' + interval '1 hour' and p.category = {c}", dict(d="2021-06-01", c=2), dict(d="2022-06-01", c=30), dict(d="2023-06-01", c=0), dict(d="2024-06-01", c=50))
t("s04", "select p.id, p.name, avg(r.rating) from product p join product_tag g on g.product_id = p.id left join review r on r.product_id = p.id where g.tag = '{g}' and p.price < {p} group by 1, 2 order by 3 desc nulls last, 1 limit 10", dict(g="bestseller", p=20), dict(g="s140", p=50), dict(g="g12", p=10), dict(g="clearance", p=30))

# ---- index nested loops are right and well estimated: a global "no nested loops" loses here
t("n01", """select count(*), sum(l.qty) from customer c join orders o on o.customer_id = c.id join order_line l on l.order_id = o.id join shipment s on s.order_id = o.id join product p on p.id = l.product_id
where c.signup >= date '{d}' and c.signup < date '{d}' + {n} and c.tier = 'basic' and p.price < {p}""",
  dict(d="2017-03-01", n=2, p=900), dict(d="2018-05-05", n=1, p=100), dict(d="2019-08-11", n=3, p=300), dict(d="2020-12-24", n=2, p=50), dict(d="2021-06-01", n=1, p=1000), dict(d="2022-01-15", n=4, p=200))
t("n02", """select p.category, count(*), avg(r.rating) from customer c join event e on e.customer_id = c.id join product p on p.id = e.product_id join review r on r.customer_id = c.id join orders o on o.customer_id = c.id
where c.id between {i} and {i} + {n} and c.tier = 'basic' group by 1 order by 2 desc, 1 limit 5""",
  dict(i=100, n=100), dict(i=11000, n=60), dict(i=23456, n=150), dict(i=34000, n=40), dict(i=45678, n=80), dict(i=59000, n=120))
t("n03", """select s.country, count(*), sum(l.qty * l.price) from ticket t join orders o on o.id = t.order_id join order_line l on l.order_id = o.id join shipment h on h.order_id = o.id join product p on p.id = l.product_id join supplier s on s.id = p.supplier_id
where t.opened >= '{d}' and t.opened < timestamp '{d}' + interval '{n} hours' group by 1 order by 3 desc, 1 limit 5""",
  dict(d="2021-03-01", n=12), dict(d="2021-11-11", n=24), dict(d="2022-06-06", n=6), dict(d="2023-02-02", n=36), dict(d="2023-12-12", n=18), dict(d="2024-09-09", n=30))

# ---- well estimated analytics: nothing to gain, must not get slower
t("w01", "select ship_country, status, count(*), sum(total) from orders where order_ts >= '{d}' group by 1, 2 order by 1, 2", dict(d="2021-01-01"), dict(d="2024-06-01"))
t("w02", "select p.category, sum(l.qty * l.price) from order_line l join product p on p.id = l.product_id group by 1 order by 2 desc limit {n}", dict(n=5), dict(n=50))
t("w03", "select date_trunc('month', e.ts) m, e.kind, count(*) from event e where e.device = '{d}' group by 1, 2 order by 1, 2", dict(d="api"), dict(d="desktop"))


def write(out):
    """Write every query into directory out, which is emptied first; returns how many."""
    shutil.rmtree(out, ignore_errors=True)
    os.makedirs(out)
    n = 0
    for name, sql, params in T:
        for i, p in enumerate(params):
            with open(os.path.join(out, "%s_%s.sql" % (name, "abcdefgh"[i])), "w") as f:
                f.write(sql.format(**p) + ";\n")
            n += 1
    return n


if __name__ == "__main__":
    here = os.path.dirname(os.path.abspath(__file__))
    n = write(sys.argv[1] if len(sys.argv) > 1 else os.path.join(here, "queries"))
    print(n, "queries,", len(T), "templates")

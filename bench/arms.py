"""Arms: named sets of planner settings, what bench/oracle searches.

An arm is written as the settings it adds to those of a tuned server.  The
arms that the extension has in its table are searched as well."""
import json

import sides


def hint(*off, **settings):
    """The methods named are switched off."""
    arm = {"enable_" + method: "off" for method in off}
    arm.update({k: str(v) for k, v in settings.items()})
    return arm


def both_limits(n, **settings):
    return hint(join_collapse_limit=n, from_collapse_limit=n, **settings)


INDEXES = ("indexscan", "indexonlyscan")
HINTS = {
    "tuned": {},
    # joins
    "noNL": hint("nestloop"),
    "noHJ": hint("hashjoin"),
    "noMJ": hint("mergejoin"),
    "HJonly": hint("nestloop", "mergejoin"),
    "NLonly": hint("hashjoin", "mergejoin"),
    "MJonly": hint("nestloop", "hashjoin"),
    # scans
    "noSeq": hint("seqscan"),
    "noIdx": hint(*INDEXES),
    "noIdxBm": hint("bitmapscan", *INDEXES),
    "noBm": hint("bitmapscan"),
    "noIOS": hint("indexonlyscan"),
    # both
    "NL+noSeq": hint("hashjoin", "mergejoin", "seqscan"),
    "noNL+noIdx": hint("nestloop", *INDEXES),
    "noMJ+noSeq": hint("mergejoin", "seqscan"),
    "HJ+noIdxBm": hint("nestloop", "mergejoin", "bitmapscan", *INDEXES),
    "HJ+noSeq": hint("nestloop", "mergejoin", "seqscan"),
    "noHJ+noSeq": hint("hashjoin", "seqscan"),
    "noMJ+noBm": hint("mergejoin", "bitmapscan"),
    "noNL+noBm": hint("nestloop", "bitmapscan"),
    # upper nodes and what is put between
    "noMemo": hint("memoize"),
    "noMemoMat": hint("memoize", "material"),
    "noHashagg": hint("hashagg"),
    "noSort": hint("sort"),
    "noIncSort": hint("incremental_sort"),
    "noNL+noSort": hint("nestloop", "sort"),
    # order of joins
    "jcl1": both_limits(1),
    "jcl1+noNL": dict(both_limits(1), **hint("nestloop")),
    "jcl4": both_limits(4),
    "jcl20": both_limits(20, geqo="off"),
    "jcl20+noNL": dict(both_limits(20, geqo="off"), **hint("nestloop")),
    "jcl20+HJonly": dict(both_limits(20, geqo="off"),
                         **hint("nestloop", "mergejoin")),
    # costs
    "rpc0.3": hint(random_page_cost=0.3, seq_page_cost=0.3),
    "rpc4": hint(random_page_cost=4),
    "rpc20": hint(random_page_cost=20),
    "cpuIdx0": hint(cpu_index_tuple_cost=0.0005, random_page_cost=0.5),
    "cpuTup5": hint(cpu_tuple_cost=0.05),
    "cpuTup5+noNL": hint("nestloop", cpu_tuple_cost=0.05),
    "smallCache": hint(effective_cache_size="8MB", random_page_cost=4),
    "rpc4+noNL": hint("nestloop", random_page_cost=4),
    "rpc4+noMJ": hint("mergejoin", random_page_cost=4),
    "rpc4+jcl1": both_limits(1, random_page_cost=4),
    "rpc0.3+NLonly": hint("hashjoin", "mergejoin", random_page_cost=0.3,
                          seq_page_cost=0.3),
    # memory
    "mem64": hint(work_mem="64MB"),
    "mem64+noNL": hint("nestloop", work_mem="64MB"),
    "mem64+noMJ": hint("mergejoin", work_mem="64MB"),
    "mem64+HJ": hint("nestloop", "mergejoin", work_mem="64MB"),
    "mem64+noNL+noIdx": hint("nestloop", *INDEXES, work_mem="64MB"),
}

# They act at run time, too: the same plan is another arm under them.
RUN_TIME = ("work_mem", "hash_mem_multiplier", "jit")


def shipped(ps):
    """Arms in the extension's table {name: settings}; {} without a table."""
    if ps.must("SELECT to_regclass('ruvector.dag_arms') IS NOT NULL;") != ["t"]:
        return {}
    rows = ps.must("SELECT json_build_object('name', name, 'settings', settings)"
                   " FROM ruvector.dag_arms WHERE enabled ORDER BY arm_id;")
    arms = [json.loads(r) for r in rows]
    return {a["name"]: {k: str(v) for k, v in (a["settings"] or {}).items()}
            for a in arms}


def merged(shipped_arms):
    """All arms, shipped first under their own names; of equal settings one."""
    arms = {"tuned": {}}
    for name, settings in list(shipped_arms.items()) + list(HINTS.items()):
        if settings not in arms.values():
            arms[name if name not in arms else name + " (hint)"] = settings
    return arms


def set_commands(base, settings):
    """SQL that makes a session's settings base + settings, from any other."""
    pairs = [s.split("=", 1) for s in base] + list(settings.items())
    return "\n".join(["RESET ALL;"] + ["SET %s = '%s';" % (k, v.replace("'", "''"))
                                       for k, v in pairs])


def run_time_key(settings):
    """What tells two runs of the same plan apart."""
    return " ".join("%s=%s" % (k, settings[k]) for k in RUN_TIME
                    if k in settings)


class ArmSide(sides.Side):
    """A session, learning off, that changes its settings from run to run."""

    def __init__(self, a):
        super().__init__("oracle", "off", a)
        self.now = {}
        self.settings_of = {}           # of a statement, for run()

    def connect(self):
        super().connect()
        self.now = {}

    def use(self, settings, timeout_ms=0):
        """A time-out that fires as its statement ends cancels the next one:
        an empty statement takes that."""
        self.ps.cmd("SELECT;")
        if self.now != settings:
            self.ps.must(set_commands(self.sets, settings))
            self.now = settings
        self.ps.must("SET statement_timeout = %d;" % timeout_ms)

    def run(self, number, name, sql):
        self.use(self.settings_of[name], self.timeout_ms)
        return super().run(number, name, sql)

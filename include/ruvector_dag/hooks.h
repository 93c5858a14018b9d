/*-------------------------------------------------------------------------
 *
 * hooks.h
 *	  Installers of the hooks, called once by _PG_init.  Layer 6.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_HOOKS_H
#define RVD_HOOKS_H

extern void rvd_planner_hook_init(void);
extern void rvd_path_hooks_init(void);
extern void rvd_executor_hooks_init(void);
extern void rvd_utility_hook_init(void);

/*
 * True while the planner runs for an EXPLAIN at this level of nesting: such
 * a run is neither counted nor tried.
 */
extern bool rvd_in_explain(void);

/*
 * Make it so for a run of the planner whose plan is only looked at.  begin
 * returns what end wants; end also after an error.
 */
extern int	rvd_looking_begin(void);
extern void rvd_looking_end(int saved);

/*
 * True where a subtransaction of ours would show a command under way what it
 * has written so far.
 */
extern bool rvd_mid_command(void);

/* Depth of executor runs in this backend: 0 outside of any. */
extern int	rvd_executor_depth(void);

#endif							/* RVD_HOOKS_H */

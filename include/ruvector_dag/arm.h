/*-------------------------------------------------------------------------
 *
 * arm.h
 *	  Arms: named sets of planner settings under which a statement may be
 *	  planned.  Layer 4.
 *
 * Read from table ruvector.dag_arms, cached per backend and thrown away by
 * relcache invalidation, so that an edit is known to every backend when it
 * commits.  Plans name their arm by number; a plan whose arm was edited or
 * removed meanwhile is not made again, which its fingerprint shows.
 *
 *-------------------------------------------------------------------------
 */
#ifndef RVD_ARM_H
#define RVD_ARM_H

#include "postgres.h"

/* Numbers of arms are 1 .. RVD_MAX_ARMS; 0 is "settings as they are". */
#define RVD_MAX_ARMS		31
#define RVD_ARM_NONE		0
#define RVD_ARM_LEARNED		1	/* as shipped: learned rows alone */
#define RVD_ARM_SETTINGS	12

typedef struct RvdArmSetting
{
	char	   *name;
	char	   *value;
} RvdArmSetting;

typedef struct RvdArm
{
	uint16		id;
	bool		enabled;		/* new plans may be made under it */
	bool		learned_rows;	/* with learned row counts, too */
	bool		at_run;			/* some setting acts when the plan runs */
	int			n;
	RvdArmSetting set[RVD_ARM_SETTINGS];
	char	   *name;
} RvdArm;

/*
 * The arms by number, NULL where there is none; valid until the next call.
 * Never raises (interrupts excepted), never waits for a lock: what cannot be
 * read now is not there.
 */
extern const RvdArm *rvd_arm(uint16 id);

/* Bits (1 << id) of the arms that new plans may be made under. */
extern uint32 rvd_arms_enabled(void);

/* Those of them that use learned rows. */
extern uint32 rvd_arms_learned(void);

extern const RvdArm *rvd_arm_by_name(const char *name);

/* A number that changes when an arm does; 0 while they cannot be read. */
extern uint64 rvd_arms_hash(void);

/* Its name; "none" for 0, NULL where it is not there any more. */
extern const char *rvd_arm_name(uint16 id);

/*
 * Put the settings of an arm into force until rvd_arm_revert(), which also
 * an abort of the transaction or subtransaction does.  at_run: only those
 * that act while a plan runs.  A setting the server refuses is left as it
 * is.  Returns what revert wants.
 */
extern int	rvd_arm_apply(const RvdArm *arm, bool at_run);
extern void rvd_arm_revert(int nest_level);

/*
 * Is it a setting that arms may have?  complaint: why not, in words for an
 * error's detail.
 */
extern bool rvd_arm_setting_allowed(const char *name, const char **complaint);

/* Does it act while a plan runs, too, and not only when it is made? */
extern bool rvd_arm_setting_acts_at_run(const char *name);

/* Tell every backend, at commit, to read the table again. */
extern void rvd_arm_invalidate(void);

extern void rvd_arm_init(void);

#endif							/* RVD_ARM_H */

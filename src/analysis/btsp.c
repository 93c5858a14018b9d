/*-------------------------------------------------------------------------
 *
 * btsp.c
 *	  One-shot memory: what is stored.  See btsp.h; recall is in
 *	  btsp_recall.c.
 *
 * An item sets the weights between its 128 inputs and its 16 neurons.  Since
 * neurons are shared (16 items each when full), forgetting must not clear a
 * weight that another item of the neuron set too: its list of items tells.
 * So the weights are those of a memory into which only the live items were
 * written, whatever was written and forgotten before.
 *
 * Slots are kept dense: the last item moves into the slot of one that goes.
 *
 * The caller's memory; no state; not synchronised.  Wu and Maass, "A simple
 * model for behavioral time scale synaptic plasticity provides content
 * addressable memory with binary synapses and one-shot learning" (2025);
 * Indyk and Motwani, "Approximate nearest neighbors" (1998).  Layer 1, pure.
 *
 *-------------------------------------------------------------------------
 */
#include <string.h>

#include "btsp_private.h"
#include "ruvector_dag/hash.h"
#include "ruvector_dag/rng.h"

#define WRITER_SEED		UINT64_C(0x7276646274737031)
#define GOLDEN_GAMMA	UINT64_C(0x9e3779b97f4a7c15)
#define NO_SLOT			UINT32_MAX

/* Entries are numbered in 16 bits; lists know their length, not their end. */
_Static_assert(RVD_BTSP_CAPACITY * RVD_BTSP_WRITERS <= 65536, "entries");

/*
 * A memory denser than 0.6 recalls little and would have to refuse writes;
 * with this capacity it cannot become so.
 */
_Static_assert(INT64_C(10) * RVD_BTSP_CAPACITY * RVD_BTSP_GROUPS *
			   RVD_BTSP_WRITERS <=
			   INT64_C(6) * RVD_BTSP_INPUTS * RVD_BTSP_NEURONS, "density");

/* Distinct bits for all groups; the choice is part of persisted meaning. */
static void
choose_samples(RvdBtsp *m)
{
	uint64_t	taken[(RVD_HDC_BITS + 63) / 64] = {0};
	RvdRng		rng;

	rvd_rng_init(&rng, RVD_RNG_BTSP, 0);
	for (int i = 0; i < RVD_BTSP_GROUPS * RVD_BTSP_BITS; i++)
	{
		uint64_t	bit;

		do
			bit = rvd_rng_below(&rng, RVD_HDC_BITS);
		while (taken[bit / 64] >> bit % 64 & 1);
		taken[bit / 64] |= UINT64_C(1) << bit % 64;
		m->sample[i / RVD_BTSP_BITS][i % RVD_BTSP_BITS] = (uint16_t) bit;
	}
}

void
rvd_btsp_init(RvdBtsp *m)
{
	memset(m, 0, sizeof(*m));
	choose_samples(m);
}

void
rvd_btsp_inputs(const RvdBtsp *m, const RvdHdc *cue, uint8_t *input)
{
	for (int g = 0; g < RVD_BTSP_GROUPS; g++)
	{
		unsigned	bits = 0;

		for (int k = 0; k < RVD_BTSP_BITS; k++)
		{
			unsigned	at = m->sample[g][k];

			bits |= (unsigned) (cue->w[at / 64] >> at % 64 & 1) << k;
		}
		input[g] = (uint8_t) bits;
	}
}

/* ---- lists of items per neuron ----------------------------------------- */

static void
link_entry(RvdBtsp *m, int neuron, uint16_t entry)
{
	m->next[entry] = m->first[neuron];
	m->first[neuron] = entry;
	m->n_entries[neuron]++;
}

/* The entry is in the list. */
static void
unlink_entry(RvdBtsp *m, int neuron, uint16_t entry)
{
	uint16_t   *at = &m->first[neuron];

	while (*at != entry)
		at = &m->next[*at];
	*at = m->next[entry];
	m->n_entries[neuron]--;
}

static uint16_t
entry_of(uint32_t slot, int k)
{
	return (uint16_t) (slot * RVD_BTSP_WRITERS + (uint32_t) k);
}

/* ---- items ------------------------------------------------------------- */

static uint32_t
find_slot(const RvdBtsp *m, uint64_t id)
{
	for (uint32_t slot = 0; slot < m->n_items; slot++)
		if (m->id[slot] == id)
			return slot;
	return NO_SLOT;
}

/* 16 distinct neurons that id and version determine. */
static void
choose_writers(uint64_t id, uint32_t version, uint16_t *writer)
{
	uint64_t	state = rvd_hash_combine(rvd_hash_combine(WRITER_SEED, id),
										 version);
	int			n = 0;

	while (n < RVD_BTSP_WRITERS)
	{
		uint16_t	neuron;
		int			k = 0;

		neuron = rvd_hash_mix(state += GOLDEN_GAMMA) % RVD_BTSP_NEURONS;
		while (k < n && writer[k] != neuron)
			k++;
		if (k == n)
			writer[n++] = neuron;
	}
}

/* Links the item of a slot to its neurons and sets its weights. */
static void
potentiate(RvdBtsp *m, uint32_t slot)
{
	for (int k = 0; k < RVD_BTSP_WRITERS; k++)
	{
		int			neuron = m->writer[slot][k];
		uint64_t	bit = UINT64_C(1) << neuron % 64;

		link_entry(m, neuron, entry_of(slot, k));
		for (int g = 0; g < RVD_BTSP_GROUPS; g++)
		{
			int			row = rvd_btsp_row(g, m->input[slot][g]);
			uint64_t   *word = &m->weight[row][neuron / 64];

			m->n_set += (*word & bit) == 0;
			*word |= bit;
		}
	}
}

/* Sets needed[g] where another item of the neuron has the same input. */
static void
find_needed(const RvdBtsp *m, int neuron, const uint8_t *input,
			uint8_t *needed)
{
	uint16_t	entry = m->first[neuron];

	memset(needed, 0, RVD_BTSP_GROUPS);
	for (int i = 0; i < m->n_entries[neuron]; i++)
	{
		const uint8_t *other = m->input[entry / RVD_BTSP_WRITERS];

		for (int g = 0; g < RVD_BTSP_GROUPS; g++)
			needed[g] |= other[g] == input[g];
		entry = m->next[entry];
	}
}

/* The opposite of potentiate. */
static void
depress(RvdBtsp *m, uint32_t slot)
{
	const uint8_t *input = m->input[slot];
	uint8_t		needed[RVD_BTSP_GROUPS];

	for (int k = 0; k < RVD_BTSP_WRITERS; k++)
	{
		int			neuron = m->writer[slot][k];
		uint64_t	bit = UINT64_C(1) << neuron % 64;

		unlink_entry(m, neuron, entry_of(slot, k));
		find_needed(m, neuron, input, needed);
		for (int g = 0; g < RVD_BTSP_GROUPS; g++)
		{
			if (needed[g])
				continue;
			m->weight[rvd_btsp_row(g, input[g])][neuron / 64] &= ~bit;
			m->n_set--;
		}
	}
}

RvdStatus
rvd_btsp_write(RvdBtsp *m, const RvdHdc *cue, uint64_t id)
{
	uint8_t		input[RVD_BTSP_GROUPS];
	uint32_t	slot = find_slot(m, id);

	rvd_btsp_inputs(m, cue, input);
	if (slot != NO_SLOT)
	{
		if (memcmp(m->input[slot], input, sizeof(input)) == 0)
			return RVD_OK;
		depress(m, slot);
		m->version[slot]++;
	}
	else
	{
		if (m->n_items == RVD_BTSP_CAPACITY)
			return RVD_ERR_FULL;
		slot = m->n_items++;
		m->id[slot] = id;
		m->version[slot] = 0;
	}

	m->written[slot] = ++m->clock;
	memcpy(m->input[slot], input, sizeof(input));
	choose_writers(id, m->version[slot], m->writer[slot]);
	potentiate(m, slot);
	return RVD_OK;
}

/* Weights do not know slots: only the lists have to be told. */
static void
move_item(RvdBtsp *m, uint32_t from, uint32_t to)
{
	m->id[to] = m->id[from];
	m->version[to] = m->version[from];
	m->written[to] = m->written[from];
	memcpy(m->input[to], m->input[from], sizeof(m->input[to]));
	memcpy(m->writer[to], m->writer[from], sizeof(m->writer[to]));
	for (int k = 0; k < RVD_BTSP_WRITERS; k++)
	{
		unlink_entry(m, m->writer[from][k], entry_of(from, k));
		link_entry(m, m->writer[to][k], entry_of(to, k));
	}
}

RvdStatus
rvd_btsp_forget(RvdBtsp *m, uint64_t id)
{
	uint32_t	slot = find_slot(m, id);

	if (slot == NO_SLOT)
		return RVD_ERR_EMPTY;
	depress(m, slot);
	m->n_items--;
	if (slot != m->n_items)
		move_item(m, m->n_items, slot);
	return RVD_OK;
}

double
rvd_btsp_density(const RvdBtsp *m)
{
	return (double) m->n_set /
		((double) RVD_BTSP_INPUTS * RVD_BTSP_NEURONS);
}

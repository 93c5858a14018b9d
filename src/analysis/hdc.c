/*-------------------------------------------------------------------------
 *
 * hdc.c
 *	  Hyperdimensional codes: atoms, algebra, distance, bytes.  See hdc.h.
 *
 * An atom is a SplitMix64 stream in counter mode: word i depends on the seed
 * and i alone, so the loop has no chain and vectorises, and no item memory
 * is kept.  Bits 10,000 and up of every code are zero, which all operations
 * here preserve.
 *
 * Permutation: words 0 .. 155 move up by one place (the last to the front)
 * and each is rotated left by one bit; word 156, which is partly used,
 * stays.  A rotation of all 10,000 bits would cross words for nothing.
 *
 * The caller's memory; no state.  Persisted: outputs must never change.
 * Kanerva, "Binary spatter-coding of ordered K-tuples" (1996) and
 * "Hyperdimensional computing" (2009).  Layer 1, pure.
 *
 *-------------------------------------------------------------------------
 */
#include "hdc_simd.h"

#include <string.h>

#include "hdc_private.h"
#include "ruvector_dag/hash.h"

#define GOLDEN_GAMMA	UINT64_C(0x9e3779b97f4a7c15)
#define ATOM_SEED		UINT64_C(0x7276645f68646331)

#define WORDS_USED		((RVD_HDC_BITS + 63) / 64)
#define WORDS_MOVED		(WORDS_USED - 1)
#define TAIL_MASK		((UINT64_C(1) << RVD_HDC_BITS % 64) - 1)

_Static_assert(RVD_HDC_WORDS % RVD_SLICE_WORDS == 0, "rows are whole slices");
_Static_assert(RVD_HDC_BYTES * 8 == RVD_HDC_BITS, "codes are whole bytes");

/* Word i becomes rvd_hash_mix(seed + (i + 1) * GOLDEN_GAMMA). */
RVD_CLONES static void
fill_stream(uint64_t seed, uint64_t *w)
{
	RvdSlice	counter;

	for (int j = 0; j < RVD_SLICE_WORDS; j++)
		counter[j] = seed + (uint64_t) (j + 1) * GOLDEN_GAMMA;
	for (int i = 0; i < RVD_HDC_WORDS; i += RVD_SLICE_WORDS)
	{
		RvdSlice	x = counter;

		x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
		x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
		RVD_SLICE(w + i) = x ^ (x >> 31);
		counter += RVD_SLICE_WORDS * GOLDEN_GAMMA;
	}
}

void
rvd_hdc_atom(RvdHdcKind kind, uint64_t id, RvdHdc *out)
{
	uint64_t	seed = rvd_hash_combine(ATOM_SEED, (uint64_t) kind);

	fill_stream(rvd_hash_combine(seed, id), out->w);
	out->w[WORDS_USED - 1] &= TAIL_MASK;
	for (int i = WORDS_USED; i < RVD_HDC_WORDS; i++)
		out->w[i] = 0;
}

RVD_CLONES void
rvd_hdc_bind(const RvdHdc *a, const RvdHdc *b, RvdHdc *out)
{
	for (int i = 0; i < RVD_HDC_WORDS; i += RVD_SLICE_WORDS)
		RVD_SLICE(out->w + i) = RVD_SLICE_IN(a->w + i) ^
			RVD_SLICE_IN(b->w + i);
}

/* out may be a: the first word moved is kept aside. */
void
rvd_hdc_permute(const RvdHdc *a, RvdHdc *out)
{
	uint64_t	last = a->w[WORDS_MOVED - 1];

	memmove(&out->w[1], &a->w[0], (WORDS_MOVED - 1) * sizeof(uint64_t));
	out->w[0] = last;
	for (int i = 0; i < WORDS_MOVED; i++)
		out->w[i] = (out->w[i] << 1) | (out->w[i] >> 63);
	for (int i = WORDS_MOVED; i < RVD_HDC_WORDS; i++)
		out->w[i] = a->w[i];
}

void
rvd_hdc_unpermute(const RvdHdc *a, RvdHdc *out)
{
	uint64_t	first = a->w[0];

	memmove(&out->w[0], &a->w[1], (WORDS_MOVED - 1) * sizeof(uint64_t));
	out->w[WORDS_MOVED - 1] = first;
	for (int i = 0; i < WORDS_MOVED; i++)
		out->w[i] = (out->w[i] >> 1) | (out->w[i] << 63);
	for (int i = WORDS_MOVED; i < RVD_HDC_WORDS; i++)
		out->w[i] = a->w[i];
}

/*
 * Level i is level 0 with its first i * 10000 / 30 bits flipped.  Which bits
 * does not matter, as long as none is flipped twice: those of every atom are
 * alike.
 */
void
rvd_hdc_raise_level(RvdHdc *v, int level)
{
	int			flips = level * RVD_HDC_BITS / (2 * (RVD_HDC_LEVELS - 1));

	for (int i = 0; i < flips / 64; i++)
		v->w[i] = ~v->w[i];
	v->w[flips / 64] ^= (UINT64_C(1) << flips % 64) - 1;
}

void
rvd_hdc_level(int level, RvdHdc *out)
{
	if (level < 0)
		level = 0;
	if (level >= RVD_HDC_LEVELS)
		level = RVD_HDC_LEVELS - 1;
	rvd_hdc_atom(RVD_HDC_LEVEL, 0, out);
	rvd_hdc_raise_level(out, level);
}

RVD_CLONES static uint64_t
count_differences(const uint64_t *a, const uint64_t *b)
{
	uint64_t	sum = 0;

	for (int i = 0; i < RVD_HDC_WORDS; i++)
		sum += rvd_count_bits(a[i] ^ b[i]);
	return sum;
}

double
rvd_hdc_distance(const RvdHdc *a, const RvdHdc *b)
{
	return (double) count_differences(a->w, b->w) / RVD_HDC_BITS;
}

void
rvd_hdc_to_bytes(const RvdHdc *v, uint8_t *bytes)
{
	for (int i = 0; i < RVD_HDC_BYTES; i++)
		bytes[i] = (uint8_t) (v->w[i / 8] >> (i % 8 * 8));
}

RvdStatus
rvd_hdc_from_bytes(const uint8_t *bytes, size_t length, RvdHdc *v)
{
	if (length != RVD_HDC_BYTES)
		return RVD_ERR_ARGUMENT;

	memset(v, 0, sizeof(*v));
	for (int i = 0; i < RVD_HDC_BYTES; i++)
		v->w[i / 8] |= (uint64_t) bytes[i] << (i % 8 * 8);
	return RVD_OK;
}

/*-------------------------------------------------------------------------
 *
 * hash.c
 *	  64-bit hash of a byte string.
 *
 * Reads eight bytes at a time and folds them with rvd_hash_combine(), whose
 * finalizer is a bijection, so two strings that differ in one word of the
 * same position never collide.  The length goes into the start value, which
 * tells "a" from "a\0" although the last word is padded with zeroes.
 *
 * The output is persisted: it must never change.  No memory, no state.
 * Layer 0.
 *
 *-------------------------------------------------------------------------
 */
#include <string.h>

#include "ruvector_dag/hash.h"

uint64_t
rvd_hash_bytes(const void *p, size_t n, uint64_t seed)
{
	const unsigned char *bytes = p;
	uint64_t	hash = rvd_hash_combine(seed, (uint64_t) n);
	uint64_t	word;

	while (n >= sizeof(word))
	{
		memcpy(&word, bytes, sizeof(word));
		hash = rvd_hash_combine(hash, word);
		bytes += sizeof(word);
		n -= sizeof(word);
	}
	if (n > 0)
	{
		word = 0;
		memcpy(&word, bytes, n);
		hash = rvd_hash_combine(hash, word);
	}
	return hash;
}

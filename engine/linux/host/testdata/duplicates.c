// SPDX-License-Identifier: GPL-2.0-only
/*
 * The files of kernel/duplicates/ that need nobody else, as one shared object without a kernel's sources. Waiting
 * (wait.c) needs tasks, and is left to the tests of whole images.
 */
#include "control.h"

bool shim_preempt_at_atomics;
void shim_atomic_point_slow(void) {}
const char *shim_device_name(const void *device)
{
	return device ? "device" : "none";
}

#include "engine/linux/kernel/duplicates/bits.c"
#include "engine/linux/kernel/duplicates/crc32c.c"
#include "engine/linux/kernel/duplicates/idr.c"
#include "engine/linux/kernel/duplicates/parse.c"
#include "engine/linux/kernel/duplicates/sort.c"
#include "engine/linux/kernel/duplicates/format.c"
#include "engine/linux/kernel/duplicates/string.c"
#include "engine/linux/host/testdata/duplicates.h"

static DEFINE_IDR(only);

static int one_idr_alloc(void *object, int from, int to) { return idr_alloc(&only, object, from, to, 0); }
static void *one_idr_find(unsigned long id) { return idr_find(&only, id); }
static void *one_idr_replace(void *object, unsigned long id) { return idr_replace(&only, object, id); }
static void *one_idr_remove(unsigned long id) { return idr_remove(&only, id); }
static void one_idr_destroy(void) { idr_destroy(&only); }

__attribute__((visibility("default"))) const struct duplicates *dmsim_duplicates(void)
{
	static const struct duplicates all = {
		find_next_bit, find_next_zero_bit, find_next_bit_le, find_next_zero_bit_le, bitmap_set, bitmap_clear,
		bitmap_weight, memweight, int_sqrt, sort, crc32c,
		one_idr_alloc, one_idr_find, one_idr_replace, one_idr_remove, one_idr_destroy,
		memcpy, memmove, memset, memcmp, memchr_inv, strlen, strnlen, strcmp, strncmp, strcasecmp, strncasecmp,
		strchr, strrchr, strstr, strncpy, strcat, strlcpy, strscpy, strsep, strim,
		snprintf, scnprintf, sscanf, kstrtouint, kstrtoint, kstrtoull, simple_strtoull,
	};

	return &all;
}

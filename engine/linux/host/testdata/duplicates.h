/* SPDX-License-Identifier: GPL-2.0-only
 *
 * Functions of kernel/duplicates/, by pointers: a program has a C library with functions of the same names.
 */
#ifndef DMSIM_TESTDATA_DUPLICATES_H
#define DMSIM_TESTDATA_DUPLICATES_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct duplicates {
	unsigned long (*find_next_bit)(const unsigned long *map, unsigned long size, unsigned long from);
	unsigned long (*find_next_zero_bit)(const unsigned long *map, unsigned long size, unsigned long from);
	unsigned long (*find_next_bit_le)(const void *map, unsigned long size, unsigned long from);
	unsigned long (*find_next_zero_bit_le)(const void *map, unsigned long size, unsigned long from);
	void (*bitmap_set)(unsigned long *map, unsigned int from, unsigned int count);
	void (*bitmap_clear)(unsigned long *map, unsigned int from, unsigned int count);
	unsigned int (*bitmap_weight)(const unsigned long *map, unsigned int bits);
	size_t (*memweight)(const void *start, size_t bytes);
	unsigned long (*int_sqrt)(unsigned long x);
	void (*sort)(void *base, size_t count, size_t size, int (*compare)(const void *, const void *),
		     void (*swap_them)(void *, void *, int));
	unsigned int (*crc32c)(unsigned int crc, const void *start, unsigned int bytes);

	int (*idr_alloc)(void *object, int from, int to);  /* of one idr */
	void *(*idr_find)(unsigned long id);
	void *(*idr_replace)(void *object, unsigned long id);
	void *(*idr_remove)(unsigned long id);
	void (*idr_destroy)(void);

	void *(*memcpy)(void *to, const void *from, size_t bytes);
	void *(*memmove)(void *to, const void *from, size_t bytes);
	void *(*memset)(void *to, int value, size_t bytes);
	int (*memcmp)(const void *a, const void *b, size_t bytes);
	void *(*memchr_inv)(const void *start, int value, size_t bytes);
	size_t (*strlen)(const char *text);
	size_t (*strnlen)(const char *text, size_t most);
	int (*strcmp)(const char *a, const char *b);
	int (*strncmp)(const char *a, const char *b, size_t most);
	int (*strcasecmp)(const char *a, const char *b);
	int (*strncasecmp)(const char *a, const char *b, size_t most);
	char *(*strchr)(const char *text, int wanted);
	char *(*strrchr)(const char *text, int wanted);
	char *(*strstr)(const char *text, const char *wanted);
	char *(*strncpy)(char *to, const char *from, size_t most);
	char *(*strcat)(char *to, const char *from);
	size_t (*strlcpy)(char *to, const char *from, size_t size);
	long (*strscpy)(char *to, const char *from, size_t size);
	char *(*strsep)(char **rest, const char *separators);
	char *(*strim)(char *text);

	int (*snprintf)(char *to, size_t size, const char *format, ...);
	int (*scnprintf)(char *to, size_t size, const char *format, ...);
	int (*sscanf)(const char *text, const char *format, ...);
	int (*kstrtouint)(const char *text, unsigned int base, unsigned int *value);
	int (*kstrtoint)(const char *text, unsigned int base, int *value);
	int (*kstrtoull)(const char *text, unsigned int base, unsigned long long *value);
	unsigned long long (*simple_strtoull)(const char *text, char **end, unsigned int base);
};

const struct duplicates *dmsim_duplicates(void);

#ifdef __cplusplus
}
#endif

#endif

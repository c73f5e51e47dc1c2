/* SPDX-License-Identifier: GPL-2.0-only
 *
 * Strings, memory and formatted text. The functions are in duplicates/: an image has no C library.
 */
#ifndef SHIM_STRING_H
#define SHIM_STRING_H

void *memcpy(void *to, const void *from, size_t bytes);
void *memmove(void *to, const void *from, size_t bytes);
void *memset(void *to, int value, size_t bytes);
int memcmp(const void *a, const void *b, size_t bytes);
#define memcpy __builtin_memcpy
#define memmove __builtin_memmove
#define memset __builtin_memset
#define memcmp __builtin_memcmp
void *memchr_inv(const void *start, int value, size_t bytes);
static inline bool memchr_is_zero(const void *start, size_t bytes) { return !memchr_inv(start, 0, bytes); }
size_t memweight(const void *start, size_t bytes);

size_t strlen(const char *text);
size_t strnlen(const char *text, size_t most);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t most);
int strcasecmp(const char *a, const char *b);
int strncasecmp(const char *a, const char *b, size_t most);
char *strchr(const char *text, int wanted);
char *strrchr(const char *text, int wanted);
char *strstr(const char *text, const char *wanted);
char *strcpy(char *to, const char *from);
char *strncpy(char *to, const char *from, size_t most);
char *strcat(char *to, const char *from);
size_t strlcpy(char *to, const char *from, size_t size);
ssize_t strscpy(char *to, const char *from, size_t size);
ssize_t strscpy_pad(char *to, const char *from, size_t size);
char *strsep(char **rest, const char *separators);
char *skip_spaces(const char *text);
char *strim(char *text);
static inline bool str_has_prefix_(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

int vsnprintf(char *to, size_t size, const char *format, va_list arguments);
int snprintf(char *to, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
int vscnprintf(char *to, size_t size, const char *format, va_list arguments);
int scnprintf(char *to, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
int sprintf(char *to, const char *format, ...) __attribute__((format(printf, 2, 3)));
int sscanf(const char *text, const char *format, ...);
int kstrtouint(const char *text, unsigned int base, unsigned int *value);
int kstrtoint(const char *text, unsigned int base, int *value);
int kstrtoull(const char *text, unsigned int base, unsigned long long *value);
#define kstrtou64 kstrtoull
unsigned long long simple_strtoull(const char *text, char **end, unsigned int base);
unsigned long simple_strtoul(const char *text, char **end, unsigned int base);

static inline int isspace(int c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
static inline int isdigit(int c) { return c >= '0' && c <= '9'; }
static inline int islower(int c) { return c >= 'a' && c <= 'z'; }
static inline int isupper(int c) { return c >= 'A' && c <= 'Z'; }
static inline int isalpha(int c) { return islower(c) || isupper(c); }
static inline int isalnum(int c) { return isdigit(c) || isalpha(c); }
static inline int isxdigit(int c) { return isdigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }
static inline int isprint(int c) { return c >= ' ' && c < 127; }
static inline int toupper(int c) { return islower(c) ? c - 'a' + 'A' : c; }
static inline int tolower(int c) { return isupper(c) ? c - 'A' + 'a' : c; }

u32 crc32c(u32 crc, const void *start, unsigned int bytes);

/* list_sort and sort: kernel prototypes */
void sort(void *base, size_t count, size_t size, int (*compare)(const void *, const void *),
	  void (*swap_them)(void *, void *, int));

#endif

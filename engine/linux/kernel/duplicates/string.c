/* SPDX-License-Identifier: GPL-2.0-only
 *
 * Blocks of bytes and strings.
 *
 * The compiler calls memcpy, memmove, memset and memcmp on its own account, so they must exist as symbols, and
 * their loops must not be recognised for what they are and turned into calls of themselves: hence the pragma.
 * They go by words where they can, and leave long runs to the processor's own string instructions, except under
 * AddressSanitizer, which does not see those.
 */
#undef memcpy
#undef memmove
#undef memset
#undef memcmp
#ifndef __clang__
#pragma GCC optimize ("no-tree-loop-distribute-patterns")
#endif

#define LONG_RUN 256 /* bytes, from which on the string instructions are faster */

static __always_inline u64 word_at(const void *from)
{
	u64 word;

	__builtin_memcpy(&word, from, sizeof(word));
	return word;
}

static __always_inline void put_word(void *to, u64 word)
{
	__builtin_memcpy(to, &word, sizeof(word));
}

#if defined(__x86_64__) && !defined(SHIM_ASAN)
static __always_inline bool copy_long_run(void *to, const void *from, size_t bytes)
{
	if (bytes < LONG_RUN)
		return false;
	__asm__ __volatile__("rep movsb" : "+D"(to), "+S"(from), "+c"(bytes) : : "memory");
	return true;
}

static __always_inline bool fill_long_run(void *to, int value, size_t bytes)
{
	if (bytes < LONG_RUN)
		return false;
	__asm__ __volatile__("rep stosb" : "+D"(to), "+c"(bytes) : "a"(value) : "memory");
	return true;
}
#else
#define copy_long_run(to, from, bytes) false
#define fill_long_run(to, value, bytes) false
#endif

void *memcpy(void *to, const void *from, size_t bytes)
{
	u8 *out = to;
	const u8 *in = from;

	if (copy_long_run(to, from, bytes))
		return to;
	for (; bytes >= 8; bytes -= 8, out += 8, in += 8)
		put_word(out, word_at(in));
	while (bytes--)
		*out++ = *in++;
	return to;
}

void *memmove(void *to, const void *from, size_t bytes)
{
	u8 *out = to;
	const u8 *in = from;

	if ((unsigned long)to - (unsigned long)from >= bytes) /* forwards never overtakes itself */
		return memcpy(to, from, bytes);
	for (; bytes >= 8; bytes -= 8)
		put_word(out + bytes - 8, word_at(in + bytes - 8));
	while (bytes--)
		out[bytes] = in[bytes];
	return to;
}

void *memset(void *to, int value, size_t bytes)
{
	u8 *out = to;
	u64 word = (u8)value * 0x0101010101010101ull;

	if (fill_long_run(to, value, bytes))
		return to;
	for (; bytes >= 8; bytes -= 8, out += 8)
		put_word(out, word);
	while (bytes--)
		*out++ = (u8)value;
	return to;
}

int memcmp(const void *a, const void *b, size_t bytes)
{
	const u8 *left = a, *right = b;

	for (; bytes >= 8 && word_at(left) == word_at(right); bytes -= 8) {
		left += 8;
		right += 8;
	}
	for (; bytes; bytes--, left++, right++)
		if (*left != *right)
			return *left - *right;
	return 0;
}

/* The first byte that is something else; null: there is none. */
void *memchr_inv(const void *start, int value, size_t bytes)
{
	const u8 *at = start;
	u64 word = (u8)value * 0x0101010101010101ull;

	for (; bytes >= 8 && word_at(at) == word; bytes -= 8)
		at += 8;
	for (; bytes; bytes--, at++)
		if (*at != (u8)value)
			return (void *)at;
	return NULL;
}

/* --- lengths and comparisons --- */
size_t strlen(const char *text)
{
	const char *at = text;

	while (*at)
		at++;
	return at - text;
}

size_t strnlen(const char *text, size_t most)
{
	size_t length = 0;

	while (length < most && text[length])
		length++;
	return length;
}

int strncmp(const char *a, const char *b, size_t most)
{
	for (; most; most--, a++, b++) {
		if (*a != *b)
			return (u8)*a < (u8)*b ? -1 : 1;
		if (!*a)
			break;
	}
	return 0;
}

int strcmp(const char *a, const char *b)
{
	return strncmp(a, b, SIZE_MAX);
}

int strncasecmp(const char *a, const char *b, size_t most)
{
	for (; most; most--, a++, b++) {
		int left = tolower((u8)*a), right = tolower((u8)*b);

		if (left != right)
			return left - right;
		if (!left)
			break;
	}
	return 0;
}

int strcasecmp(const char *a, const char *b)
{
	return strncasecmp(a, b, SIZE_MAX);
}

/* --- searching: the final 0 can be searched for, too --- */
char *strchr(const char *text, int wanted)
{
	for (;; text++) {
		if (*text == (char)wanted)
			return (char *)text;
		if (!*text)
			return NULL;
	}
}

char *strrchr(const char *text, int wanted)
{
	const char *last = NULL;

	do {
		if (*text == (char)wanted)
			last = text;
	} while (*text++);
	return (char *)last;
}

char *strstr(const char *text, const char *wanted)
{
	size_t length = strlen(wanted);

	for (; strncmp(text, wanted, length); text++)
		if (!*text)
			return NULL;
	return (char *)text;
}

/* --- copies --- */
char *strcpy(char *to, const char *from)
{
	return memcpy(to, from, strlen(from) + 1);
}

char *strncpy(char *to, const char *from, size_t most)
{
	size_t length = strnlen(from, most);

	memcpy(to, from, length);
	memset(to + length, 0, most - length);
	return to;
}

char *strcat(char *to, const char *from)
{
	strcpy(to + strlen(to), from);
	return to;
}

size_t strlcpy(char *to, const char *from, size_t size)
{
	strscpy(to, from, size);
	return strlen(from);
}

ssize_t strscpy(char *to, const char *from, size_t size)
{
	size_t length;

	if (!size)
		return -E2BIG;
	length = strnlen(from, size);
	if (length < size) {
		memcpy(to, from, length + 1);
		return length;
	}
	memcpy(to, from, size - 1);
	to[size - 1] = '\0';
	return -E2BIG;
}

ssize_t strscpy_pad(char *to, const char *from, size_t size)
{
	ssize_t length = strscpy(to, from, size);

	if (length >= 0)
		memset(to + length, 0, size - length);
	return length;
}

/* --- words --- */

/* Cuts off the part before the next separator; `rest` becomes null with the last part. */
char *strsep(char **rest, const char *separators)
{
	char *part = *rest, *end;

	if (!part)
		return NULL;
	for (end = part; *end && !strchr(separators, *end); end++)
		;
	*rest = *end ? end + 1 : NULL;
	*end = '\0';
	return part;
}

char *skip_spaces(const char *text)
{
	while (isspace(*text))
		text++;
	return (char *)text;
}

/* Shortens the text in place, and returns where its first word begins. */
char *strim(char *text)
{
	size_t length = strlen(text);

	while (length && isspace(text[length - 1]))
		length--;
	text[length] = '\0';
	return skip_spaces(text);
}

/* SPDX-License-Identifier: GPL-2.0-only
 *
 * Text from values: the printf family with the kernel's own extensions.
 *
 * Of those behind %p, each says something only if it says the same in every run: addresses become "(ptr)", names of
 * functions "function". An extension that is not listed here and would have looked at what the pointer points to is
 * not modelled, and says so.
 */
#include "control.h" /* shim_device_name */

/* Where text goes; what does not fit is counted only. */
struct sink {
	char *to;
	size_t size, length;
};

struct conversion {
	bool left, plus, space, alternate, zero, uppercase;
	int width;
	int precision; /* -1: none */
	int bytes;     /* of an integer argument */
};

static void put(struct sink *sink, char c)
{
	if (sink->length < sink->size)
		sink->to[sink->length] = c;
	sink->length++;
}

static void put_times(struct sink *sink, char c, int times)
{
	while (times-- > 0)
		put(sink, c);
}

static void put_text(struct sink *sink, const char *text, const struct conversion *how)
{
	int length, n;

	if ((unsigned long)text < PAGE_SIZE || IS_ERR(text))
		text = text ? "(efault)" : "(null)";
	length = strnlen(text, how->precision < 0 ? INT_MAX : how->precision);
	if (!how->left)
		put_times(sink, ' ', how->width - length);
	for (n = 0; n < length; n++)
		put(sink, text[n]);
	if (how->left)
		put_times(sink, ' ', how->width - length);
}

static void put_number(struct sink *sink, u64 value, char sign, unsigned int base, const struct conversion *how)
{
	const char *figures = how->uppercase ? "0123456789ABCDEF" : "0123456789abcdef";
	char reversed[24];
	int count = 0, zeros, prefix = 0, padding;

	do {
		reversed[count++] = figures[value % base];
		value /= base;
	} while (value);
	if (how->alternate && base != 10)
		prefix = base == 16 ? 2 : 1;
	zeros = max(how->precision - count, 0);
	padding = how->width - count - zeros - prefix - (sign != 0);
	if (how->zero && !how->left && how->precision < 0 && padding > 0) {
		zeros += padding;
		padding = 0;
	}
	if (!how->left)
		put_times(sink, ' ', padding);
	if (sign)
		put(sink, sign);
	if (prefix)
		put(sink, '0');
	if (prefix == 2)
		put(sink, how->uppercase ? 'X' : 'x');
	put_times(sink, '0', zeros);
	while (count)
		put(sink, reversed[--count]);
	if (how->left)
		put_times(sink, ' ', padding);
}

static void put_signed(struct sink *sink, s64 value, const struct conversion *how)
{
	char sign = value < 0 ? '-' : how->plus ? '+' : how->space ? ' ' : 0;

	put_number(sink, value < 0 ? -(u64)value : value, sign, 10, how);
}

/* --- behind %p --- */

static void put_error(struct sink *sink, const void *pointer, const struct conversion *how)
{
	static const struct { short number; char name[14]; } names[] = {
#define NAMED(name) { name, "-" #name }
		NAMED(EPERM), NAMED(ENOENT), NAMED(EINTR), NAMED(EIO), NAMED(ENXIO), NAMED(EAGAIN), NAMED(ENOMEM),
		NAMED(EACCES), NAMED(EBUSY), NAMED(EEXIST), NAMED(ENODEV), NAMED(EINVAL), NAMED(EFBIG), NAMED(ENOSPC),
		NAMED(EROFS), NAMED(ERANGE), NAMED(ENODATA), NAMED(ETIMEDOUT), NAMED(EOVERFLOW), NAMED(EILSEQ),
		NAMED(EOPNOTSUPP), NAMED(EREMOTEIO),
#undef NAMED
	};
	size_t n;

	if (!IS_ERR(pointer))
		return put_text(sink, pointer ? "(ptr)" : "(null)", how);
	for (n = 0; n < ARRAY_SIZE(names); n++)
		if (names[n].number == -PTR_ERR(pointer))
			return put_text(sink, names[n].name, how);
	put_signed(sink, PTR_ERR(pointer), how);
}

/* 16 bytes; `order`: in which they are printed. */
static void put_uuid(struct sink *sink, const u8 *bytes, bool little, bool uppercase)
{
	static const u8 as_they_lie[16] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
	static const u8 fields_swapped[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };
	const struct conversion two = { .zero = true, .width = 2, .precision = -1, .uppercase = uppercase };
	const u8 *order = little ? fields_swapped : as_they_lie;
	int n;

	for (n = 0; n < 16; n++) {
		if (n == 4 || n == 6 || n == 8 || n == 10)
			put(sink, '-');
		put_number(sink, bytes[order[n]], 0, 16, &two);
	}
}

/* As many bytes as the width says. */
static void put_bytes(struct sink *sink, const u8 *bytes, int count, char separator)
{
	const struct conversion two = { .zero = true, .width = 2, .precision = -1 };
	int n;

	for (n = 0; n < max(count, 1); n++) {
		if (n && separator)
			put(sink, separator);
		put_number(sink, bytes[n], 0, 16, &two);
	}
}

static void put_all(struct sink *sink, const char *format, va_list arguments);

static void put_nested(struct sink *sink, const struct va_format *nested)
{
	va_list arguments;

	va_copy(arguments, *nested->va);
	put_all(sink, nested->fmt, arguments);
	va_end(arguments);
}

/* `letters`: what follows the p. */
static void put_pointer(struct sink *sink, const char *letters, const void *pointer, struct conversion *how)
{
	how->precision = -1;
	switch (letters[0]) {
	case 'V':
		return put_nested(sink, pointer);
	case 'e':
		return put_error(sink, pointer, how);
	case 's':
	case 'S':
	case 'f':
	case 'F':
	case 'B':
		return put_text(sink, "function", how);
	case 'g':
		return put_text(sink, pointer ? shim_device_name(pointer) : NULL, how);
	case 'U':
		return put_uuid(sink, pointer, letters[1] == 'l' || letters[1] == 'L',
				letters[1] == 'B' || letters[1] == 'L');
	case 'h':
		return put_bytes(sink, pointer, how->width, letters[1] == 'C' ? ':' : letters[1] == 'D' ? '-' :
				 letters[1] == 'N' ? 0 : ' ');
	default:
		if (isalpha(letters[0]) && letters[0] != 'K' && letters[0] != 'x')
			shim_unmodelled("a format with an unknown letter behind %p");
		return put_text(sink, pointer ? "(ptr)" : "(null)", how);
	}
}

/* --- formats --- */

/* Reads flags, width, precision and size; returns where the letter of the conversion is. */
static const char *read_conversion(const char *at, struct conversion *how, va_list *arguments)
{
	*how = (struct conversion){ .precision = -1, .bytes = sizeof(int) };
	for (;; at++) {
		if (*at == '-')
			how->left = true;
		else if (*at == '+')
			how->plus = true;
		else if (*at == ' ')
			how->space = true;
		else if (*at == '#')
			how->alternate = true;
		else if (*at == '0')
			how->zero = true;
		else
			break;
	}
	if (*at == '*') {
		how->width = va_arg(*arguments, int);
		if (how->width < 0) {
			how->left = true;
			how->width = -how->width;
		}
		at++;
	} else {
		while (isdigit(*at))
			how->width = how->width * 10 + *at++ - '0';
	}
	if (*at == '.') {
		how->precision = 0;
		at++;
		if (*at == '*') {
			how->precision = max(va_arg(*arguments, int), 0);
			at++;
		} else {
			while (isdigit(*at))
				how->precision = how->precision * 10 + *at++ - '0';
		}
	}
	for (; *at == 'h'; at++)
		how->bytes /= 2;
	for (; *at && strchr("lLqztj", *at); at++)
		how->bytes = sizeof(long);
	return at;
}

static u64 unsigned_argument(va_list *arguments, int bytes)
{
	u64 value = bytes == 8 ? va_arg(*arguments, u64) : va_arg(*arguments, unsigned int);

	return bytes == 1 ? (u8)value : bytes == 2 ? (u16)value : value;
}

static s64 signed_argument(va_list *arguments, int bytes)
{
	s64 value = bytes == 8 ? va_arg(*arguments, s64) : va_arg(*arguments, int);

	return bytes == 1 ? (s8)value : bytes == 2 ? (s16)value : value;
}

static void put_character(struct sink *sink, char c, const struct conversion *how)
{
	if (!how->left)
		put_times(sink, ' ', how->width - 1);
	put(sink, c);
	if (how->left)
		put_times(sink, ' ', how->width - 1);
}

/* Returns where the format goes on after the conversion. */
static const char *put_conversion(struct sink *sink, const char *letter, struct conversion *how, va_list *arguments)
{
	switch (*letter) {
	case '%':
		put(sink, '%');
		break;
	case 'c':
		put_character(sink, va_arg(*arguments, int), how);
		break;
	case 's':
		put_text(sink, va_arg(*arguments, const char *), how);
		break;
	case 'd':
	case 'i':
		put_signed(sink, signed_argument(arguments, how->bytes), how);
		break;
	case 'u':
		put_number(sink, unsigned_argument(arguments, how->bytes), 0, 10, how);
		break;
	case 'o':
		put_number(sink, unsigned_argument(arguments, how->bytes), 0, 8, how);
		break;
	case 'X':
		how->uppercase = true;
		fallthrough;
	case 'x':
		put_number(sink, unsigned_argument(arguments, how->bytes), 0, 16, how);
		break;
	case 'p':
		put_pointer(sink, letter + 1, va_arg(*arguments, const void *), how);
		while (isalnum(letter[1]))
			letter++;
		break;
	default:
		shim_unmodelled("a format with an unknown conversion");
	}
	return letter + 1;
}

static void put_all(struct sink *sink, const char *format, va_list given)
{
	struct conversion how;
	va_list arguments;

	va_copy(arguments, given); /* a parameter of this type has no address of the right type */
	while (*format) {
		if (*format != '%') {
			put(sink, *format++);
			continue;
		}
		format = read_conversion(format + 1, &how, &arguments);
		format = put_conversion(sink, format, &how, &arguments);
	}
	va_end(arguments);
}

/* The length that the whole text has, even if it does not fit. */
int vsnprintf(char *to, size_t size, const char *format, va_list arguments)
{
	struct sink sink = { to, size, 0 };

	if (WARN_ON_ONCE(size > INT_MAX))
		return 0;
	put_all(&sink, format, arguments);
	if (size)
		to[min(sink.length, size - 1)] = '\0';
	return sink.length;
}

int snprintf(char *to, size_t size, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(to, size, format, arguments);
	va_end(arguments);
	return length;
}

/* The length of what did fit. */
int vscnprintf(char *to, size_t size, const char *format, va_list arguments)
{
	int length = vsnprintf(to, size, format, arguments);

	return !size ? 0 : min_t(size_t, length, size - 1);
}

int scnprintf(char *to, size_t size, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vscnprintf(to, size, format, arguments);
	va_end(arguments);
	return length;
}

int sprintf(char *to, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(to, INT_MAX, format, arguments);
	va_end(arguments);
	return length;
}

/* --- texts in memory of their own --- */

char *shim_kasprintf(struct shim_site *site, gfp_t gfp, const char *format, ...)
{
	va_list arguments;
	size_t size;
	char *text;

	va_start(arguments, format);
	size = vsnprintf(NULL, 0, format, arguments) + 1;
	va_end(arguments);
	text = shim_kmalloc(size, gfp, site);
	if (!text)
		return NULL;
	va_start(arguments, format);
	vsnprintf(text, size, format, arguments);
	va_end(arguments);
	return text;
}

void *shim_kmemdup(const void *from, size_t bytes, gfp_t gfp, struct shim_site *site)
{
	void *copy = shim_kmalloc(bytes, gfp, site);

	if (copy)
		memcpy(copy, from, bytes);
	return copy;
}

char *shim_kstrdup(const char *text, gfp_t gfp, struct shim_site *site)
{
	return text ? shim_kmemdup(text, strlen(text) + 1, gfp, site) : NULL;
}

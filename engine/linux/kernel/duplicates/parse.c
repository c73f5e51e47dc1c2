/* SPDX-License-Identifier: GPL-2.0-only
 *
 * Values from text: numbers, and sscanf().
 *
 * Two families read numbers. simple_strto*() read as far as the number goes and know no errors; kstrto*() want the
 * whole text to be one number, with at most a line end behind it, that fits. sscanf() is of the first kind.
 */

static int figure_of(char c)
{
	return isdigit(c) ? c - '0' : isalpha(c) ? tolower(c) - 'a' + 10 : INT_MAX;
}

/* Skips the prefix, if there is one, of a number whose base is 16 or, being 0, to be found out. */
static const char *skip_prefix(const char *text, unsigned int *base)
{
	bool hexadecimal = text[0] == '0' && tolower(text[1]) == 'x' && isxdigit(text[2]);

	if (*base == 0)
		*base = hexadecimal ? 16 : text[0] == '0' ? 8 : 10;
	return *base == 16 && hexadecimal ? text + 2 : text;
}

/* Up to `most` characters; returns where the number ends. */
static const char *read_figures(const char *text, size_t most, unsigned int base, u64 *value, bool *overflows)
{
	*value = 0;
	*overflows = false;
	for (; most && figure_of(*text) < (int)base; most--, text++) {
		if (__builtin_mul_overflow(*value, base, value))
			*overflows = true;
		if (__builtin_add_overflow(*value, (u64)figure_of(*text), value))
			*overflows = true;
	}
	return text;
}

unsigned long long simple_strtoull(const char *text, char **end, unsigned int base)
{
	bool overflows;
	u64 value;

	text = skip_prefix(text, &base); /* before anybody looks at the base */
	text = read_figures(text, SIZE_MAX, base, &value, &overflows);
	if (end)
		*end = (char *)text;
	return value;
}

unsigned long simple_strtoul(const char *text, char **end, unsigned int base)
{
	return simple_strtoull(text, end, base);
}

/* --- one number and nothing else --- */

/* Of a text without a sign. */
static int whole_number(const char *text, unsigned int base, u64 *value)
{
	const char *begin = skip_prefix(text, &base);
	bool overflows;
	const char *end = read_figures(begin, SIZE_MAX, base, value, &overflows);

	if (overflows)
		return -ERANGE;
	if (end == begin)
		return -EINVAL;
	if (*end == '\n')
		end++;
	return *end ? -EINVAL : 0;
}

int kstrtoull(const char *text, unsigned int base, unsigned long long *value)
{
	u64 read;
	int r = whole_number(*text == '+' ? text + 1 : text, base, &read);

	if (!r)
		*value = read;
	return r;
}

int kstrtouint(const char *text, unsigned int base, unsigned int *value)
{
	unsigned long long wide;
	int r = kstrtoull(text, base, &wide);

	if (r)
		return r;
	if (wide > UINT_MAX)
		return -ERANGE;
	*value = wide;
	return 0;
}

int kstrtoint(const char *text, unsigned int base, int *value)
{
	bool negative = *text == '-';
	u64 read;
	int r = whole_number(*text == '-' || *text == '+' ? text + 1 : text, base, &read);

	if (r)
		return r;
	if (read > (u64)INT_MAX + negative)
		return -ERANGE;
	*value = negative ? -read : read;
	return 0;
}

/* --- sscanf --- */

struct wanted {
	bool skipped; /* %*: read, and not stored */
	int width;    /* 0: not given */
	int bytes;    /* of an integer */
};

static const char *read_wanted(const char *at, struct wanted *wanted)
{
	*wanted = (struct wanted){ .bytes = sizeof(int) };
	if (*at == '*') {
		wanted->skipped = true;
		at++;
	}
	while (isdigit(*at))
		wanted->width = wanted->width * 10 + *at++ - '0';
	for (; *at == 'h'; at++)
		wanted->bytes /= 2;
	for (; *at && strchr("lLqzt", *at); at++)
		wanted->bytes = sizeof(long);
	return at;
}

static void store(void *to, u64 value, int bytes)
{
	memcpy(to, &value, bytes); /* little-endian: the low bytes come first */
}

/* Null: there is no number. */
static const char *scan_number(const char *text, const struct wanted *wanted, unsigned int base, bool is_signed,
			       void *to)
{
	size_t most = wanted->width ? wanted->width : SIZE_MAX;
	bool negative, overflows;
	const char *begin, *end;
	u64 value;

	text = skip_spaces(text);
	negative = is_signed && *text == '-';
	if (negative) {
		text++;
		most--;
	}
	begin = skip_prefix(text, &base);
	if (begin - text >= most)
		begin = text;
	end = read_figures(begin, most - (begin - text), base, &value, &overflows);
	if (end == begin)
		return NULL;
	if (to)
		store(to, negative ? -value : value, wanted->bytes);
	return end;
}

static const char *scan_characters(const char *text, const struct wanted *wanted, char *to)
{
	int n, count = max(wanted->width, 1);

	for (n = 0; n < count; n++, text++) {
		if (!*text)
			return n ? text : NULL;
		if (to)
			*to++ = *text;
	}
	return text;
}

static const char *scan_word(const char *text, const struct wanted *wanted, char *to)
{
	int left = wanted->width ? wanted->width : INT_MAX;

	text = skip_spaces(text);
	if (!*text)
		return NULL;
	for (; left && *text && !isspace(*text); left--, text++)
		if (to)
			*to++ = *text;
	if (to)
		*to = '\0';
	return text;
}

/* `set`: after the bracket; returns null if no character fits. */
static const char *scan_set(const char *text, const struct wanted *wanted, const char *set, const char *set_end,
			    char *to)
{
	int left = wanted->width ? wanted->width : INT_MAX;
	bool inverted = *set == '^';
	const char *begin = text;

	set += inverted;
	for (; left && *text; left--, text++) {
		bool listed = false;
		const char *at;

		for (at = set; at < set_end; at++)
			listed |= *at == *text;
		if (listed == inverted)
			break;
		if (to)
			*to++ = *text;
	}
	if (text == begin)
		return NULL;
	if (to)
		*to = '\0';
	return text;
}

static int scan(const char *text, const char *format, va_list *arguments)
{
	const char *begin = text;
	struct wanted wanted;
	int count = 0;

	while (*format) {
		const char *set;
		void *to;

		if (isspace(*format)) {
			format = skip_spaces(format);
			text = skip_spaces(text);
			continue;
		}
		if (*format != '%' || format[1] == '%') {
			format += *format == '%';
			if (*format++ != *text++)
				return count;
			continue;
		}
		format = read_wanted(format + 1, &wanted);
		to = wanted.skipped ? NULL : va_arg(*arguments, void *);
		switch (*format++) {
		case 'n':
			if (to)
				store(to, text - begin, wanted.bytes);
			continue;
		case 'c':
			text = scan_characters(text, &wanted, to);
			break;
		case 's':
			text = scan_word(text, &wanted, to);
			break;
		case '[':
			set = format;
			for (format += *format == '^'; *format && *format != ']'; format++)
				;
			text = scan_set(text, &wanted, set, format, to);
			format += *format == ']';
			break;
		case 'd':
			text = scan_number(text, &wanted, 10, true, to);
			break;
		case 'i':
			text = scan_number(text, &wanted, 0, true, to);
			break;
		case 'u':
			text = scan_number(text, &wanted, 10, false, to);
			break;
		case 'o':
			text = scan_number(text, &wanted, 8, false, to);
			break;
		case 'x':
		case 'X':
			text = scan_number(text, &wanted, 16, false, to);
			break;
		default:
			shim_unmodelled("sscanf() with an unknown conversion");
		}
		if (!text)
			return count;
		count += to != NULL;
	}
	return count;
}

int sscanf(const char *text, const char *format, ...)
{
	va_list arguments;
	int count;

	va_start(arguments, format);
	count = scan(text, format, &arguments);
	va_end(arguments);
	return count;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * BUG, WARN, printk, and everything else that a kernel complains of, on its way to the simulator.
 *
 * A line of the log goes out when its line end comes; printk adds one itself to lines that continue nothing, as
 * the kernel's does. The last error line is kept while a verb runs: it is the kernel's own reason.
 */
#include "control.h"

const struct abi_host *shim_host;

static char pending_line[512];
static unsigned int pending_length;
static char last_error[256];

void shim_forget_last_error(void) { last_error[0] = 0; }
const char *shim_last_error(void) { return last_error; }

static void end_line(int level)
{
	pending_line[pending_length] = 0;
	pending_length = 0;
	if (level <= 4) {
		strscpy(last_error, pending_line, sizeof(last_error));
	}
	shim_host->log(shim_host->self, level, pending_line);
}

int _printk(const char *format, ...)
{
	char text[512];
	const char *at = text;
	int level = 6, length;
	va_list arguments;

	va_start(arguments, format);
	length = vscnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	while (at[0] == KERN_SOH[0] && at[1]) {
		if (isdigit(at[1]))
			level = at[1] - '0';
		at += 2;
	}
	for (; *at; at++) {
		if (*at == '\n')
			end_line(level);
		else if (pending_length < sizeof(pending_line) - 1)
			pending_line[pending_length++] = *at;
	}
	if (pending_length)
		end_line(level);
	return length;
}

void shim_trouble(enum abi_trouble kind, const char *file, int line, const char *format, ...)
{
	char text[512];
	va_list arguments;
	size_t length;

	va_start(arguments, format);
	vscnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	for (length = strlen(text); length && text[length - 1] == '\n'; length--)
		text[length - 1] = 0;
	shim_host->trouble(shim_host->self, kind, file, line, text);
}

void shim_bug(const char *file, int line, const char *what)
{
	shim_host->trouble(shim_host->self, ABI_BUG, file, line, what);
	__builtin_unreachable();
}

void shim_unmodelled(const char *function)
{
	shim_host->trouble(shim_host->self, ABI_UNMODELLED, NULL, 0, function);
	__builtin_unreachable();
}

void panic(const char *format, ...)
{
	char text[256];
	va_list arguments;

	va_start(arguments, format);
	vscnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	shim_bug("panic", 0, text);
}

void dump_stack(void) { printk(KERN_INFO "dump_stack() of %s\n", current->comm); }

void shim_refcount_trouble(const char *file, int line, const char *what)
{
	shim_trouble(ABI_WARN, file, line, "refcount_t: %s", what);
}

void shim_lock_trouble(const char *file, int line, const char *what, const char *name, const struct task_struct *owner)
{
	shim_trouble(ABI_LOCK_MISUSE, file, line, "%s %s %s%s%s", current->comm, what, name,
		     owner ? ", held by " : "", owner ? owner->comm : "");
}

/* Of a kernel that looks after its lists (CONFIG_DEBUG_LIST). */
#if SHIM_SERIES >= 612
#define shim_list_add_valid __list_add_valid_or_report
#define shim_list_del_valid __list_del_entry_valid_or_report
#else
#define shim_list_add_valid __list_add_valid
#define shim_list_del_valid __list_del_entry_valid
#endif

bool shim_list_add_valid(struct list_head *fresh, struct list_head *prev, struct list_head *next)
{
	if (likely(next->prev == prev && prev->next == next && fresh != prev && fresh != next))
		return true;
	shim_trouble(ABI_BUG, "lib/list_debug.c", 0, "list corruption: an entry is added where neighbours do not meet");
	return false;
}

bool shim_list_del_valid(struct list_head *entry)
{
	if (likely(entry->next && entry->prev && entry->next != LIST_POISON1 && entry->prev != LIST_POISON2 &&
		   entry->prev->next == entry && entry->next->prev == entry))
		return true;
	shim_trouble(ABI_BUG, "lib/list_debug.c", 0, "list corruption: an entry is removed that is in no list");
	return false;
}

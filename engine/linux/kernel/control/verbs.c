// SPDX-License-Identifier: GPL-2.0-only
/*
 * What dmsetup asks for: create, load, suspend, resume, remove: the steps that dm-ioctl.c takes around dm.c, in its order
 * and with its error numbers.
 */
#include "parts.h"

/* The mapping's inactive table is the caller's now. */
static struct dm_table *take_inactive(struct mapping *mapping)
{
	struct dm_table *table = mapping->inactive;

	mapping->inactive = NULL;
	return table;
}

static void drop_table(struct mapped_device *md, struct dm_table *table)
{
	if (!table)
		return;
	dm_sync_table(md);
	dm_table_destroy(table);
}

/* The kernel's own explanation, of the form "device-mapper: table: 253:0: mirror: TEXT (-EINVAL)": TEXT. */
static void explain(struct abi_text reason)
{
	const char *text = shim_last_error(), *next;
	unsigned int length;

	if (!strncmp(text, "device-mapper: ", 15)) {
		for (next = strstr(text, ": "); next; next = strstr(text, ": "))
			text = next + 2;
	}
	length = strlen(text);
	next = strrchr(text, '(');
	if (next && next > text && next[1] == '-' && text[length - 1] == ')')
		length = next - text - 1;
	if (!reason.size)
		return;
	length = min(length, reason.size - 1);
	memcpy(reason.bytes, text, length);
	reason.bytes[length] = 0;
}

int control_create(const char *name)
{
	struct mapping *mapping;
	struct mapped_device *md;
	int r;

	if (strchr(name, '/') || !*name || strlen(name) >= sizeof(mapping->name))
		return -EINVAL;
	r = dm_create(DM_ANY_MINOR, &md);
	if (r)
		return r;
	down_write(&mappings_lock);
	if (control_mapping(name) || shim_find_disk(name)) {
		up_write(&mappings_lock);
		dm_put(md);
		dm_destroy(md);
		return -EBUSY;
	}
	mapping = kzalloc(sizeof(*mapping), GFP_KERNEL);
	strscpy(mapping->name, name, sizeof(mapping->name));
	mapping->md = md;
	mapping->next = mappings;
	mappings = mapping;
	dm_get(md);
	dm_set_mdptr(md, mapping);
	shim_name_disk(dm_disk(md), name);
	up_write(&mappings_lock);
	dm_put(md);
	return 0;
}

static bool next_line(const char **text, char *line, unsigned int size)
{
	unsigned int length = 0;

	while (**text == '\n' || **text == ' ')
		(*text)++;
	if (!**text)
		return false;
	while (**text && **text != '\n') {
		if (length < size - 1)
			line[length++] = **text;
		(*text)++;
	}
	line[length] = 0;
	return true;
}

/* "START LENGTH TARGET ARGS" */
static int add_line(struct dm_table *table, char *line)
{
	unsigned long long start, length;
	char *at = line, *type;

	start = simple_strtoull(at, &at, 10);
	at = skip_spaces(at);
	length = simple_strtoull(at, &at, 10);
	at = skip_spaces(at);
	type = strsep(&at, " \t");
	if (!type || !*type)
		return -EINVAL;
	return dm_table_add_target(table, type, start, length, at ?: type + strlen(type));
}

static int fill_table(struct dm_table *table, const char *text)
{
	char *line = kmalloc(strlen(text) + 1, GFP_KERNEL);
	const char *at = text;
	int r = 0;

	while (!r && next_line(&at, line, strlen(text) + 1))
		r = add_line(table, line);
	kfree(line);
	return r ?: dm_table_complete(table);
}

static unsigned int count_lines(const char *text)
{
	char first[2];
	unsigned int lines = 0;

	while (next_line(&text, first, sizeof(first)))
		lines++;
	return lines;
}

static bool can_follow(struct mapped_device *md, struct dm_table *table)
{
	enum dm_queue_mode now = dm_get_md_type(md), wanted = dm_table_get_type(table);

	return now == wanted || (now == DM_TYPE_BIO_BASED && wanted == DM_TYPE_DAX_BIO_BASED);
}

/* With the device's type locked. */
static int prepare_table(struct mapped_device *md, struct dm_table *table, const char *text)
{
	struct target_type *kept = dm_get_immutable_target_type(md);
	int r = fill_table(table, text);

	if (r)
		return r;
	if (kept && kept != dm_table_get_immutable_target_type(table) && !dm_table_get_wildcard_target(table))
		return -EINVAL;
	if (dm_get_md_type(md) == DM_TYPE_NONE)
		return dm_setup_md_queue(md, table);
	return can_follow(md, table) ? 0 : -EINVAL;
}

int control_load(const char *name, const char *text, struct abi_text reason)
{
	struct mapped_device *md = control_get_device(name);
	struct dm_table *table, *old = NULL;
	struct mapping *mapping;
	int r;

	shim_forget_last_error();
	if (reason.size)
		reason.bytes[0] = 0;
	if (!md)
		return -ENXIO;
	if (!count_lines(text)) {
		dm_put(md);
		return -EINVAL;
	}
	r = dm_table_create(&table, FMODE_READ | FMODE_WRITE, count_lines(text), md);
	if (r)
		goto out;
	dm_lock_md_type(md);
	r = prepare_table(md, table, text);
	dm_unlock_md_type(md);
	if (r) {
		explain(reason);
		dm_table_destroy(table);
		goto out;
	}
	down_write(&mappings_lock);
	mapping = dm_get_mdptr(md);
	if (mapping) {
		old = take_inactive(mapping);
		mapping->inactive = table;
	} else {
		r = -ENXIO;
		old = table;
	}
	up_write(&mappings_lock);
	drop_table(md, old);
out:
	dm_put(md);
	return control_answer(r);
}

int control_suspend(const char *name, int noflush, int skip_lockfs)
{
	struct mapped_device *md = control_get_device(name);
	unsigned int flags = (noflush ? DM_SUSPEND_NOFLUSH_FLAG : 0) | (skip_lockfs ? 0 : DM_SUSPEND_LOCKFS_FLAG);
	int r = 0;

	if (!md)
		return -ENXIO;
	if (!dm_suspended_md(md))
		r = dm_suspend(md, flags);
	dm_put(md);
	return control_answer(r);
}

/* The suspend before a swap has failed: the table goes back into its slot, unless another came meanwhile. */
static int put_back(struct mapped_device *md, struct dm_table *table, int r)
{
	struct mapping *mapping;

	down_write(&mappings_lock);
	mapping = dm_get_mdptr(md);
	if (mapping && !mapping->inactive) {
		mapping->inactive = table;
		table = NULL;
	} else {
		r = -ENXIO;
	}
	up_write(&mappings_lock);
	drop_table(md, table);
	return r;
}

static int resume_with(struct mapped_device *md, struct dm_table *fresh)
{
	struct dm_table *old = NULL;
	int r = 0;

	if (fresh) {
		if (!dm_suspended_md(md)) {
			r = dm_suspend(md, DM_SUSPEND_LOCKFS_FLAG);
			if (r)
				return put_back(md, fresh, r);
		}
		old = dm_swap_table(md, fresh);
		if (IS_ERR(old)) {
			drop_table(md, fresh);
			return PTR_ERR(old);
		}
	}
	if (dm_suspended_md(md))
		r = dm_resume(md);
	if (old)
		dm_table_destroy(old); /* dm_swap_table() has waited for its readers */
	return r;
}

int control_resume(const char *name, struct abi_text reason)
{
	struct mapped_device *md;
	struct mapping *mapping;
	struct dm_table *fresh = NULL;
	int r;

	shim_forget_last_error();
	if (reason.size)
		reason.bytes[0] = 0;
	down_write(&mappings_lock);
	mapping = control_mapping(name);
	md = mapping ? mapping->md : NULL;
	if (mapping) {
		dm_get(md);
		fresh = take_inactive(mapping);
	}
	up_write(&mappings_lock);
	if (!md)
		return -ENXIO;
	r = resume_with(md, fresh);
	if (r)
		explain(reason);
	dm_put(md);
	return control_answer(r);
}

/* Whoever waits for an event of a device that goes must let go of it. */
static void wake_event_waiters(struct mapped_device *md)
{
	int index;
	struct dm_table *live = dm_get_live_table(md, &index);

	if (live)
		dm_table_event(live);
	dm_put_live_table(md, index);
}

int control_remove(const char *name)
{
	struct mapping *mapping, **link;
	struct mapped_device *md;
	int r;

	down_write(&mappings_lock);
	mapping = control_mapping(name);
	if (!mapping) {
		up_write(&mappings_lock);
		return -ENXIO;
	}
	md = mapping->md;
	r = dm_lock_for_deletion(md, false, false);
	if (r) {
		up_write(&mappings_lock);
		return r;
	}
	for (link = &mappings; *link != mapping; link = &(*link)->next)
		;
	*link = mapping->next;
	dm_set_mdptr(md, NULL);
	shim_host->table_changed(shim_host->self, mapping->name); /* from here on nobody finds it by name */
	wake_event_waiters(md);
	up_write(&mappings_lock);
	drop_table(md, take_inactive(mapping));
	kfree(mapping);
	dm_put(md);
	dm_destroy(md);
	return 0;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * What dmsetup asks about: status and table, messages, events; and the numbers and limits of devices.
 */
#include "parts.h"

#define STATUS_BYTES (64 * 1024)

struct writer { struct abi_text out; unsigned int used; };

static void write_text(struct writer *writer, const char *format, ...)
{
	va_list arguments;

	if (writer->used >= writer->out.size)
		return;
	va_start(arguments, format);
	writer->used += vscnprintf(writer->out.bytes + writer->used, writer->out.size - writer->used, format, arguments);
	va_end(arguments);
}

static void write_status(struct writer *writer, struct dm_target *target, bool as_table, char *text)
{
	text[0] = 0;
	if (target->type->status)
		target->type->status(target, as_table ? STATUSTYPE_TABLE : STATUSTYPE_INFO, 0, text, STATUS_BYTES);
	/* dmsetup prints the blank even where nothing follows. */
	write_text(writer, "%llu %llu %s %s\n", (unsigned long long)target->begin, (unsigned long long)target->len,
		   target->type->name, text);
}

int control_status(const char *name, int inactive, int as_table, struct abi_text out)
{
	struct mapped_device *md = control_get_device(name);
	struct writer writer = { out, 0 };
	struct dm_table *table;
	char *text;
	unsigned int i;
	int index = 0;

	if (out.size)
		out.bytes[0] = 0;
	if (!md)
		return -ENXIO;
	/* The host's: oracles ask, too, and must not change what the kernel's own memory sees. */
	text = shim_host->alloc(shim_host->self, STATUS_BYTES, 8, 0);
	if (inactive)
		down_read(&mappings_lock);
	table = inactive ? ((struct mapping *)dm_get_mdptr(md))->inactive : dm_get_live_table(md, &index);
	for (i = 0; table && i < table->num_targets; i++)
		write_status(&writer, dm_table_get_target(table, i), as_table, text);
	if (inactive)
		up_read(&mappings_lock);
	else
		dm_put_live_table(md, index);
	shim_host->free(shim_host->self, text);
	dm_put(md);
	return 0;
}

static int send_message(struct mapped_device *md, sector_t sector, int argc, char **argv, struct abi_text out)
{
	struct dm_target *target = NULL;
	struct dm_table *table;
	int index, r = -EINVAL;

	if (!argc || argv[0][0] == '@')
		return -EINVAL;
	table = dm_get_live_table(md, &index);
	if (table && dm_deleting_md(md))
		r = -ENXIO;
	else if (table)
		target = dm_table_find_target(table, sector);
	if (target && target->type->message)
		r = target->type->message(target, argc, argv, out.bytes, out.size);
	dm_put_live_table(md, index);
	return r == 1 ? 0 : r; /* 1: there is an answer */
}

int control_message(const char *name, abi_u64 sector, const char *text, struct abi_text out)
{
	struct mapped_device *md = control_get_device(name);
	char *copy, **argv = NULL;
	int argc, r;

	if (out.size)
		out.bytes[0] = 0;
	if (!md)
		return -ENXIO;
	copy = kstrdup(text, GFP_KERNEL);
	r = dm_split_args(&argc, &argv, copy);
	if (!r)
		r = send_message(md, sector, argc, argv, out);
	kfree(argv);
	kfree(copy);
	dm_put(md);
	return control_answer(r);
}

int control_wait_event(const char *name, abi_u32 seen, abi_u32 *number)
{
	struct mapped_device *md = control_get_device(name);
	int r;

	if (!md)
		return -ENXIO;
	r = dm_wait_event(md, seen);
	*number = dm_get_event_nr(md);
	dm_put(md);
	return r ? -EINTR : 0;
}

int control_event_number(const char *name, abi_u32 *number)
{
	struct mapping *mapping = control_mapping(name);

	if (!mapping)
		return -ENXIO;
	*number = dm_get_event_nr(mapping->md);
	return 0;
}

int control_limits(const char *name, struct abi_disk_limits *out)
{
	struct gendisk *disk = shim_find_disk(name);
	struct mapping *mapping = control_mapping(name);
	struct queue_limits *limits;

	if (!disk && mapping)
		disk = dm_disk(mapping->md);
	if (!disk)
		return -ENXIO;
	limits = &disk->queue->limits;
	*out = (struct abi_disk_limits){
		.sectors = get_capacity(disk),
		.logical_block_bytes = limits->logical_block_size,
		.max_sectors = limits->max_sectors,
		.discard = limits->max_discard_sectors != 0,
		.volatile_cache = bdev_write_cache(disk->part0),
		.fua = bdev_fua(disk->part0),
		.stable_writes = bdev_stable_writes(disk->part0),
	};
	return 0;
}

int control_device_numbers(const char *name, abi_u32 *major, abi_u32 *minor)
{
	struct mapping *mapping = control_mapping(name);
	struct gendisk *disk = mapping ? dm_disk(mapping->md) : shim_find_disk(name);

	if (!disk)
		return -ENXIO;
	*major = disk->major;
	*minor = disk->first_minor;
	return 0;
}

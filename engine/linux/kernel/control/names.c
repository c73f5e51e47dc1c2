// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mapped devices by their names.
 */
#include "parts.h"

struct mapping *mappings;
DECLARE_RWSEM(mappings_lock);

struct mapping *control_mapping(const char *name)
{
	struct mapping *mapping;

	for (mapping = mappings; mapping; mapping = mapping->next)
		if (!strcmp(mapping->name, name))
			return mapping;
	return NULL;
}

/* With a reference. */
struct mapped_device *control_get_device(const char *name)
{
	struct mapping *mapping;
	struct mapped_device *md = NULL;
	bool may_wait = in_task(); /* else it is an oracle, which comes between two steps and leaves before the next */

	if (may_wait)
		down_read(&mappings_lock);
	mapping = control_mapping(name);
	if (mapping) {
		md = mapping->md;
		dm_get(md);
	}
	if (may_wait)
		up_read(&mappings_lock);
	return md;
}

/* SPDX-License-Identifier: GPL-2.0-only
 *
 * dm-clone-metadata.c as it is, and whether its metadata are safe on disk. A bit that is set may be a region that
 * is hydrated now.
 */
#include "control.h"

#define __set_bit(bit, map) (shim_claims++, (__set_bit)(bit, map))

#include "dm-clone-metadata.c"
#include "peek.h"

bool shim_peek_clone_commit_pending(struct dm_clone_metadata *cmd)
{
	return cmd->current_dmap->changed || cmd->committing_dmap;
}

// SPDX-License-Identifier: GPL-2.0-only
// file: drivers/md/dm-region-hash.c
// A region whose recovery failed is written down as recovered, also for a mirror that handles errors.
// Promise: a region is called in sync only when its legs are equal. Seen by no-false-sync.
@@
expression reg, errors_handled;
@@
dm_rh_update_states(...)
{
<...
- complete_resync_work(reg, errors_handled ? 0 : 1);
+ complete_resync_work(reg, 1);
...>
}

// SPDX-License-Identifier: GPL-2.0-only
// file: drivers/md/dm-region-hash.c
// A region that is out of sync becomes clean when its last write has ended, as any other: dm-raid1 before
// January 2006. From then on it is taken for synchronised, and never recovered.
// Promise: a region is called in sync only when its legs are equal. Seen by no-false-sync.
@@
expression reg;
@@
dm_rh_dec(...)
{
<...
- reg->state == DM_RH_DIRTY
+ reg->state != DM_RH_CLEAN
...>
}

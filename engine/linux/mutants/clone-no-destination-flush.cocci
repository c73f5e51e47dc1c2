// SPDX-License-Identifier: GPL-2.0-only
// file: drivers/md/dm-clone-target.c
// The commit goes to the metadata device although the regions it speaks of may still be in the destination's
// volatile cache: dm-clone as it was before December 2019, first of the three patches left out.
// Promise: committed metadata never points at lost data. Seen by committed-points-at-durable and durability.
@@
expression r;
@@
commit_metadata(...)
{
<...
- r = blkdev_issue_flush(...);
+ r = 0;
...>
}

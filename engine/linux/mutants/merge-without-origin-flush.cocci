// SPDX-License-Identifier: GPL-2.0-only
// file: drivers/md/dm-snap.c
// A merged chunk's exception is dropped from the store while the chunk may still be in the origin's volatile cache.
// Promise: committed metadata never points at lost data. Seen by durability and untouched-sectors.
@@
statement S;
@@
merge_callback(...)
{
<...
- if (blkdev_issue_flush(...) < 0) S
...>
}

// SPDX-License-Identifier: GPL-2.0-only
// file: drivers/md/dm-snap.c
// A write to a chunk that is not in the store lets go of the table's lock to make its exception, and does not look
// again whether somebody else has meanwhile begun to copy that chunk: it is copied twice, to two places.
// Promise: a read returns what was written last. Seen by read-your-writes; only where the task is preempted as it takes the
// lock, or waits for memory.
@@
expression pe2, s, chunk;
@@
__find_pending_exception(...)
{
<...
- pe2 = __lookup_pending_exception(s, chunk);
+ pe2 = NULL;
...>
}

// SPDX-License-Identifier: GPL-2.0-only
// file: drivers/md/dm.c
// Who has done a part of a request looks first whether it was the last, and then counts itself off: two who look
// before either has counted both take the other for the last, and the request is never ended.
// Promise: every request ends. Seen by liveness; only where a task can be preempted between two atomic operations, with no lock
// in between.
@@
expression count;
@@
__dm_io_dec_pending(...)
{
<...
- atomic_dec_and_test(count)
+ (atomic_read(count) == 1 || (atomic_dec(count), false))
...>
}

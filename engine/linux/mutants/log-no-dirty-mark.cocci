// SPDX-License-Identifier: GPL-2.0-only
// file: drivers/md/dm-log.c
// A region that is about to be written is not marked dirty in the log, in memory or on disk: after a power cut
// nobody knows that its legs may differ.
// Promise: legs are identical where the log says clean. Seen by legs-identical-where-clean.
@@
@@
core_mark_region(...)
{
<...
- log_clear_bit(...);
...>
}

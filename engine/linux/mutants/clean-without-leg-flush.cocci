// SPDX-License-Identifier: GPL-2.0-only
// file: drivers/md/dm-log.c
// Regions are marked clean on disk without flushing the legs first: a write that one leg still holds in its cache
// is lost on that leg only, under a clean bit.
// Promise: legs are identical where the log says clean. Seen by legs-identical-where-clean.
@@
expression lc, log;
statement S;
@@
disk_flush(...)
{
<...
- if (lc->touched_cleaned && log->flush_callback_fn && log->flush_callback_fn(lc->ti)) S
...>
}

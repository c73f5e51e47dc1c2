// SPDX-License-Identifier: GPL-2.0-only
// file: drivers/md/dm-kcopyd.c
// A copy that finds no page, not even in its client's reserve, fails, instead of waiting for others to give
// theirs back. While memory can be had nothing shows.
// Promise: only what a disk refuses fails. Seen by no-false-error, or by what a failed leg leaves.
@@
expression r;
@@
run_pages_job(...)
{
<...
- if (r == -ENOMEM)
-   return 1;
...>
}

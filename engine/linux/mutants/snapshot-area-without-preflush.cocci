// SPDX-License-Identifier: GPL-2.0-only
// file: drivers/md/dm-snap-persistent.c
// Exceptions are made durable without flushing the chunks they point at: after a power cut an exception may lead to a
// chunk that was never written.
// Promise: committed metadata never points at lost data. Seen by snapshot-equals-origin-at-creation and durability.
@@
@@
persistent_commit_exception(...)
{
<...
- REQ_OP_WRITE | REQ_PREFLUSH | REQ_FUA | REQ_SYNC
+ REQ_OP_WRITE | REQ_FUA | REQ_SYNC
...>
}

// SPDX-License-Identifier: GPL-2.0-only
// file: drivers/md/persistent-data/dm-array.c
// A cure, not a bug: the block of an array that has been copied is let go of when the tree above it cannot be changed. As
// it is, it stays held. docs/findings/array-block-stays-locked.md.
@@
expression info, index, block, b, root;
identifier r;
@@
shadow_ablock(...)
{
int r;
<...
- return __reinsert_ablock(info, index, block, b, root);
+ r = __reinsert_ablock(info, index, block, b, root);
+ if (r)
+ 	unlock_ablock(info, block);
+ return r;
...>
}

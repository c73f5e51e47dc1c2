/* SPDX-License-Identifier: GPL-2.0-only
 *
 * The kernel configuration of an image: what is on. Everything that is absent here is off, as in a
 * kernel's own file of this name.
 */
#define CONFIG_64BIT 1
#define CONFIG_BLOCK 1
#define CONFIG_SMP 1
#define CONFIG_DEBUG_LIST 1
#define CONFIG_LIST_HARDENED 1
#define CONFIG_BLK_CGROUP 1 /* bio->bi_blkg and bi_issue carry who asked, and why: see custom/submit.c */
#define CONFIG_HZ 250
#define CONFIG_BLK_DEV_DM 1
#define CONFIG_DM_SNAPSHOT 1

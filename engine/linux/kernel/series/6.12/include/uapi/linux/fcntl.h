/* SPDX-License-Identifier: GPL-2.0-only
 *
 * How long data are expected to live: the numbers that linux/rw_hint.h names. Nobody here gives such hints.
 */
#ifndef SHIM_FCNTL_H
#define SHIM_FCNTL_H
#define RWH_WRITE_LIFE_NOT_SET 0
#define RWH_WRITE_LIFE_NONE 1
#define RWH_WRITE_LIFE_SHORT 2
#define RWH_WRITE_LIFE_MEDIUM 3
#define RWH_WRITE_LIFE_LONG 4
#define RWH_WRITE_LIFE_EXTREME 5
#endif

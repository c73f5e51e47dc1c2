/* SPDX-License-Identifier: GPL-2.0-only */
/* Stands where an image borrows the header of the kernel: the duplicates need nothing of it. */

/* SPDX-License-Identifier: GPL-2.0-only
 *
 * Small integers that name objects.
 */
#ifndef SHIM_IDR_H
#define SHIM_IDR_H

struct idr { void **slots; unsigned int size, used; };
#define IDR_INIT(name) { NULL, 0, 0 }
#define DEFINE_IDR(name) struct idr name = IDR_INIT(name)
int idr_alloc(struct idr *idr, void *object, int from, int to, gfp_t gfp);
void *idr_find(const struct idr *idr, unsigned long id);
void *idr_replace(struct idr *idr, void *object, unsigned long id);
void *idr_remove(struct idr *idr, unsigned long id);
void idr_destroy(struct idr *idr);
static inline bool idr_is_empty(const struct idr *idr) { return idr->used == 0; }
#define idr_preload(gfp) ((void)(gfp))
#define idr_preload_end() ((void)0)

#endif

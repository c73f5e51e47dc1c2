/* SPDX-License-Identifier: GPL-2.0-only
 *
 * Numbers for objects: an array that grows, searched from the lowest number that may be free. What uses it
 * here are the minor numbers of mapped devices, of which there are few.
 *
 * The array belongs to no site: it stays as large as it once was, and that is no leak. It never fails to grow,
 * because whoever calls idr_alloc() under a lock has called idr_preload() before.
 */
#define FIRST_SIZE 16

static void grow(struct idr *idr, unsigned int least)
{
	unsigned int size = max(idr->size * 2, FIRST_SIZE + 0u);
	void **slots;

	while (size < least)
		size *= 2;
	slots = shim_kmalloc(size * sizeof(*slots), GFP_NOWAIT | __GFP_ZERO | SHIM_GFP_RESERVE, NULL);
	if (idr->size)
		memcpy(slots, idr->slots, idr->size * sizeof(*slots));
	kfree(idr->slots);
	idr->slots = slots;
	idr->size = size;
}

/* The lowest free number in [from, to); to <= 0: any. */
int idr_alloc(struct idr *idr, void *object, int from, int to, gfp_t gfp)
{
	unsigned int id = from, end = to > 0 ? to : INT_MAX;

	BUG_ON(from < 0 || !object);
	while (id < min(end, idr->size) && idr->slots[id])
		id++;
	if (id >= end)
		return -ENOSPC;
	if (id >= idr->size)
		grow(idr, id + 1);
	idr->slots[id] = object;
	idr->used++;
	return id;
}

void *idr_find(const struct idr *idr, unsigned long id)
{
	return id < idr->size ? idr->slots[id] : NULL;
}

/* The object that had the number before. */
void *idr_replace(struct idr *idr, void *object, unsigned long id)
{
	void *old = idr_find(idr, id);

	BUG_ON(!object);
	if (!old)
		return ERR_PTR(-ENOENT);
	idr->slots[id] = object;
	return old;
}

void *idr_remove(struct idr *idr, unsigned long id)
{
	void *old = idr_find(idr, id);

	if (old) {
		idr->slots[id] = NULL;
		idr->used--;
	}
	return old;
}

void idr_destroy(struct idr *idr)
{
	kfree(idr->slots);
	*idr = (struct idr)IDR_INIT(idr);
}

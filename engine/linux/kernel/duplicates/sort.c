/* SPDX-License-Identifier: GPL-2.0-only
 *
 * Sorting of arrays, as a heap: no memory needed, and n log n at worst. Equal elements end up in any order,
 * but always in the same one. (Lists are sorted by the kernel's own list_sort.c.)
 */
static void swap_bytes(u8 *a, u8 *b, size_t size)
{
	while (size--) {
		u8 byte = *a;

		*a++ = *b;
		*b++ = byte;
	}
}

struct heap {
	u8 *base;
	size_t size; /* of an element */
	int (*compare)(const void *, const void *);
	void (*swap_them)(void *, void *, int);
};

static void swap_elements(const struct heap *heap, size_t a, size_t b)
{
	u8 *left = heap->base + a * heap->size, *right = heap->base + b * heap->size;

	if (heap->swap_them)
		heap->swap_them(left, right, heap->size);
	else
		swap_bytes(left, right, heap->size);
}

static bool is_less(const struct heap *heap, size_t a, size_t b)
{
	return heap->compare(heap->base + a * heap->size, heap->base + b * heap->size) < 0;
}

/* Moves an element down until no child of it, of the first `count` elements, is larger. */
static void sink(const struct heap *heap, size_t at, size_t count)
{
	for (;;) {
		size_t child = 2 * at + 1;

		if (child >= count)
			return;
		if (child + 1 < count && is_less(heap, child, child + 1))
			child++;
		if (!is_less(heap, at, child))
			return;
		swap_elements(heap, at, child);
		at = child;
	}
}

void sort(void *base, size_t count, size_t size, int (*compare)(const void *, const void *),
	  void (*swap_them)(void *, void *, int))
{
	const struct heap heap = { base, size, compare, swap_them };
	size_t n;

	for (n = count / 2; n-- > 0;)
		sink(&heap, n, count);
	for (n = count; n-- > 1;) {
		swap_elements(&heap, 0, n);
		sink(&heap, 0, n);
	}
}

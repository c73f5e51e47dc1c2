/* SPDX-License-Identifier: GPL-2.0-only
 *
 * Atomic counters, reference counts and memory barriers. One CPU: plain arithmetic; on request others may
 * run before each read-modify-write (shim_atomic_point). A reference count that falls below zero, rises from
 * zero or saturates is told as a WARN, as the kernel does.
 */
#ifndef SHIM_ATOMIC_H
#define SHIM_ATOMIC_H

#define ATOMIC_INIT(i) { (i) }
#define ATOMIC64_INIT(i) { (i) }
#define ATOMIC_LONG_INIT(i) { (i) }

#define SHIM_ATOMIC(type, name, value_t) \
static __always_inline value_t name##_read(const type *v) { return READ_ONCE(v->counter); } \
static __always_inline void name##_set(type *v, value_t i) { WRITE_ONCE(v->counter, i); } \
static __always_inline value_t name##_add_return(value_t i, type *v) { shim_atomic_point(); return v->counter += i; } \
static __always_inline value_t name##_sub_return(value_t i, type *v) { shim_atomic_point(); return v->counter -= i; } \
static __always_inline value_t name##_inc_return(type *v) { return name##_add_return(1, v); } \
static __always_inline value_t name##_dec_return(type *v) { return name##_sub_return(1, v); } \
static __always_inline value_t name##_fetch_add(value_t i, type *v) { return name##_add_return(i, v) - i; } \
static __always_inline value_t name##_fetch_inc(type *v) { return name##_fetch_add(1, v); } \
static __always_inline void name##_add(value_t i, type *v) { (void)name##_add_return(i, v); } \
static __always_inline void name##_sub(value_t i, type *v) { (void)name##_sub_return(i, v); } \
static __always_inline void name##_inc(type *v) { name##_add(1, v); } \
static __always_inline void name##_dec(type *v) { name##_sub(1, v); } \
static __always_inline bool name##_dec_and_test(type *v) { return name##_sub_return(1, v) == 0; } \
static __always_inline bool name##_inc_and_test(type *v) { return name##_add_return(1, v) == 0; } \
static __always_inline bool name##_sub_and_test(value_t i, type *v) { return name##_sub_return(i, v) == 0; } \
static __always_inline value_t name##_xchg(type *v, value_t fresh) \
{ \
	value_t old; \
	shim_atomic_point(); \
	old = v->counter; \
	v->counter = fresh; \
	return old; \
} \
static __always_inline value_t name##_cmpxchg(type *v, value_t old, value_t fresh) \
{ \
	value_t seen; \
	shim_atomic_point(); \
	seen = v->counter; \
	if (seen == old) \
		v->counter = fresh; \
	return seen; \
} \
static __always_inline bool name##_add_unless(type *v, value_t add, value_t unless) \
{ \
	shim_atomic_point(); \
	if (v->counter == unless) \
		return false; \
	v->counter += add; \
	return true; \
} \
static __always_inline bool name##_inc_not_zero(type *v) { return name##_add_unless(v, 1, 0); }

SHIM_ATOMIC(atomic_t, atomic, int)
SHIM_ATOMIC(atomic64_t, atomic64, s64)
#define atomic_long_read atomic64_read
#define atomic_long_set atomic64_set
#define atomic_long_inc atomic64_inc
#define atomic_long_dec atomic64_dec
#define atomic_long_add atomic64_add
#define atomic_long_sub atomic64_sub
#define atomic_long_add_return atomic64_add_return
#define atomic_long_sub_return atomic64_sub_return
#define atomic_long_cmpxchg atomic64_cmpxchg
#define atomic_read_acquire atomic_read
#define atomic_set_release atomic_set

#define REFCOUNT_INIT(n) { .refs = ATOMIC_INIT(n) }
void shim_refcount_trouble(const char *file, int line, const char *what);
static inline void refcount_set(refcount_t *r, int n) { r->refs.counter = n; }
static inline unsigned int refcount_read(const refcount_t *r) { return r->refs.counter; }
static inline void shim_refcount_inc(refcount_t *r, const char *file, int line)
{
	shim_atomic_point();
	if (unlikely(r->refs.counter <= 0))
		shim_refcount_trouble(file, line, "a reference count rises from zero");
	r->refs.counter++;
}
static inline bool shim_refcount_dec_and_test(refcount_t *r, const char *file, int line)
{
	shim_atomic_point();
	if (unlikely(r->refs.counter <= 0))
		shim_refcount_trouble(file, line, "a reference count falls below zero");
	return --r->refs.counter == 0;
}
static inline bool refcount_inc_not_zero(refcount_t *r)
{
	shim_atomic_point();
	return r->refs.counter ? r->refs.counter++, true : false;
}
#define refcount_inc(r) shim_refcount_inc(r, __FILE__, __LINE__)
#define refcount_dec_and_test(r) shim_refcount_dec_and_test(r, __FILE__, __LINE__)

#define cmpxchg(p, old, fresh) \
	({ \
		shim_atomic_point(); \
		typeof(*(p)) seen_ = *(p); \
		if (seen_ == (old)) \
			*(p) = (fresh); \
		seen_; \
	})
#define xchg(p, fresh) \
	({ \
		shim_atomic_point(); \
		typeof(*(p)) seen_ = *(p); \
		*(p) = (fresh); \
		seen_; \
	})
#define try_cmpxchg(p, old, fresh) \
	({ \
		typeof(*(p)) expected_ = *(old); \
		typeof(*(p)) found_ = cmpxchg(p, expected_, fresh); \
		*(old) = found_; \
		found_ == expected_; \
	})
#define smp_mb() barrier()
#define smp_rmb() barrier()
#define smp_wmb() barrier()
#define smp_mb__before_atomic() barrier()
#define smp_mb__after_atomic() barrier()
#define smp_load_acquire(p) READ_ONCE(*(p))
#define smp_store_release(p, value) WRITE_ONCE(*(p), value)
#define smp_store_mb(variable, value) WRITE_ONCE(variable, value)

#endif

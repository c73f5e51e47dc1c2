/* SPDX-License-Identifier: GPL-2.0-only
 *
 * The narrow waist between a kernel image and the simulator: everything that either side knows of the
 * other. Plain C, no headers of anybody, so that it can be read by the kernel side (-nostdinc) and by C++.
 *
 * A kernel image is a shared object: the kernel's own sources, compiled unmodified, and the shim that
 * stands in for the rest of the kernel. It has one symbol that anybody looks up, dmsim_kernel_image().
 * All of its state lies in its own writable segment and in memory that it got from abi_host::alloc. The
 * host saves the segment after load, puts it back for every boot, and swaps it when one simulated
 * machine waits while another runs: so the image must keep no state anywhere else, and must never ask
 * the C library for anything.
 *
 * Contexts. A call from the host into the image is made either by a fiber (it may block: abi_host::park)
 * or in interrupt context (it must not). Before each call the host says which: abi_kernel::enter. There is
 * one virtual CPU: nothing runs while the image runs, until it parks or returns.
 */
#ifndef DMSIM_ENGINE_LINUX_ABI_H
#define DMSIM_ENGINE_LINUX_ABI_H

#ifdef __cplusplus
extern "C" {
#endif

#define ABI_VERSION 3

typedef unsigned long long abi_u64;
typedef unsigned int abi_u32;
typedef unsigned char abi_u8;

/* A page is named by its address (4096-aligned, plain memory: struct page is 4096 bytes large and *is* the page),
 * or, with this bit set, by a frame of simulated memory: the host's, or high memory of the image (alloc_frame). Pages of the second kind cannot
 * be touched: the shim asks the host for their bytes (frame_bytes) where kernel code maps them. */
#define ABI_FRAME_TAG (1ull << 62)

enum abi_op { ABI_READ = 0, ABI_WRITE = 1, ABI_FLUSH = 2, ABI_DISCARD = 3, ABI_WRITE_ZEROES = 4 };

/* After blk_status_t, as far as it is told apart in block/bio.h. */
enum abi_status {
	ABI_OK = 0,
	ABI_IOERR = 1,
	ABI_NOTSUPP = 2,
	ABI_NOSPC = 3,
	ABI_REQUEUE = 4, /* BLK_STS_DM_REQUEUE: never leaves a mapped device */
	ABI_TIMEOUT = 5,
	ABI_MEDIUM = 6,
};

/* Like struct bio_vec: does not cross a page when the page is a frame. */
struct abi_vec {
	void *page;
	abi_u32 offset; /* bytes */
	abi_u32 length; /* bytes */
};

/* One request, in either direction. Whoever starts it owns it and `vecs` until it is done. */
struct abi_request {
	enum abi_op op;
	abi_u8 fua;
	abi_u8 preflush;     /* of a write with data; an empty flush is ABI_FLUSH */
	abi_u64 sector;      /* 512 bytes each, on the device it goes to */
	abi_u32 sectors;     /* 0: flush */
	const struct abi_vec *vecs; /* null: flush, discard, write zeroes */
	abi_u32 vec_count;
	void *cookie;        /* of whoever starts it */
	abi_u64 trace_id;    /* the event that caused it; 0: unknown */
	abi_u32 issuer;      /* actor at the top; 0: the kernel itself */
};

/* What chance decides inside the kernel. 0 is the plainest outcome of each. */
enum abi_choice {
	ABI_CHOICE_ALLOC_FAILS = 0,  /* an allocation that may fail does */
	ABI_CHOICE_RANDOM = 1,       /* get_random_*() */
	ABI_CHOICE_WAKE_ORDER = 2,   /* which waiter of several is woken */
	ABI_CHOICE_SHRINK = 3,       /* memory pressure calls the shrinkers now */
	ABI_CHOICE_COUNT
};

/* What went wrong inside the kernel. */
enum abi_trouble {
	ABI_WARN = 0,            /* WARN_ON and friends: goes on */
	ABI_BUG = 1,             /* BUG_ON: does not go on */
	ABI_ATOMIC_SLEEP = 2,    /* blocks in interrupt context or under a spinlock */
	ABI_DOUBLE_COMPLETION = 3,
	ABI_USE_AFTER_FREE = 4,  /* freed memory was written to, or freed twice */
	ABI_LOCK_MISUSE = 5,     /* unlock of what is not held, recursion, freed while held */
	ABI_LEAK = 6,
	ABI_UNMODELLED = 7,      /* not the kernel's fault: the shim does not know this */
};

/* What the image asks of the simulator. Every pointer stays valid for the whole life of the machine. */
struct abi_host {
	void *self; /* first argument of every function */

	/* Memory of this life; all of it is dropped when the life ends. `alloc` returns zeroed or poisoned (0x6b) bytes
	 * aligned to `align` (a power of two, at least 8), and never fails. `free` of null does nothing. `size_of` tells what was asked for. */
	void *(*alloc)(void *self, abi_u64 bytes, abi_u64 align, int zeroed);
	void (*free)(void *self, const void *memory);
	abi_u64 (*size_of)(void *self, const void *memory);
	/* A page of high memory: a frame of this life, poisoned. `free` takes it back. Null instead of the function: none. */
	void *(*alloc_frame)(void *self);
	/* The bytes of a page that is a frame, alone in it and writable until the image next returns or parks. */
	void *(*frame_bytes)(void *self, void *page);

	/* Time since power on of the first life. */
	abi_u64 (*now_ns)(void *self);
	/* Calls function(argument, cookie) at that instant, in interrupt context. No cancelling: carry a generation. */
	void (*at)(void *self, abi_u64 when_ns, void (*function)(void *argument, abi_u64 cookie), void *argument,
		   abi_u64 cookie);

	/* Fibers. spawn() returns the host's name for the fiber, in which function(argument) runs when first chosen;
	 * `daemon`: it serves others for ever (kthreads, workers), and never keeps a run from being over. */
	void *(*spawn)(void *self, const char *name, int daemon, void (*function)(void *argument), void *argument);
	/* Parks the calling fiber until unpark(); `why` in words ("mutex &md->suspend_lock"), for the report of a run that
	 * is stuck; `holder`: the fiber that would have to act, null if unknown; `idle`: waits for work, never part of a deadlock.
	 * `interruptible`: a signal ends it. Returns 1 when a signal did, else 0. After it returns the image must restore
	 * what it keeps per fiber (current). */
	int (*park)(void *self, const char *why, void *holder, int idle, int interruptible);
	void (*unpark)(void *self, void *fiber);
	void (*yield)(void *self);
	/* Where the kernel could be preempted. Returns 1 if others ran meanwhile. */
	int (*preempt_point)(void *self);
	int (*signal_pending)(void *self, void *fiber);

	abi_u64 (*draw)(void *self, enum abi_choice choice, abi_u64 bound); /* in [0, bound) */

	/* Starts a request on the simulated disk `disk` (abi_kernel::add_disk's number). The host calls abi_kernel::disk_done
	 * when it has ended, in interrupt context, or before this returns if the disk refuses at once. */
	void (*submit)(void *self, abi_u32 disk, const struct abi_request *request);
	/* A request that came in through abi_kernel::submit has ended. `request_cookie` is abi_request::cookie. */
	void (*done)(void *self, void *request_cookie, enum abi_status status);

	/* One line of the kernel's log, level 0 (emergency) to 7 (debug), without line end. */
	void (*log)(void *self, int level, const char *line);
	/* Tells of trouble, with the kernel's own source line. Returns for ABI_WARN and ABI_LEAK only; otherwise the fiber never
	 * runs again, or the interrupt ends. */
	void (*trouble)(void *self, enum abi_trouble kind, const char *file, int line, const char *what);

	/* File system on a mapped device: freeze answers 0 or a negative errno. */
	int (*freeze)(void *self, const char *device);
	void (*thaw)(void *self, const char *device);
	/* A mapped device's event number has been raised / its live table was swapped or dropped. */
	void (*device_event)(void *self, const char *device);
	void (*table_changed)(void *self, const char *device);
};

struct abi_disk_limits {
	abi_u64 sectors;
	abi_u32 logical_block_bytes; /* 512 or 4096 */
	abi_u32 max_sectors;         /* longest request */
	abi_u8 discard;
	abi_u8 volatile_cache;
	abi_u8 fua;
	abi_u8 stable_writes;
};

/* Where text goes: never more than `size` bytes with the final 0. */
struct abi_text {
	char *bytes;
	abi_u32 size;
};

/* What oracles may know of a mirror target. */
struct abi_mirror_leg {
	char device[128];  /* the kernel's name of it: a disk's or mapped device's own */
	abi_u64 offset;    /* sectors */
	abi_u32 failed;
};
struct abi_mirror {
	abi_u64 begin, sectors;
	abi_u32 region_sectors;
	abi_u64 region_count;
	abi_u32 leg_count;       /* at most 8 */
	struct abi_mirror_leg legs[8];
	char log_device[128];    /* "": core log */
};
struct abi_mirror_region {
	abi_u8 in_sync, clean, recovering, tracked;
	abi_u32 pending;
};
/* What oracles may know of a clone target. */
struct abi_clone {
	abi_u64 begin, sectors;
	abi_u32 region_sectors;
	abi_u64 region_count;
	char metadata_device[128], destination_device[128], source_device[128];
	abi_u32 mode; /* 0 read-write, 1 read-only, 2 failed */
	/* May change while the table lives: */
	abi_u32 hydrates;       /* background hydration is enabled, has something left to do and has not been failing */
	abi_u32 hydrating;      /* regions being copied */
	abi_u32 commit_pending; /* metadata in memory are newer than on disk, or being committed */
};

/* What the simulator asks of the image. Errors are negative errno values. `device` names are the scenario's. Unless it
 * says otherwise a call may block and is made by a fiber. */
struct abi_kernel {
	abi_u32 version;      /* ABI_VERSION */
	const char *series;   /* "6.1" */
	const char *release;  /* "6.1.164", of the tree it was compiled from */

	/* Once per life, first, in interrupt context: the writable segment is as it was after load. */
	void (*boot)(const struct abi_host *host);
	/* Before every call below: who calls. `fiber`: the host's name for the fiber (stable until it ends); null: interrupt context. */
	void (*enter)(void *fiber, const char *comm);
	/* The fiber has ended: what was kept for it can go. Any context. */
	void (*fiber_ended)(void *fiber);

	/* A simulated disk; numbers count from 0 in order of adding. Any context. */
	void (*add_disk)(abi_u32 number, const char *name, const struct abi_disk_limits *limits);
	/* A request of abi_host::submit has ended; `cookie` is its abi_request::cookie. Any context. */
	void (*disk_done)(void *cookie, enum abi_status status);

	/* The verbs, after DeviceMapper. `reason` gets the kernel's own explanation (ti->error, or the last error line
	 * of the log while the verb ran), "" if none. */
	int (*create)(const char *device);
	int (*load)(const char *device, const char *table, struct abi_text reason); /* one target a line */
	int (*suspend)(const char *device, int noflush, int skip_lockfs);
	int (*resume)(const char *device, struct abi_text reason);
	int (*remove)(const char *device);
	/* Complete lines "START LENGTH TARGET STATUS\n", devices as major:minor (device_numbers tells whose). */
	int (*status)(const char *device, int inactive, int as_table, struct abi_text out);
	int (*message)(const char *device, abi_u64 sector, const char *text, struct abi_text answer);
	int (*wait_event)(const char *device, abi_u32 seen, abi_u32 *number);
	int (*event_number)(const char *device, abi_u32 *number);

	/* A mapped device as a block device. Any context but `submit`. */
	int (*limits)(const char *device, struct abi_disk_limits *out);
	void *(*find)(const char *device);                               /* null: none; valid until removed */
	void (*submit)(void *mapped, const struct abi_request *request); /* copied; vecs stay the caller's until done */
	int (*device_numbers)(const char *device, abi_u32 *major, abi_u32 *minor);

	/* For oracles: any context, no side effects. A target is named by its place in the live table. */
	abi_u32 (*target_count)(const char *device);
	const char *(*target_type)(const char *device, abi_u32 target);
	int (*mirror)(const char *device, abi_u32 target, struct abi_mirror *out);
	int (*mirror_region)(const char *device, abi_u32 target, abi_u64 region, struct abi_mirror_region *out);
	abi_u64 (*mirror_tracked)(const char *device, abi_u32 target);
	abi_u64 (*mirror_held)(const char *device, abi_u32 target);
	/* Grows whenever a region of some mirror may claim something else than before. */
	abi_u64 (*claim_generation)(void);
	int (*clone)(const char *device, abi_u32 target, struct abi_clone *out);
	int (*clone_hydrated)(const char *device, abi_u32 target, abi_u64 region);
	abi_u64 (*requests_in_flight)(void); /* of abi_kernel::submit */
	/* Calls emit(argument, "3 objects of slab dm_region") for everything that is not back at its baseline. */
	void (*leaks)(void (*emit)(void *argument, const char *what), void *argument);
	/* Memory pressure: asks every shrinker for up to `objects`; returns how many went. */
	abi_u64 (*shrink)(abi_u64 objects);

	/* Images built with --flavour coverage; others: places 0, cover null. Each place is an offset in the object, as
	 * addr2line takes it (an address just behind a call). cover() names the host's table of `places` bytes, in which
	 * a byte becomes 1 when the kernel's own code gets there. Called once after load, before the writable segment is
	 * saved, it holds for all lives. Any context. */
	abi_u64 places;
	void (*cover)(abi_u8 *table);
	/* What the host wants to be asked, for this life, after boot: preempt_point() where locks are taken, before atomic
	 * operations, and at either while an RCU read section is open; and ABI_CHOICE_ALLOC_FAILS where an allocation may
	 * fail. cond_resched() always asks. Without this call: at locks, and for allocations. Any context. */
	void (*configure)(int preempt_at_locks, int preempt_at_atomics, int preempt_in_rcu, int allocations_fail);
};

const struct abi_kernel *dmsim_kernel_image(void);

#ifdef __cplusplus
}
#endif

#endif

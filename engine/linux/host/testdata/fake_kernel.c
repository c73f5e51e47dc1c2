/* SPDX-License-Identifier: GPL-2.0-only
 *
 * A kernel image for tests of the host side: no kernel at all, but one of every question that an image may ask
 * of its host. A device has one target, "mirror DISK DISK" (writes go to both, reads to the first, and to the
 * second if that fails). Messages make it do what kernels do on a bad day; see message().
 */
#include "engine/linux/abi.h"

#define MOST 8
#define EIO 5
#define ENXIO 6
#define ENOMEM 12
#define EBUSY 16
#define EINVAL 22
#define EINTR 4

static const struct abi_host *host;
static int booted = 1; /* in .data: 1 after every load and every boot */

struct disk {
	char name[32];
	struct abi_disk_limits limits;
};
struct table {
	int used;
	abi_u64 sectors;
	abi_u32 disks[2];
};
struct device {
	char name[32];
	struct table live, inactive;
	int suspended, failed[2];
	abi_u32 events, in_flight;
	void *drainer, *event_waiter;
};
static struct disk disks[MOST];
static abi_u32 disk_count;
static struct device devices[MOST];
static abi_u64 claims, in_flight, kept;
static void *current_fiber;
static char current_comm[32];
static int worker_wanted;
static void *worker;
static char *stale;
static void *last_done;
static int fibers_ended;

static void copy(char *to, const char *from, abi_u32 size)
{
	abi_u32 i;

	for (i = 0; i + 1 < size && from[i]; i++)
		to[i] = from[i];
	to[i] = 0;
}

static int same(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

static struct device *device_of(const char *name)
{
	for (int i = 0; i < MOST; i++)
		if (devices[i].name[0] && same(devices[i].name, name))
			return &devices[i];
	return 0;
}

static void enter(void *fiber, const char *comm)
{
	current_fiber = fiber;
	copy(current_comm, fiber ? comm : "interrupt", sizeof(current_comm));
}

static void fiber_ended(void *fiber)
{
	(void)fiber;
	fibers_ended++;
}

static int park(const char *why, void *holder, int idle, int interruptible)
{
	void *me = current_fiber;
	int signalled = host->park(host->self, why, holder, idle, interruptible);

	current_fiber = me;
	return signalled;
}

/* A daemon that waits for work, and counts what it did. */
static void work(void *argument)
{
	for (;;) {
		while (!worker_wanted)
			park("work", 0, 1, 0);
		worker_wanted--;
		kept += *(int *)argument;
	}
}

static int seven = 7;

static void boot(const struct abi_host *given)
{
	host = given;
	booted++;
	worker = host->spawn(host->self, "kfaked", 1, work, &seven);
}

static void add_disk(abi_u32 number, const char *name, const struct abi_disk_limits *limits)
{
	copy(disks[number].name, name, sizeof(disks[number].name));
	disks[number].limits = *limits;
	disk_count = number + 1;
}

/* One request from above, and its parts below. */
struct request {
	struct device *device;
	struct abi_request above;
	int waiting, tried;
	enum abi_status worst;
	int ok;
};
struct part {
	struct request *request;
	int leg;
};

static void finish(struct request *r, enum abi_status status)
{
	void *cookie = r->above.cookie;
	struct device *d = r->device;

	host->free(host->self, r);
	last_done = cookie;
	in_flight--;
	claims++;
	if (--d->in_flight == 0 && d->drainer)
		host->unpark(host->self, d->drainer);
	host->done(host->self, cookie, status);
}

static void send(struct request *r, int leg)
{
	struct part *p = host->alloc(host->self, sizeof(*p), 8, 1);
	struct abi_request below = r->above;

	p->request = r;
	p->leg = leg;
	below.cookie = p;
	host->submit(host->self, r->device->live.disks[leg], &below);
}

static void disk_done(void *cookie, enum abi_status status)
{
	struct part *p = cookie;
	struct request *r = p->request;
	int leg = p->leg;

	host->free(host->self, p);
	if (status != ABI_OK) {
		r->worst = status;
		r->device->failed[leg] = 1;
		r->device->events++;
		host->device_event(host->self, r->device->name);
		if (r->device->event_waiter)
			host->unpark(host->self, r->device->event_waiter);
		if (r->above.op == ABI_READ && r->tried++ == 0) {
			send(r, 1 - leg);
			return;
		}
	} else {
		r->ok++;
	}
	if (--r->waiting == 0)
		finish(r, r->ok ? ABI_OK : r->worst);
}

static void submit(void *mapped, const struct abi_request *request)
{
	struct device *d = mapped;
	struct request *r = host->alloc(host->self, sizeof(*r), 8, 1);
	int both = request->op != ABI_READ;

	r->device = d;
	r->above = *request;
	d->in_flight++;
	in_flight++;
	claims++;
	if (!d->live.used) {
		finish(r, ABI_IOERR);
		return;
	}
	host->preempt_point(host->self);
	r->waiting = both ? 2 : 1;
	send(r, 0);
	if (both)
		send(r, 1);
}

static int create(const char *name)
{
	for (int i = 0; i < MOST; i++)
		if (!devices[i].name[0]) {
			copy(devices[i].name, name, sizeof(devices[i].name));
			devices[i].suspended = 1;
			return 0;
		}
	return -ENOMEM;
}

static const char *word(const char **at, char *out)
{
	int n = 0;

	while (**at == ' ')
		(*at)++;
	while (**at && **at != ' ' && **at != '\n' && n < 31)
		out[n++] = *(*at)++;
	out[n] = 0;
	return out;
}

static int load(const char *name, const char *text, struct abi_text reason)
{
	struct device *d = device_of(name);
	struct table t = { 1, 0, { 0, 0 } };
	char w[32];
	const char *c;

	word(&text, w);
	for (c = word(&text, w); *c; c++)
		t.sectors = t.sectors * 10 + (abi_u64)(*c - '0');
	if (!same(word(&text, w), "mirror")) {
		copy(reason.bytes, "unknown target type", reason.size);
		return -EINVAL;
	}
	for (int leg = 0; leg < 2; leg++) {
		abi_u32 i = 0;

		word(&text, w);
		while (i < disk_count && !same(disks[i].name, w))
			i++;
		if (i == disk_count) {
			copy(reason.bytes, "Device lookup failure", reason.size);
			return -ENXIO;
		}
		t.disks[leg] = i;
	}
	d->inactive = t;
	return 0;
}

static int suspend(const char *name, int noflush, int skip_lockfs)
{
	struct device *d = device_of(name);
	int error = noflush || skip_lockfs ? 0 : host->freeze(host->self, name);

	if (error)
		return error;
	while (d->in_flight) {
		int signalled;

		d->drainer = current_fiber;
		signalled = park("requests to end", 0, 0, 1);
		d->drainer = 0;
		if (signalled && host->signal_pending(host->self, current_fiber))
			return -EINTR;
	}
	d->suspended = 1;
	return 0;
}

static int resume(const char *name, struct abi_text reason)
{
	struct device *d = device_of(name);

	(void)reason;
	if (d->inactive.used) {
		d->live = d->inactive;
		d->inactive.used = 0;
		host->table_changed(host->self, name);
	}
	if (!d->live.used)
		return -EINVAL;
	d->suspended = 0;
	host->thaw(host->self, name);
	return 0;
}

static int remove_device(const char *name)
{
	struct device *d = device_of(name);

	if (!d)
		return -ENXIO;
	if (d->in_flight)
		return -EBUSY;
	d->live.used = d->inactive.used = 0;
	d->name[0] = 0;
	host->table_changed(host->self, name);
	return 0;
}

static void put(struct abi_text *to, const char *text)
{
	while (*text && to->size > 1)
		*to->bytes++ = *text++, to->size--;
	*to->bytes = 0;
}

static void put_number(struct abi_text *to, abi_u64 number)
{
	char digits[24];
	int at = 23;

	digits[at] = 0;
	do {
		digits[--at] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	put(to, digits + at);
}

static int status(const char *name, int inactive, int as_table, struct abi_text out)
{
	struct device *d = device_of(name);
	struct table *t;

	if (!d)
		return -ENXIO;
	t = inactive ? &d->inactive : &d->live;
	out.bytes[0] = 0;
	if (!t->used)
		return 0;
	put(&out, "0 ");
	put_number(&out, t->sectors);
	put(&out, " mirror");
	for (int leg = 0; leg < 2; leg++) {
		put(&out, " 7:");
		put_number(&out, t->disks[leg]);
	}
	if (!as_table) {
		put(&out, d->failed[0] ? " D" : " A");
		put(&out, d->failed[1] ? "D" : "A");
	}
	put(&out, "\n");
	return 0;
}

static void wake_later(void *argument, abi_u64 cookie)
{
	(void)cookie;
	host->unpark(host->self, argument);
}

static void bug_later(void *argument, abi_u64 cookie)
{
	(void)argument;
	host->trouble(host->self, ABI_BUG, "drivers/md/fake.c", (int)cookie, "an interrupt");
	kept = 666;
}

/* Says its number, its fiber's name and whether it was booted, for those who ask. */
static void describe(struct abi_text answer)
{
	put_number(&answer, kept);
	put(&answer, " ");
	put(&answer, current_comm);
	put(&answer, " ");
	put_number(&answer, (abi_u64)booted);
}

static int message(const char *name, abi_u64 sector, const char *text, struct abi_text answer)
{
	struct device *d = device_of(name);
	char *memory;

	(void)d;
	if (same(text, "count")) {
		kept += sector;
		describe(answer);
	} else if (same(text, "work")) {
		worker_wanted++;
		host->unpark(host->self, worker);
		host->unpark(host->self, worker);
		host->yield(host->self);
		describe(answer);
	} else if (same(text, "sleep")) {
		host->at(host->self, host->now_ns(host->self) + sector, wake_later, current_fiber, 0);
		park("a timer", 0, 0, 0);
		describe(answer);
	} else if (same(text, "wait")) {
		if (park("nothing at all", worker, 0, 1))
			return -EINTR;
	} else if (same(text, "hang")) {
		park("a lock that nobody gives back", worker, 0, 0);
	} else if (same(text, "log")) {
		host->log(host->self, 3, "device-mapper: fake: an error");
	} else if (same(text, "warn")) {
		host->trouble(host->self, ABI_WARN, "drivers/md/fake.c", 10, "warned");
		describe(answer);
	} else if (same(text, "bug")) {
		host->trouble(host->self, ABI_BUG, "drivers/md/fake.c", 11, "kaputt");
		kept = 666;
	} else if (same(text, "bug in an interrupt")) {
		host->at(host->self, host->now_ns(host->self) + 10, bug_later, 0, 12);
	} else if (same(text, "use after free")) {
		memory = host->alloc(host->self, sector, 8, 0);
		host->free(host->self, memory);
		memory[3] = 1;
		memory = host->alloc(host->self, sector, 8, 1);
		host->free(host->self, memory);
	} else if (same(text, "free twice")) {
		memory = host->alloc(host->self, sector, 8, 0);
		host->free(host->self, memory);
		host->free(host->self, memory);
	} else if (same(text, "overrun")) {
		memory = host->alloc(host->self, sector, 8, 0);
		memory[sector] = 1;
		host->free(host->self, memory);
	} else if (same(text, "end the last request again")) {
		host->done(host->self, last_done, ABI_OK);
	} else if (same(text, "leak")) {
		stale = host->alloc(host->self, sector, 64, 1);
		put_number(&answer, host->size_of(host->self, stale));
	} else if (same(text, "draw")) {
		put_number(&answer, host->draw(host->self, ABI_CHOICE_RANDOM, sector) +
					    host->draw(host->self, ABI_CHOICE_ALLOC_FAILS, sector));
	} else {
		return -EINVAL;
	}
	return 0;
}

static int wait_event(const char *name, abi_u32 seen, abi_u32 *number)
{
	struct device *d = device_of(name);

	while (d->events == seen) {
		int signalled;

		d->event_waiter = current_fiber;
		signalled = park("an event", 0, 0, 1);
		d->event_waiter = 0;
		if (signalled)
			return -EINTR;
	}
	*number = d->events;
	return 0;
}

static int event_number(const char *name, abi_u32 *number)
{
	*number = device_of(name)->events;
	return 0;
}

static int limits(const char *name, struct abi_disk_limits *out)
{
	struct device *d = device_of(name);

	if (!d)
		return -ENXIO;
	if (d->live.used)
		*out = disks[d->live.disks[0]].limits;
	out->sectors = d->live.sectors;
	return 0;
}

static void *find(const char *name)
{
	return device_of(name);
}

static int device_numbers(const char *name, abi_u32 *major, abi_u32 *minor)
{
	struct device *d = device_of(name);

	for (abi_u32 i = 0; i < disk_count; i++)
		if (same(disks[i].name, name)) {
			*major = 7;
			*minor = i;
			return 0;
		}
	if (!d)
		return -ENXIO;
	*major = 254;
	*minor = (abi_u32)(d - devices);
	return 0;
}

static abi_u32 target_count(const char *name)
{
	struct device *d = device_of(name);

	return d && d->live.used;
}

static const char *target_type(const char *name, abi_u32 target)
{
	(void)name, (void)target;
	return "mirror";
}

static int mirror(const char *name, abi_u32 target, struct abi_mirror *out)
{
	struct device *d = device_of(name);

	(void)target;
	if (!d || !d->live.used)
		return -ENXIO;
	out->begin = 0;
	out->sectors = d->live.sectors;
	out->region_sectors = 8;
	out->region_count = d->live.sectors / 8;
	out->leg_count = 2;
	out->log_device[0] = 0;
	for (int leg = 0; leg < 2; leg++) {
		copy(out->legs[leg].device, disks[d->live.disks[leg]].name, 128);
		out->legs[leg].offset = 0;
		out->legs[leg].failed = (abi_u32)d->failed[leg];
	}
	return 0;
}

static int mirror_region(const char *name, abi_u32 target, abi_u64 region, struct abi_mirror_region *out)
{
	struct device *d = device_of(name);

	(void)target, (void)region;
	out->in_sync = 1;
	out->clean = out->tracked = d->in_flight == 0;
	out->recovering = 0;
	out->pending = d->in_flight;
	return 0;
}

static abi_u64 none(const char *name, abi_u32 target)
{
	(void)name, (void)target;
	return 0;
}

static abi_u64 claim_generation(void)
{
	return claims;
}

static int clone_of(const char *name, abi_u32 target, struct abi_clone *out)
{
	(void)name, (void)target, (void)out;
	return -EINVAL;
}

static int clone_hydrated(const char *name, abi_u32 target, abi_u64 region)
{
	(void)name, (void)target, (void)region;
	return 0;
}

static abi_u64 requests_in_flight(void)
{
	return in_flight;
}

static void leaks(void (*emit)(void *argument, const char *what), void *argument)
{
	if (stale)
		emit(argument, "1 object of a test");
}

static abi_u64 shrink(abi_u64 objects)
{
	return objects / 2;
}

/* It takes no locks, and its allocations ask as they come. */
static void configure(int at_locks, int at_atomics, int in_rcu, int allocations_fail)
{
	(void)at_locks, (void)at_atomics, (void)in_rcu, (void)allocations_fail;
}

static const struct abi_kernel kernel = {
	ABI_VERSION, "0.0", "0.0.1", boot, enter, fiber_ended, add_disk, disk_done, create, load, suspend, resume,
	remove_device, status, message, wait_event, event_number, limits, find, submit, device_numbers,
	target_count, target_type, mirror, mirror_region, none, none, claim_generation, clone_of, clone_hydrated,
	requests_in_flight, leaks, shrink, 0, 0, configure,
};

const struct abi_kernel *dmsim_kernel_image(void)
{
	return &kernel;
}

// SPDX-License-Identifier: GPL-2.0-only
/*
 * The smallest host there can be: a kernel image on two or three disks in memory, without the simulator.
 *
 * usage: smoke_test IMAGE.so
 *
 * It promises little: that an image loads, boots, and can be driven through a whole life of a mirror, a
 * snapshot and a clone - made, written, read back, suspended, resumed, removed - and that nothing is left afterwards.
 * Fibers are ucontexts that run in the order in which they became runnable; requests take one microsecond;
 * chance is always zero; preemption points let the others run at every 7th. What it asserts, it checks by content.
 */
#include <assert.h>
#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "abi.h"

#define STACK_BYTES (256 * 1024)
#define DISKS 3
#define DISK_SECTORS 4096
#define FAIL(...) (fprintf(stderr, __VA_ARGS__), fprintf(stderr, "\n"), exit(1))
#define EXPECT(condition) \
	do { \
		if (!(condition)) \
			FAIL("%s:%d: expected %s", __FILE__, __LINE__, #condition); \
	} while (0)

static const struct abi_kernel *kernel;
static unsigned long long now_ns = 1;

/* --- fibers: runnable ones in a queue --- */

struct fiber {
	ucontext_t context;
	struct fiber *next;
	void (*function)(void *);
	void *argument;
	char name[32];
	int parked, ended, daemon;
};
static struct fiber *first, **last = &first, *running;
static ucontext_t loop;
static unsigned long preempt_points;

static void make_runnable(struct fiber *fiber)
{
	fiber->next = NULL;
	*last = fiber;
	last = &fiber->next;
}

static void run_fiber(void)
{
	struct fiber *self = running;

	kernel->enter(self, self->name);
	self->function(self->argument);
	kernel->fiber_ended(self);
	self->ended = 1;
	swapcontext(&self->context, &loop);
}

static void *spawn(void *unused, const char *name, int daemon, void (*function)(void *), void *argument)
{
	struct fiber *fiber = calloc(1, sizeof(*fiber));

	(void)unused;
	snprintf(fiber->name, sizeof(fiber->name), "%s", name);
	fiber->function = function;
	fiber->argument = argument;
	fiber->daemon = daemon;
	getcontext(&fiber->context);
	fiber->context.uc_stack.ss_sp = malloc(STACK_BYTES);
	fiber->context.uc_stack.ss_size = STACK_BYTES;
	makecontext(&fiber->context, run_fiber, 0);
	make_runnable(fiber);
	return fiber;
}

static void leave(void)
{
	struct fiber *self = running;

	swapcontext(&self->context, &loop);
}

static int park(void *unused, const char *why, void *holder, int idle, int interruptible)
{
	(void)unused, (void)why, (void)holder, (void)idle, (void)interruptible;
	EXPECT(running);
	running->parked = 1;
	leave();
	return 0;
}

static void unpark(void *unused, void *fiber)
{
	struct fiber *other = fiber;

	(void)unused;
	if (!other->parked)
		return;
	other->parked = 0;
	make_runnable(other);
}

static void yield(void *unused)
{
	(void)unused;
	make_runnable(running);
	leave();
}

static int preempt_point(void *unused)
{
	if (++preempt_points % 7 || !first)
		return 0;
	yield(unused);
	return 1;
}

static int signal_pending(void *unused, void *fiber)
{
	(void)unused, (void)fiber;
	return 0;
}

/* --- events: few at a time, so a list in order will do --- */

struct event {
	struct event *next;
	unsigned long long when;
	void (*function)(void *, abi_u64);
	void *argument;
	abi_u64 cookie;
};
static struct event *events;

static void at(void *unused, abi_u64 when, void (*function)(void *, abi_u64), void *argument, abi_u64 cookie)
{
	struct event *event = malloc(sizeof(*event)), **link = &events;

	(void)unused;
	while (*link && (*link)->when <= when)
		link = &(*link)->next;
	*event = (struct event){ *link, when, function, argument, cookie };
	*link = event;
}

static void run_event(void)
{
	struct event *event = events;

	events = event->next;
	if (event->when > now_ns)
		now_ns = event->when;
	kernel->enter(NULL, "interrupt");
	event->function(event->argument, event->cookie);
	free(event);
}

static void run_until(int *done)
{
	while (!*done) {
		if (first) {
			running = first;
			first = running->next;
			if (!first)
				last = &first;
			swapcontext(&loop, &running->context);
			if (running->ended) {
				free(running->context.uc_stack.ss_sp);
				free(running);
			}
			running = NULL;
		} else if (events) {
			run_event();
		} else {
			FAIL("nothing can run, and nothing will happen");
		}
	}
}

/* --- memory: a size before each block --- */

static void *allocate(void *unused, abi_u64 bytes, abi_u64 align, int zeroed)
{
	unsigned long long before = align < 64 ? 64 : align, *block;
	char *memory = NULL;

	(void)unused;
	if (posix_memalign((void **)&memory, before, before + bytes))
		abort();
	block = (unsigned long long *)(memory + before);
	block[-1] = bytes;
	((char **)block)[-2] = memory;
	memset(block, zeroed ? 0 : 0x6b, bytes);
	return block;
}

static void release(void *unused, const void *memory)
{
	(void)unused;
	if (memory)
		free(((char *const *)memory)[-2]);
}

static abi_u64 size_of(void *unused, const void *memory)
{
	(void)unused;
	return ((const unsigned long long *)memory)[-1];
}

static void *frame_bytes(void *unused, void *page)
{
	(void)unused, (void)page;
	FAIL("there are no frames here");
}

/* --- disks --- */

static unsigned char content[DISKS][DISK_SECTORS * 512];
static unsigned long writes[DISKS], flushes[DISKS];

static void request_ends(void *cookie, abi_u64 status) { kernel->disk_done(cookie, (enum abi_status)status); }

static void submit(void *unused, abi_u32 disk, const struct abi_request *request)
{
	unsigned char *bytes = content[disk] + request->sector * 512;
	abi_u32 i;

	(void)unused;
	EXPECT(disk < DISKS && request->sector + request->sectors <= DISK_SECTORS);
	flushes[disk] += request->op == ABI_FLUSH || request->preflush;
	writes[disk] += request->op == ABI_WRITE;
	for (i = 0; i < request->vec_count; i++) {
		void *vec = (char *)request->vecs[i].page + request->vecs[i].offset;

		if (request->op == ABI_WRITE)
			memcpy(bytes, vec, request->vecs[i].length);
		else
			memcpy(vec, bytes, request->vecs[i].length);
		bytes += request->vecs[i].length;
	}
	at(NULL, now_ns + 1000, request_ends, request->cookie, ABI_OK);
}

/* --- the rest of a host --- */

static abi_u64 now(void *unused) { return (void)unused, now_ns; }
static abi_u64 draw(void *unused, enum abi_choice choice, abi_u64 bound) { return (void)unused, (void)choice, (void)bound, 0; }
static void log_line(void *unused, int level, const char *line) { (void)unused, fprintf(stderr, "<%d> %s\n", level, line); }
static void trouble(void *unused, enum abi_trouble kind, const char *file, int line, const char *what)
{
	(void)unused;
	FAIL("trouble %d at %s:%d: %s", kind, file ? file : "?", line, what);
}
static int freeze(void *unused, const char *device) { return (void)unused, (void)device, 0; }
static void thaw(void *unused, const char *device) { (void)unused, (void)device; }

struct user { struct fiber *fiber; int ended; enum abi_status status; };
static void done(void *unused, void *cookie, enum abi_status status)
{
	struct user *user = cookie;

	user->status = status;
	user->ended = 1;
	unpark(unused, user->fiber);
}

static const struct abi_host host = {
	.alloc = allocate, .free = release, .size_of = size_of, .frame_bytes = frame_bytes, .now_ns = now, .at = at,
	.spawn = spawn, .park = park, .unpark = unpark, .yield = yield, .preempt_point = preempt_point,
	.signal_pending = signal_pending, .draw = draw, .submit = submit, .done = done, .log = log_line,
	.trouble = trouble, .freeze = freeze, .thaw = thaw, .device_event = thaw, .table_changed = thaw,
};

/* --- the test, in a fiber --- */

static void enter(void) { kernel->enter(running, running->name); }

static void io(const char *device, enum abi_op op, abi_u64 sector, void *buffer, abi_u32 sectors)
{
	struct user user = { running, 0, ABI_OK };
	struct abi_vec vec = { buffer, 0, sectors * 512 };
	struct abi_request request = { .op = op, .sector = sector, .sectors = sectors, .vecs = sectors ? &vec : NULL,
				       .vec_count = sectors ? 1 : 0, .cookie = &user };
	void *mapped;

	enter();
	mapped = kernel->find(device);
	EXPECT(mapped);
	kernel->submit(mapped, &request);
	while (!user.ended)
		park(NULL, "io", NULL, 0, 0);
	EXPECT(user.status == ABI_OK);
}

static void bring_up(const char *device, const char *table)
{
	char reason[256];
	int r;

	enter();
	EXPECT(kernel->create(device) == 0);
	r = kernel->load(device, table, (struct abi_text){ reason, sizeof(reason) });
	if (r)
		FAIL("%s: %s (%d)", table, reason, r);
	EXPECT(kernel->resume(device, (struct abi_text){ reason, sizeof(reason) }) == 0);
}

static void bring_down(const char *device)
{
	enter();
	EXPECT(kernel->remove(device) == 0);
}

static char *status(const char *device, int as_table)
{
	static char text[4096];

	enter();
	EXPECT(kernel->status(device, 0, as_table, (struct abi_text){ text, sizeof(text) }) == 0);
	return text;
}

static void *page_of(int byte)
{
	void *page = NULL;

	if (posix_memalign(&page, 4096, 4096))
		abort();
	memset(page, byte, 4096);
	return page;
}

static void write_and_read_back(const char *device, abi_u64 sector, int byte)
{
	unsigned char *out = page_of(byte), *in = page_of(0);

	io(device, ABI_WRITE, sector, out, 8);
	io(device, ABI_FLUSH, 0, NULL, 0);
	io(device, ABI_READ, sector, in, 8);
	EXPECT(!memcmp(in, out, 4096));
	free(out);
	free(in);
}

static void expect_nothing_left(void *unused, const char *what) { (void)unused, FAIL("left: %s", what); }

static void a_mirror_writes_both_legs_and_its_log(void)
{
	struct abi_mirror mirror;
	struct abi_mirror_region region;
	unsigned long flushed = flushes[2];

	bring_up("m", "0 1024 mirror disk 2 c 64 2 a 0 b 0 1 handle_errors");
	write_and_read_back("m", 8, 0x5a);
	EXPECT(content[0][8 * 512] == 0x5a && content[1][8 * 512] == 0x5a);
	EXPECT(writes[2] && flushes[2] > flushed);
	enter();
	EXPECT(kernel->mirror("m", 0, &mirror) == 0 && mirror.leg_count == 2 && mirror.region_count == 16);
	EXPECT(!strcmp(mirror.legs[1].device, "b") && !strcmp(mirror.log_device, "c"));
	while (!strstr(status("m", 0), "16/16"))
		write_and_read_back("m", 16, 0x11);
	EXPECT(kernel->mirror_region("m", 0, 3, &region) == 0 && region.in_sync);
	EXPECT(!memcmp(content[0], content[1], 1024 * 512));
	EXPECT(strstr(status("m", 1), "0 1024 mirror disk 2 8:2 64 2 8:0 0 8:1 0 1 handle_errors"));
	enter();
	EXPECT(kernel->suspend("m", 0, 0) == 0);
	EXPECT(kernel->resume("m", (struct abi_text){ NULL, 0 }) == 0);
	write_and_read_back("m", 80, 0x33);
	bring_down("m");
}

static void a_snapshot_keeps_what_its_origin_forgets(void)
{
	unsigned char *in = page_of(0), before;

	memset(content[2], 0, sizeof(content[2]));
	before = content[0][64 * 512];
	bring_up("real", "0 1024 linear a 0");
	bring_up("snap", "0 1024 snapshot real c P 16");
	bring_up("origin", "0 1024 snapshot-origin real");
	write_and_read_back("origin", 64, 0x77);
	io("snap", ABI_READ, 64, in, 8);
	EXPECT(in[0] == before && content[0][64 * 512] == 0x77);
	write_and_read_back("snap", 128, 0x78);
	bring_down("origin");
	bring_down("snap");
	bring_down("real");
	free(in);
}

static void a_clone_copies_its_source(void)
{
	unsigned char *in = page_of(0);
	struct abi_clone clone;

	memset(content[2], 0, sizeof(content[2]));
	memset(content[1], 0x99, sizeof(content[1]));
	bring_up("k", "0 1024 clone c a b 8 1 no_hydration");
	io("k", ABI_READ, 256, in, 8);
	EXPECT(in[0] == 0x99);
	write_and_read_back("k", 300, 0x44);
	enter();
	EXPECT(kernel->message("k", 0, "enable_hydration", (struct abi_text){ NULL, 0 }) == 0);
	do {
		write_and_read_back("k", 308, 0x45);
		EXPECT(kernel->clone("k", 0, &clone) == 0);
	} while (clone.hydrates || clone.hydrating);
	EXPECT(kernel->clone_hydrated("k", 0, 127) == 1);
	EXPECT(content[0][1000 * 512] == 0x99 && content[0][300 * 512] == 0x44);
	bring_down("k");
	free(in);
}

static int test_ended;

static void test(void *unused)
{
	struct abi_text none = { NULL, 0 };

	(void)unused;
	a_mirror_writes_both_legs_and_its_log();
	a_snapshot_keeps_what_its_origin_forgets();
	a_clone_copies_its_source();
	enter();
	EXPECT(kernel->create("bad") == 0);
	EXPECT(kernel->load("bad", "0 8 mirror core 1 x 2 a 0 b 0", none) < 0);
	EXPECT(kernel->resume("bad", none) == 0); /* it is not suspended, so there is nothing to do */
	EXPECT(kernel->remove("bad") == 0);
	EXPECT(kernel->remove("bad") < 0);
	EXPECT(kernel->requests_in_flight() == 0);
	kernel->leaks(expect_nothing_left, NULL);
	test_ended = 1;
}

int main(int count, char **arguments)
{
	const struct abi_disk_limits limits = { DISK_SECTORS, 512, 256, 1, 1, 1, 0 };
	const struct abi_kernel *(*image)(void);
	unsigned char *reached = NULL;
	unsigned long i, places = 0;
	void *object;

	if (count != 2)
		FAIL("usage: smoke_test IMAGE.so");
	object = dlopen(arguments[1], RTLD_NOW | RTLD_LOCAL);
	if (!object)
		FAIL("%s", dlerror());
	*(void **)&image = dlsym(object, "dmsim_kernel_image");
	EXPECT(image);
	kernel = image();
	EXPECT(kernel->version == ABI_VERSION);
	memset(content[0], 1, sizeof(content[0]));
	memset(content[1], 2, sizeof(content[1]));
	if (kernel->cover) {
		reached = calloc(kernel->places, 1);
		kernel->cover(reached);
	}
	kernel->boot(&host);
	kernel->enter(NULL, "interrupt");
	kernel->add_disk(0, "a", &limits);
	kernel->add_disk(1, "b", &limits);
	kernel->add_disk(2, "c", &limits);
	spawn(NULL, "test", 0, test, NULL);
	run_until(&test_ended);
	for (i = 0; kernel->cover && i < kernel->places; i++)
		places += reached[i];
	EXPECT(!kernel->cover || places > 1000);
	printf("%s: %lu preemption points, %llu us, %lu places reached\n", kernel->release, preempt_points, now_ns / 1000,
	       places);
	return 0;
}

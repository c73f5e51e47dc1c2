// SPDX-License-Identifier: GPL-2.0-only
/*
 * A mapped device as a block device for the simulator. A request of it is a bio that nobody accounts for: its memory is
 * the image's own.
 */
#include "parts.h"

/* A request of abi_kernel::submit, as a bio. */
struct user_request {
	void *cookie;
	struct user_request *next; /* of those that are free */
	struct bio bio;
	struct bio_vec vecs[16];
};

static struct user_request *free_requests;
static u64 requests_under_way;

void *control_find(const char *name) { return control_mapping(name); }

static struct user_request *new_request(unsigned int vecs)
{
	struct user_request *request;
	size_t bytes = offsetof(struct user_request, vecs) + vecs * sizeof(struct bio_vec);

	if (vecs > ARRAY_SIZE(request->vecs))
		return shim_host->alloc(shim_host->self, bytes, 16, 0);
	request = free_requests;
	if (request)
		free_requests = request->next;
	else
		request = shim_host->alloc(shim_host->self, sizeof(*request), 16, 0);
	return request;
}

static void end_of_request(struct bio *bio)
{
	struct user_request *request = bio->bi_private;
	enum abi_status status = shim_status_to_abi(bio->bi_status);
	void *cookie = request->cookie;
	struct task_struct *self = current;

	if (!cookie)
		shim_trouble(ABI_DOUBLE_COMPLETION, NULL, 0, "a request to %s ends twice",
			     bio->bi_bdev->bd_disk->disk_name);
	requests_under_way--;
	request->cookie = NULL;
	if (bio->bi_max_vecs > ARRAY_SIZE(request->vecs)) {
		shim_host->free(shim_host->self, request);
	} else {
		request->next = free_requests;
		free_requests = request;
	}
	shim_host->done(shim_host->self, cookie, status);
	current = self;
}

static blk_opf_t flags_of(const struct abi_request *asked)
{
	static const blk_opf_t ops[] = {
		[ABI_READ] = REQ_OP_READ,
		[ABI_WRITE] = REQ_OP_WRITE,
		[ABI_FLUSH] = REQ_OP_WRITE | REQ_PREFLUSH,
		[ABI_DISCARD] = REQ_OP_DISCARD,
		[ABI_WRITE_ZEROES] = REQ_OP_WRITE_ZEROES,
	};

	return ops[asked->op] | (asked->fua ? REQ_FUA : 0) | (asked->preflush ? REQ_PREFLUSH : 0);
}

void control_submit(void *mapped, const struct abi_request *asked)
{
	struct mapping *mapping = mapped;
	struct user_request *request = new_request(asked->vec_count);
	struct bio *bio = &request->bio;
	unsigned int i;

	request->cookie = asked->cookie;
	bio_init(bio, dm_disk(mapping->md)->part0, request->vecs, asked->vec_count, flags_of(asked));
	for (i = 0; i < asked->vec_count; i++)
		bvec_set_page(&request->vecs[i], asked->vecs[i].page, asked->vecs[i].length, asked->vecs[i].offset);
	bio->bi_vcnt = asked->vec_count;
	bio->bi_iter.bi_sector = asked->sector;
	bio->bi_iter.bi_size = asked->sectors << SECTOR_SHIFT;
	bio->bi_end_io = end_of_request;
	bio->bi_private = request;
	shim_set_cause(bio, asked->trace_id, asked->issuer);
	requests_under_way++;
	submit_bio(bio);
}

abi_u64 control_requests_in_flight(void) { return requests_under_way; }

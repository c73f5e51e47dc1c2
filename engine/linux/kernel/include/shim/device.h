/* SPDX-License-Identifier: GPL-2.0-only
 *
 * Devices in the sense of sysfs and udev, and the neighbours of the block layer that are switched off here:
 * integrity, inline encryption, DAX, persistent reservations, zones, IMA. What is switched off is answered as
 * a kernel without it would.
 */
#ifndef SHIM_DEVICE_H
#define SHIM_DEVICE_H

struct kobject { int unused; };
struct device { struct kobject kobj; };
enum kobject_action { KOBJ_ADD, KOBJ_REMOVE, KOBJ_CHANGE, KOBJ_MOVE, KOBJ_ONLINE, KOBJ_OFFLINE };
#define kobject_uevent(object, action) 0
#define kobject_uevent_env(object, action, environment) ((void)(environment), 0) /* nobody listens */
struct attribute { const char *name; umode_t mode; };
struct percpu_counter { s64 count; };

struct inode;
struct super_block;
struct file { struct block_device *device; void *private_data; };
struct kiocb;
struct iov_iter;
struct seq_file;
struct gendisk;
struct request;
struct request_queue;
struct request { struct request_queue *q; };
struct blk_mq_tag_set { int unused; };
#define UIO_MAXIOV 1024
#define is_sync_kiocb(k) 1
#define iov_iter_is_bvec(i) 0
#define iov_iter_npages(i, most) 0

struct blk_crypto_profile;
struct blk_crypto_key;
#define bio_has_crypt_ctx(bio) false
struct blk_integrity { int unused; };
#define blk_get_integrity(disk) ((struct blk_integrity *)NULL)
#define bdev_get_integrity(device) ((struct blk_integrity *)NULL)
#define blk_integrity_compare(a, b) 0
#define blk_integrity_register(disk, profile) ((void)(disk))
#define blk_integrity_unregister(disk) ((void)(disk))
#define blk_integrity_is_initialized(disk) false

struct dax_device;
enum dax_access_mode { DAX_ACCESS, DAX_RECOVERY_WRITE };
struct dax_operations {
	long (*direct_access)(struct dax_device *, pgoff_t, long, enum dax_access_mode, void **, pfn_t *);
	int (*zero_page_range)(struct dax_device *, pgoff_t, size_t);
	size_t (*recovery_write)(struct dax_device *, pgoff_t, void *, size_t, struct iov_iter *);
};
#define alloc_dax(data, operations) ((struct dax_device *)ERR_PTR(-EOPNOTSUPP))
#define kill_dax(dax) ((void)(dax))
#define put_dax(dax) ((void)(dax))
#define dax_add_host(dax, disk) 0
#define dax_remove_host(disk) ((void)(disk))
#define set_dax_nocache(dax) ((void)(dax))
#define set_dax_nomc(dax) ((void)(dax))
#define set_dax_synchronous(dax) ((void)(dax))
#define dax_get_private(dax) NULL
#define dax_write_cache_enabled(dax) false
#define dax_write_cache(dax, on) ((void)(dax))
#define dax_synchronous(dax) false
#define dax_read_lock() 0
#define dax_read_unlock(id) ((void)(id))
#define fs_dax_get_by_bdev(device, start, holder, operations) ((struct dax_device *)NULL)

enum pr_type { PR_WRITE_EXCLUSIVE = 1 };
struct pr_keys;
struct pr_held_reservation;
struct pr_ops {
	int (*pr_register)(struct block_device *, u64, u64, u32);
	int (*pr_reserve)(struct block_device *, u64, enum pr_type, u32);
	int (*pr_release)(struct block_device *, u64, enum pr_type);
	int (*pr_preempt)(struct block_device *, u64, u64, enum pr_type, bool);
	int (*pr_clear)(struct block_device *, u64);
	int (*pr_read_keys)(struct block_device *, struct pr_keys *);
	int (*pr_read_reservation)(struct block_device *, struct pr_held_reservation *);
};

#endif

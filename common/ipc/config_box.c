#include "common/ipc/config_box.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "common/base/cleanup.h"

#define BOX_BYTES (sizeof(struct config_box) + 2 * CONFIG_HALF_BYTES)

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

static enum rc map_box(int fd, int protection, void **ret, struct err *err)
{
    void *p = mmap(NULL, BOX_BYTES, protection, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED) {
        (void)err_sys(err, errno, "cannot map the configuration");
        return RC_SYS; /* a constant: gcc then sees that *ret is set on success */
    }
    *ret = p;
    return RC_OK;
}

/* Without its pages, a write to the mapping would be SIGBUS when memory is full; so they are asked
 * for first, where that is an error like any other. */
static enum rc reserve(int fd, size_t offset, size_t len, struct err *err)
{
    int n;
    do
        n = fallocate(fd, 0, (off_t)offset, (off_t)len);
    while (n != 0 && errno == EINTR);
    return n == 0 ? RC_OK : err_sys(err, errno, "no memory for a configuration of %zu bytes", len);
}

enum rc config_box_new(int *ret_fd, struct config_box **ret, struct err *err)
{
    CLEANUP_FD int fd = memfd_create("stint-config", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    void *p = NULL;
    if (fd < 0 || ftruncate(fd, (off_t)BOX_BYTES) != 0)
        return err_sys(err, errno, "cannot make the memory file of the configuration");
    enum rc rc = reserve(fd, 0, sizeof(struct config_box), err);
    if (rc == RC_OK)
        rc = map_box(fd, PROT_READ | PROT_WRITE, &p, err);
    if (rc != RC_OK)
        return rc;
    /* After the mapping: it stays the only one that may write. */
    if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) !=
        0) {
        int errnum = errno;
        (void)munmap(p, BOX_BYTES);
        return err_sys(err, errnum, "cannot seal the memory file of the configuration");
    }
    struct config_box *box = p;
    box->magic = CONFIG_BOX_MAGIC;
    box->version = CONFIG_BOX_VERSION;
    box->half_bytes = CONFIG_HALF_BYTES;
    *ret_fd = TAKE_FD(fd);
    *ret = box;
    return RC_OK;
}

/* −1: no half holds it. */
static int find_half(const struct config_box *box, uint64_t generation)
{
    for (int i = 0; i < 2; i++) {
        if (generation != 0 && atomic_load(&box->halves[i].generation) == generation)
            return i;
    }
    return -1;
}

static size_t start_of(int half)
{
    return (size_t)half * CONFIG_HALF_BYTES;
}

enum rc config_box_propose(struct config_box *box, int fd, const struct config_stamp *stamp,
    const struct buf *packed, struct err *err)
{
    int at = find_half(box, atomic_load(&box->accepted)) == 0 ? 1 : 0;
    struct config_half *half = &box->halves[at];
    if (packed->len > CONFIG_HALF_BYTES)
        return err_set(err, RC_LIMIT,
            "the configuration has %zu bytes in all; a pool takes at most %zu: move what is data "
            "into files of its own",
            packed->len, CONFIG_HALF_BYTES);
    enum rc rc = reserve(fd, sizeof(*box) + start_of(at), packed->len, err);
    if (rc != RC_OK)
        return rc;
    atomic_store(&half->generation, 0); /* first: who copies the old text notices */
    atomic_thread_fence(memory_order_seq_cst);
    memcpy(box->bytes + start_of(at), packed->data, packed->len);
    atomic_store(&half->len, packed->len);
    atomic_store(&half->spec_generation, stamp->spec_generation);
    atomic_store(&half->generation, stamp->generation);
    return RC_OK;
}

void config_box_accept(struct config_box *box, uint64_t generation)
{
    atomic_store(&box->accepted, generation);
}

enum rc config_box_map(int fd, const struct config_box **ret, struct err *err)
{
    struct stat st;
    void *p = NULL;
    if (fstat(fd, &st) != 0)
        return err_sys(err, errno, "descriptor %d is not the configuration", fd);
    if (st.st_size != (off_t)BOX_BYTES)
        return err_set(err, RC_PROTO, "descriptor %d is not the configuration", fd);
    enum rc rc = map_box(fd, PROT_READ, &p, err);
    if (rc != RC_OK)
        return rc;
    const struct config_box *box = p;
    if (box->magic != CONFIG_BOX_MAGIC || box->version != CONFIG_BOX_VERSION ||
        box->half_bytes != CONFIG_HALF_BYTES) {
        (void)munmap(p, BOX_BYTES);
        return err_set(err, RC_PROTO, "the configuration is not of this version of stint");
    }
    *ret = box;
    return RC_OK;
}

void config_box_unmap(const struct config_box *box)
{
    union {
        const void *seen;
        void *mapped;
    } p = {.seen = box};
    if (box)
        (void)munmap(p.mapped, BOX_BYTES);
}

/* False: overwritten meanwhile. */
static bool copy_half(
    const struct config_box *box, uint64_t generation, struct buf *to, struct config_stamp *stamp)
{
    int at = find_half(box, generation);
    if (at < 0)
        return false;
    const struct config_half *half = &box->halves[at];
    uint64_t len = atomic_load(&half->len);
    *stamp = (struct config_stamp){generation, atomic_load(&half->spec_generation)};
    buf_reset(to);
    if (len > CONFIG_HALF_BYTES)
        return false;
    buf_add(to, box->bytes + start_of(at), len);
    atomic_thread_fence(memory_order_seq_cst);
    return atomic_load(&half->generation) == generation;
}

enum rc config_box_read(const struct config_box *box, uint64_t generation, struct buf *ret,
    struct config_stamp *ret_stamp, struct err *err)
{
    struct config_stamp stamp;
    for (;;) {
        uint64_t wanted = generation != 0 ? generation : config_box_accepted(box);
        if (copy_half(box, wanted, ret, &stamp)) {
            *ret_stamp = stamp;
            return RC_OK;
        }
        /* The one in force is overwritten only after another has taken its place. */
        if (generation != 0 || config_box_accepted(box) == wanted)
            return err_set(err, RC_NOTFOUND, "configuration %llu is not there any more",
                (unsigned long long)wanted);
    }
}

uint64_t config_box_accepted(const struct config_box *box)
{
    return atomic_load(&box->accepted);
}

size_t config_box_piece(
    const struct config_box *box, uint64_t generation, size_t offset, char *out, size_t max)
{
    int at = find_half(box, generation);
    size_t len = at < 0 ? 0 : atomic_load(&box->halves[at].len);
    size_t left = offset < len ? len - offset : 0;
    size_t n = left < max ? left : max;
    if (n > 0)
        memcpy(out, box->bytes + start_of(at) + offset, n);
    return n;
}

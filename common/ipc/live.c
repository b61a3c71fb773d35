#include "common/ipc/live.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "common/base/cleanup.h"
#include "common/base/sys.h"

static size_t live_size(uint32_t slots_len)
{
    return sizeof(struct live_mem) + slots_len * LIVE_RING_BYTES;
}

enum rc live_new(uint32_t slots_len, int *ret_fd, struct err *err)
{
    const struct live_mem head = {
        .magic = LIVE_MAGIC, .version = LIVE_VERSION, .slots_len = slots_len};
    CLEANUP_FD int fd = -1;
    if (slots_len == 0 || slots_len > LIVE_SLOTS_MAX)
        return err_set(err, RC_BUG, "live output: %u slots", slots_len);
    enum rc rc = sys_memfd("stint-live", NULL, live_size(slots_len), false, &fd, err);
    if (rc == RC_OK && sys_write_all(fd, &head, offsetof(struct live_mem, word)) != RC_OK)
        rc = err_set(err, RC_SYS, "no memory for the output of handlers");
    if (rc == RC_OK)
        *ret_fd = TAKE_FD(fd);
    return rc;
}

enum rc live_map(int fd, bool is_writer, struct live_mem **ret, struct err *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || st.st_size < (off_t)sizeof(struct live_mem))
        return err_set(err, RC_PROTO, "descriptor %d is not the output of handlers", fd);
    int rights = is_writer ? PROT_READ | PROT_WRITE : PROT_READ;
    struct live_mem *live = mmap(NULL, (size_t)st.st_size, rights, MAP_SHARED, fd, 0);
    if (live == MAP_FAILED) {
        int errnum = errno;
        return err_sys(err, errnum, "cannot map the output of handlers");
    }
    if (live->magic != LIVE_MAGIC || live->version != LIVE_VERSION ||
        live->slots_len > LIVE_SLOTS_MAX || live_size(live->slots_len) != (size_t)st.st_size) {
        (void)munmap(live, (size_t)st.st_size);
        return err_set(err, RC_PROTO, "the output of handlers is not of this version of stint");
    }
    *ret = live;
    return RC_OK;
}

void live_unmap(struct live_mem *live)
{
    if (live != NULL && live->slots_len <= LIVE_SLOTS_MAX)
        (void)munmap(live, live_size(live->slots_len));
}

void live_begin(struct live_mem *live, uint32_t slot)
{
    struct live_head *head = &live->heads[slot];
    atomic_store(&head->begun, atomic_load(&head->ended));
}

void live_write(struct live_mem *live, uint32_t slot, const char *data, size_t len)
{
    struct live_head *head = &live->heads[slot];
    char *ring = live->rings + slot * LIVE_RING_BYTES;
    uint64_t at = atomic_load(&head->ended);
    size_t place = at % LIVE_RING_BYTES, first = LIVE_RING_BYTES - place;
    if (len == 0 || len > LIVE_RING_BYTES)
        return;
    first = first < len ? first : len;
    atomic_store(&head->begun, at + len); /* before the bytes: pairs with the reader's last look */
    atomic_thread_fence(memory_order_seq_cst);
    memcpy(ring + place, data, first);
    memcpy(ring, data + first, len - first);
    atomic_store(&head->ended, at + len);
    atomic_fetch_add(&live->word, 1);
    sys_futex_wake(&live->word, INT_MAX);
}

static void copy_out(const char *ring, uint64_t from, uint64_t to, struct buf *out)
{
    size_t place = from % LIVE_RING_BYTES, len = (size_t)(to - from);
    size_t first = LIVE_RING_BYTES - place < len ? LIVE_RING_BYTES - place : len;
    buf_add(out, ring + place, first);
    buf_add(out, ring, len - first);
}

/* The writer may have lapped us while we copied: what it may have touched goes, and with it what is
 * left of the line there. */
uint64_t live_read(const struct live_mem *live, uint32_t slot, uint64_t *at, struct buf *out)
{
    const struct live_head *head = &live->heads[slot];
    CLEANUP(buf_fini) struct buf copy = BUF_INIT;
    uint64_t to = atomic_load(&head->ended), from = *at;
    if (to <= from)
        return 0;
    if (to - from > LIVE_RING_BYTES)
        from = to - LIVE_RING_BYTES;
    copy_out(live->rings + slot * LIVE_RING_BYTES, from, to, &copy);
    atomic_thread_fence(memory_order_seq_cst);
    uint64_t begun = atomic_load(&head->begun), safe = from;
    if (begun > LIVE_RING_BYTES && begun - LIVE_RING_BYTES > safe)
        safe = begun - LIVE_RING_BYTES < to ? begun - LIVE_RING_BYTES : to;
    if (safe > *at) {
        const char *start = copy.data + (safe - from);
        const char *line = memchr(start, '\n', (size_t)(to - safe));
        safe = line == NULL ? to : safe + (uint64_t)(line - start) + 1;
    }
    uint64_t lost = safe - *at;
    buf_add(out, copy.data + (safe - from), (size_t)(to - safe));
    *at = to;
    return lost;
}

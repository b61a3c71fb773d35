#include "common/ipc/pool_mem.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/sys.h"

#define STAND_ASIDE_MS 20

static size_t pool_mem_size(uint32_t slots_len)
{
    return sizeof(struct pool_mem) + slots_len * sizeof(struct slot);
}

/* The kernel's boot id: memory that outlived a boot (a container's snapshot) is refused. */
static enum rc read_boot_id(char out[static 40], struct err *err)
{
    CLEANUP(buf_fini) struct buf text = BUF_INIT;
    enum rc rc = sys_read_file("/proc/sys/kernel/random/boot_id", 64, &text, err);

    if (rc != RC_OK)
        return rc;
    (void)snprintf(out, 40, "%.*s", (int)strcspn(buf_str(&text), "\n"), buf_str(&text));
    return RC_OK;
}

static enum rc map_fd(int fd, size_t size, struct pool_mem **ret, struct err *err)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);

    if (p == MAP_FAILED) {
        (void)err_sys(err, errno, "cannot map the pool memory");
        return RC_SYS; /* a constant: gcc then sees that *ret is set on success */
    }
    *ret = p;
    return RC_OK;
}

enum rc pool_mem_new(
    uint32_t slots_len, const char *pool_id, int *ret_fd, struct pool_mem **ret, struct err *err)
{
    CLEANUP_FD int fd = -1;
    struct pool_mem *mem = NULL;
    char boot_id[40];
    size_t size = pool_mem_size(slots_len);
    enum rc rc;

    if (slots_len == 0 || slots_len > POOL_SLOTS_MAX || strlen(pool_id) >= sizeof mem->pool_id)
        return err_set(err, RC_BUG, "pool memory: %u slots, pool id \"%s\"", slots_len, pool_id);
    rc = read_boot_id(boot_id, err);
    if (rc == RC_OK)
        rc = sys_memfd("stint-pool", NULL, size, false, &fd, err);
    if (rc == RC_OK)
        rc = map_fd(fd, size, &mem, err);
    if (rc != RC_OK)
        return rc;
    memset(mem, 0, size); /* touches every page: no child can fail on one later */
    mem->magic = POOL_MEM_MAGIC;
    mem->version = POOL_MEM_VERSION;
    mem->slots_len = slots_len;
    mem->size = size;
    memcpy(mem->boot_id, boot_id, sizeof boot_id);
    memcpy(mem->pool_id, pool_id, strlen(pool_id) + 1);
    *ret_fd = TAKE_FD(fd);
    *ret = mem;
    return RC_OK;
}

static enum rc check_mem(const struct pool_mem *mem, size_t size, struct err *err)
{
    char boot_id[40];
    enum rc rc = read_boot_id(boot_id, err);

    if (rc != RC_OK)
        return rc;
    if (mem->magic != POOL_MEM_MAGIC || mem->version != POOL_MEM_VERSION)
        return err_set(err, RC_PROTO, "the pool memory is not of this version of stint");
    if (mem->size != size || mem->slots_len > POOL_SLOTS_MAX ||
        pool_mem_size(mem->slots_len) != size)
        return err_set(err, RC_PROTO, "the pool memory has a wrong size (%zu bytes)", size);
    if (strncmp(mem->boot_id, boot_id, sizeof boot_id) != 0)
        return err_set(err, RC_PROTO, "the pool memory is of another boot");
    if (memchr(mem->pool_id, '\0', sizeof mem->pool_id) == NULL)
        return err_set(err, RC_PROTO, "the pool memory has no pool id");
    return RC_OK;
}

enum rc pool_mem_map(int fd, struct pool_mem **ret, struct err *err)
{
    struct pool_mem *mem = NULL;
    struct stat st;
    enum rc rc;

    if (fstat(fd, &st) != 0)
        return err_sys(err, errno, "descriptor %d is not the pool memory", fd);
    if (st.st_size < (off_t)sizeof *mem)
        return err_set(err, RC_PROTO, "descriptor %d is not the pool memory", fd);
    rc = map_fd(fd, (size_t)st.st_size, &mem, err);
    if (rc != RC_OK)
        return rc;
    rc = check_mem(mem, (size_t)st.st_size, err);
    if (rc != RC_OK) {
        (void)munmap(mem, (size_t)st.st_size);
        return rc;
    }
    *ret = mem;
    return RC_OK;
}

void pool_mem_unmap(struct pool_mem *mem)
{
    /* Not mem->size: that word lies in shared memory. */
    if (mem != NULL && mem->slots_len <= POOL_SLOTS_MAX)
        (void)munmap(mem, pool_mem_size(mem->slots_len));
}

static bool came_before(const struct slot *a, const struct slot *b)
{
    int64_t since_a = atomic_load(&a->sleeps_mono_ns), since_b = atomic_load(&b->sleeps_mono_ns);
    return since_a < since_b || (since_a == since_b && a < b);
}

int pool_sleepers(struct pool_mem *mem, size_t place, const struct slot *before)
{
    int n = 0;
    for (uint32_t i = 0; i < mem->slots_len && i < POOL_SLOTS_MAX; i++) {
        const struct slot *s = &mem->slots[i];
        bool is_there = (atomic_load(&s->sleeps_at) >> place & 1) != 0;
        if (is_there && s != before && atomic_load(&s->life) != 0 &&
            (before == NULL || came_before(s, before)))
            n++;
    }
    return n;
}

uint32_t pool_lives(struct pool_mem *mem)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < mem->slots_len && i < POOL_SLOTS_MAX; i++)
        n += atomic_load(&mem->slots[i].life) != 0;
    return n;
}

static bool has_room(struct pool_mem *mem)
{
    for (uint32_t i = 0; i < mem->slots_len && i < POOL_SLOTS_MAX; i++) {
        struct slot *s = &mem->slots[i];
        if (atomic_load(&s->has_room) != 0 && atomic_load(&s->life) != 0)
            return true;
    }
    return false;
}

bool pool_wake(struct pool_mem *mem, int n)
{
    atomic_fetch_add(&mem->wake, 1); /* before has_room is read: pairs with who sets it */
    if (n <= 0)
        return false;
    return sys_futex_wake(&mem->wake, n) < n && has_room(mem);
}

void pool_want_lock(struct pool_mem *mem, bool is_wanted)
{
    uint32_t before = atomic_exchange(&mem->lock_wanted, is_wanted ? 1 : 0);
    if (before != 0 && !is_wanted)
        (void)sys_futex_wake(&mem->lock_wanted, INT_MAX);
}

void pool_stand_aside(struct pool_mem *mem)
{
    int64_t until = 0;
    while (atomic_load(&mem->lock_wanted) != 0) {
        int64_t now = clock_mono_ns();
        if (until == 0)
            until = now + STAND_ASIDE_MS * NS_PER_MS;
        if (now >= until)
            return;
        sys_futex_wait(&mem->lock_wanted, 1, until);
    }
}

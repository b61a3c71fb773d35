/* Counts lines and words of a file, block by block: C, as exec, without any library. */
#include "count.h"

/* Ours was written without blanks, and stint keeps it so. A general handler takes a JSON library.
 */
static const char *find_checkpoint(const char *request)
{
    const char *member = strstr(request, "\"checkpoint\":{");
    return member ? member + strlen("\"checkpoint\":") : NULL;
}

int main(void)
{
    static char request[1 << 20];
    struct count c;
    char checkpoint[200];
    FILE *say = fdopen(3, "w"), *f = fopen(getenv("STINT_ITEM"), "r");
    if (!say)
        return 78; /* not started by stint */
    if (!f) {
        fprintf(say, "{\"type\":\"fail\",\"why\":\"cannot read the file\"}\n");
        return 0;
    }
    request[fread(request, 1, sizeof(request) - 1, stdin)] = '\0';
    count_read(&c, find_checkpoint(request));
    long long started_at = c.offset;
    fseek(f, (long)c.offset, SEEK_SET);
    while (count_block(&c, f, count_block_size())) {
        count_write(&c, checkpoint, sizeof(checkpoint));
        fprintf(say, "{\"type\":\"progress\",\"done\":%lld,\"total\":%lld}\n", c.offset,
            count_total(f));
        fprintf(say, "{\"type\":\"checkpoint\",\"data\":%s}\n", checkpoint);
        fflush(say);
    }
    fprintf(say,
        "{\"type\":\"done\",\"result\":{\"lines\":%lld,\"words\":%lld,\"started_at\":%lld}}\n",
        c.lines, c.words, started_at);
    return 0;
}

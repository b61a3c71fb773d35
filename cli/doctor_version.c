/* The half of doctor.h about versions of SQLite. Pure. */
#include <stdio.h>

#include "cli/doctor.h"

bool sqlite_is_fixed(const char *version)
{
    static const struct {
        int last[3]; /* the last version that has it */
        int first[3];
    } bug = {{3, 51, 2}, {3, 7, 0}};
    int v[3] = {0};
    if (sscanf(version, "%d.%d.%d", &v[0], &v[1], &v[2]) < 2)
        return false;
    for (int i = 0; i < 3; i++)
        if (v[i] != bug.last[i]) {
            if (v[i] > bug.last[i])
                return true;
            break;
        }
    return v[0] < bug.first[0] || (v[0] == bug.first[0] && v[1] < bug.first[1]);
}

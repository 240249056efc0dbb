#ifndef BASE_BANNED_H
#define BASE_BANNED_H

/*
 * Force-included before every file of ours.  Each name has a better one:
 * bounded, reentrant, or checked.  Using one is a compile error.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* clang has macros of the same names, with _FORTIFY_SOURCE */
#undef sprintf
#undef vsprintf

#define sprintf(...)   banned_sprintf_use_snprintf
#define vsprintf(...)  banned_vsprintf_use_vsnprintf
#define strcpy(...)    banned_strcpy_use_memcpy
#define strcat(...)    banned_strcat_use_buf
#define strncpy(...)   banned_strncpy_use_memcpy
#define strncat(...)   banned_strncat_use_buf
#define strtok(...)    banned_strtok
#define atoi(...)      banned_atoi_use_strtoimax
#define atol(...)      banned_atol_use_strtoimax
#define gmtime(...)    banned_gmtime_use_gmtime_r
#define localtime(...) banned_localtime_use_localtime_r
#define ctime(...)     banned_ctime_use_clock_rfc3339
#define rand(...)      banned_rand_use_getrandom
#define random(...)    banned_random_use_getrandom
#define system(...)    banned_system_use_posix_spawn
#define popen(...)     banned_popen_use_posix_spawn

#endif

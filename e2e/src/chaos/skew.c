/* The wall clock of one program, wrong by CLOCK_SKEW_SECS seconds; its other clocks stay right. Preloaded, it stands before
   the C library. The kernel is asked directly, so that no initialisation has to come first. */

#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static time_t skew(void) {
    static int known = 0;
    static time_t seconds = 0;
    if (!known) {
        const char *text = getenv("CLOCK_SKEW_SECS");
        seconds = text == NULL ? 0 : atol(text);
        known = 1;
    }
    return seconds;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int result = (int)syscall(SYS_clock_gettime, clock, now);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += skew();
    return result;
}

int gettimeofday(struct timeval *now, void *zone) {
    struct timespec exact;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &exact) != 0) return -1;
    now->tv_sec = exact.tv_sec;
    now->tv_usec = exact.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *out) {
    struct timespec exact;
    if (clock_gettime(CLOCK_REALTIME, &exact) != 0) return (time_t)-1;
    if (out != NULL) *out = exact.tv_sec;
    return exact.tv_sec;
}

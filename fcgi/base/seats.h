#ifndef BASE_SEATS_H
#define BASE_SEATS_H

/*
 * Seats that processes share, so that of something that may take long only so many do it at
 * once.  Nobody waits for one.  A seat is a lock on a byte of a file that has no name: the system
 * takes it back from a process that ends, however it ends.
 */

/* A descriptor, for the processes that are forked after this; -1 with errno set. */
int seats_new(void);

/* One of the first n seats; a process can have one at a time.  -1: they are all taken. */
int seats_take(int seats, int n);
void seats_leave(int seats, int seat);

#endif

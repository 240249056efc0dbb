#ifndef API_OUTBOUND_H
#define API_OUTBOUND_H

/*
 * Who asks another system waits for as long as that takes, and anybody can make us ask.  So at most
 * half of the workers do it at once, and the others are there for everybody else; who comes
 * when those are busy is told at once to come again.  Of a pool of one worker it is that one.
 */

#include "api/app.h"

/* To be ended, whatever comes of it.  -1: too many do it already. */
int outbound_begin(const struct worker_app *);
void outbound_end(const struct worker_app *, int seat);

/* err is 503, as whoever has got no seat is told.  -1. */
int outbound_refuse(struct err *);

#endif

/* clock: a time that stands still until it is moved, in place of base/clock.c. It is one for the whole process. */
#ifndef BRAZE_FAKE_CLOCK_H
#define BRAZE_FAKE_CLOCK_H

/* Moves both clocks by so many seconds. May be called on any thread. */
void braze_fake_clock_move(double seconds);

#endif

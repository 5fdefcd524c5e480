/* chance: numbers that no other process draws. */
#ifndef BRAZE_CHANCE_H
#define BRAZE_CHANCE_H

#include <stdint.h>

/* A number from 1 to 2^63 - 1, from the system's own source of random numbers where it has one. */
int64_t braze_chance_number(void);

#endif

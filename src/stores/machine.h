/* machine: what processes of one machine know of each other. */
#ifndef BRAZE_MACHINE_H
#define BRAZE_MACHINE_H

#include <stdbool.h>
#include <stddef.h>

/* Names this process so that no later one has the same name: its number, when it began, and the boot. */
void braze_machine_name_owner(char *text, size_t size);

/* Whether the process of that name lives. */
bool braze_machine_is_alive(const char *owner);

/* The boot of this machine: another text after each. */
const char *braze_machine_boot(void);

/* Seconds since the boot, and UTC epoch seconds. */
double braze_machine_uptime(void);
double braze_machine_epoch(void);

/* Whether the file, or the folder where it would be made, is on a network file system. */
bool braze_machine_is_remote(const char *path);

#endif

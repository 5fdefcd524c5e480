/* version: of braze itself. */
#ifndef BRAZE_VERSION_H
#define BRAZE_VERSION_H

#define BRAZE_VERSION "0.1.0"

#endif

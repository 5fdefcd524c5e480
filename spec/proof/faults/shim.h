/* shim: what the preloaded library (shim.c) and the host that steers it (fault_points.c) agree on. */
#ifndef BRAZE_PROOF_SHIM_H
#define BRAZE_PROOF_SHIM_H

enum shim_function {
  SHIM_SOCKET,
  SHIM_SOCKETPAIR, /* libcurl's wake-up */
  SHIM_CONNECT,
  SHIM_SEND,
  SHIM_SEND_WAKE,     /* one byte: libcurl's wake-up of a thread that polls */
  SHIM_SEND_RESOLVED, /* one byte: libcurl's thread that looked a name up has ended */
  SHIM_RECV,
  SHIM_POLL,
  SHIM_GETADDRINFO,
  SHIM_OPEN, /* open, fopen, opendir: the trust store */
  SHIM_EVENTFD,
  SHIM_PTHREAD_CREATE,
  SHIM_CLOCK_GETTIME,
  SHIM_FCNTL,
  SHIM_READ,
  SHIM_WRITE,
  SHIM_FUNCTIONS
};

/* What the library asks at each call while it is switched on: 0, or the errno to fail with. */
typedef int (*shim_decide)(int function);

#define SHIM_SWITCH "braze_proof_shim_switch"
typedef void (*shim_switch)(shim_decide decide);

/* How many requests have begun to leave in plain text since the last braze_proof_shim_switch with a function. */
#define SHIM_POSTS "braze_proof_shim_posts"
typedef long (*shim_posts)(void);

/* How many times so far standard input was to be closed (it is not: what is opened next would get its number), and how often
   a descriptor that was not open. */
enum shim_close { SHIM_CLOSE_INPUT, SHIM_CLOSE_AGAIN, SHIM_CLOSES };
#define SHIM_CLOSED "braze_proof_shim_closed"
typedef long (*shim_closed)(int kind);

#endif

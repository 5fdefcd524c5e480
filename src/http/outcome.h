/* outcome: the result of an attempt, and in the end of a call. */
#ifndef BRAZE_OUTCOME_H
#define BRAZE_OUTCOME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

/* Every kind of error. braze_kind_name returns the names. */
enum braze_kind {
  BRAZE_USAGE,
  BRAZE_NETWORK,
  BRAZE_TLS,
  BRAZE_TIMEOUT,
  BRAZE_RATE_LIMITED,
  BRAZE_AUTH,
  BRAZE_REJECTED,
  BRAZE_SERVER,
  BRAZE_PROTOCOL,
  BRAZE_CANCELLED,
  BRAZE_BUSY, /* this one and the next are made by braze.error alone */
  BRAZE_LEDGER,
  BRAZE_KIND_COUNT
};

const char *braze_kind_name(enum braze_kind kind);

/* The value of a number below that is not known. */
#define BRAZE_ABSENT (-1)

struct braze_rate_limit {
  int64_t limit;
  int64_t remaining;
  int64_t reset; /* UTC epoch seconds */
};

/* An error beside those of errno.h, of what makes an engine: libcurl could not be initialised. */
#define BRAZE_ERROR_LIBCURL (-1)

#define BRAZE_BODY_LIMIT (1024u * 1024u)
#define BRAZE_LINK_LIMIT 4096u
#define BRAZE_HEADER_LIMIT (64u * 1024u)
#define BRAZE_RECEIVE_LIMIT (7u * 1024u * 1024u)  /* for what is around the body of an answer */
#define BRAZE_RECEIVE_LIMIT_BEFORE (256u * 1024u) /* before the request is sent: certificates, a proxy's answer to CONNECT */

/* Why we made libcurl end a transfer. */
enum braze_stop {
  BRAZE_STOP_NONE,
  BRAZE_STOP_BODY_TOO_LONG,
  BRAZE_STOP_HEADERS_TOO_LONG,
  BRAZE_STOP_TOO_MUCH_RECEIVED,
  BRAZE_STOP_SECOND_SEND,
  BRAZE_STOP_STALE_CONNECTION, /* nothing was sent: the kept connection had ended, or bytes were waiting on it */
  BRAZE_STOP_CANCELLED,
  BRAZE_STOP_NO_MEMORY,
  BRAZE_STOP_LATE
};

/* What was missing before a connection could be made. */
enum braze_lack { BRAZE_LACK_NOTHING, BRAZE_LACK_STORE, BRAZE_LACK_NAME, BRAZE_LACK_LOOKS, BRAZE_LACK_THREAD };

struct braze_outcome {
  bool answered; /* a complete 2xx arrived, whose JSON is not looked at here; kind has no meaning then */
  enum braze_kind kind;
  int status; /* of the final response; 0: there was none */
  struct braze_rate_limit rate_limit;
  double retry_after; /* UTC epoch seconds by this machine's clock, from the header Retry-After; negative: absent */
  bool retry_after_unread; /* the header is no time, or two of them differ: retry_after is the earliest time that it can mean */
  double clock_ahead; /* seconds that this machine's clock is ahead of the service's, by the header Date; 0 without one, and in a success */
  char request_id[128];
  char location[128]; /* of a redirect, cut */
  struct braze_buffer link; /* the header Link, which may name the next page */
  char coding[32]; /* of the body, from the header Content-Encoding, cut; "": none, which is what we ask for */
  struct braze_buffer body;
  bool has_safe_body;            /* then an answer that is no success is shown by safe_body, in which parts of secrets are masked as well */
  struct braze_buffer safe_body;
  int curl_code; /* 0: libcurl did not fail */
  char curl_message[256];
  int proxy_status; /* of the answer to CONNECT; 0: there was none */
  enum braze_stop stop;
  enum braze_lack lack; /* network, timeout */
  bool no_descriptor;   /* network, tls: no descriptor was free */
  bool trust_failed;    /* tls: the certificate is not trusted, as opposed to a handshake that failed */
  bool bad_store;       /* tls: the certificates to trust can't be read */
  bool no_proxy;        /* network: the proxy could not be reached */
  bool connecting;      /* timeout: there was no connection yet */
  bool crowded;         /* timeout: it waited for its turn, as all connections were in use */
  bool request_sent;    /* libcurl was about to send the request, or has sent it */
  bool used_before;     /* it was sent on a connection that another request had used before */
  bool reads;           /* the request changes nothing, so it can have had no effect */
  bool maybe_applied;  /* the service may have done what was asked, in this attempt or an earlier one */
  bool applied_before; /* the same for earlier attempts alone */
  int attempts;        /* requests that were sent, in the whole call */
  double elapsed;      /* seconds, of the whole call */
};

void braze_outcome_init(struct braze_outcome *outcome);
void braze_outcome_free(struct braze_outcome *outcome);

/* Clears the result of an attempt before the next one. What counts for the whole call stays. */
void braze_outcome_clear(struct braze_outcome *outcome);

/* Sets kind and maybe_applied by the status of a final response: 300 or more, or one that is no HTTP status at all. */
void braze_outcome_classify_status(struct braze_outcome *outcome);

/* A complete 2xx does not contain what a success does: makes it a protocol error, and the service may have done what was asked. */
void braze_outcome_reject_answer(struct braze_outcome *outcome);

/* Ends an attempt without a response: sets kind, and maybe_applied if the request was sent. */
void braze_outcome_fail(struct braze_outcome *outcome, enum braze_kind kind);

/* When the service may be asked again, by this machine's clock: what Retry-After says, else the reset of a 429. Negative: it did not
   say. */
double braze_outcome_told_time(const struct braze_outcome *outcome);

/* The same, and negative as well where it is a time that the service can't mean: long past, or more than a year ahead. `epoch` is the time
   now. */
double braze_outcome_retry_at(const struct braze_outcome *outcome, double epoch);

/* When the rate limit is reset, by this machine's clock. Negative: the service did not say, or can't mean it. */
double braze_outcome_reset_at(const struct braze_outcome *outcome, double epoch);

#endif

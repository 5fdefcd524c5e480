/* outcome: what came of an attempt, and in the end of a call, as plain C. */
#ifndef BRAZE_OUTCOME_H
#define BRAZE_OUTCOME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"

/* The closed list of kinds; braze_kind_name gives the words. */
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
  BRAZE_BUSY,   /* no call ends with these two yet; braze.error makes them */
  BRAZE_LEDGER,
  BRAZE_KIND_COUNT
};

const char *braze_kind_name(enum braze_kind kind);

/* What a value that is not there looks like in the fields below. */
#define BRAZE_ABSENT (-1)

struct braze_rate_limit {
  int64_t limit;
  int64_t remaining;
  int64_t reset; /* UTC epoch seconds */
};

#define BRAZE_BODY_LIMIT (1024u * 1024u)
#define BRAZE_LINK_LIMIT 4096u
#define BRAZE_HEADER_LIMIT (64u * 1024u)
#define BRAZE_RECEIVE_LIMIT (7u * 1024u * 1024u)  /* what is around the body of an answer */
#define BRAZE_RECEIVE_LIMIT_BEFORE (256u * 1024u) /* before the request leaves: certificates, a proxy's answer to CONNECT */

/* Why a transfer that libcurl ended was ended by us. */
enum braze_stop {
  BRAZE_STOP_NONE,
  BRAZE_STOP_BODY_TOO_LONG,
  BRAZE_STOP_HEADERS_TOO_LONG,
  BRAZE_STOP_TOO_MUCH_RECEIVED,
  BRAZE_STOP_SECOND_SEND,
  BRAZE_STOP_STALE_CONNECTION, /* nothing left: the connection that was kept had ended, or had bytes on it */
  BRAZE_STOP_CANCELLED,
  BRAZE_STOP_NO_MEMORY,
  BRAZE_STOP_LATE
};

/* What an attempt lacked before there could be a connection. */
enum braze_lack { BRAZE_LACK_NOTHING, BRAZE_LACK_STORE, BRAZE_LACK_NAME, BRAZE_LACK_LOOKS, BRAZE_LACK_THREAD };

struct braze_outcome {
  bool answered; /* a whole 2xx arrived: what it says is for the reader of the JSON to judge; kind means nothing then */
  enum braze_kind kind;
  int status; /* of the final response, 0 = none */
  struct braze_rate_limit rate_limit;
  double retry_after; /* UTC epoch seconds by this machine's clock, from the header Retry-After; negative = absent */
  bool retry_after_unread; /* there was one that is no time, or two that differ: retry_after is the least that was asked for */
  double clock_ahead; /* seconds that this machine's clock is ahead of the service's, by the header Date; 0 without one */
  char request_id[128];
  char location[128]; /* of a redirect, cut */
  struct braze_buffer link; /* the header Link, which may name the next page */
  char coding[32]; /* of the body, by the header Content-Encoding, cut; "" = none. We ask for none */
  struct braze_buffer body;
  bool has_safe_body;            /* an answer that is no success is shown by this one: parts of secrets are masked, too */
  struct braze_buffer safe_body;
  int curl_code; /* 0 where libcurl did not fail */
  char curl_message[256];
  int proxy_status; /* of the answer to CONNECT, 0 = none */
  enum braze_stop stop;
  enum braze_lack lack; /* network, timeout: the certificates or the name did not come */
  bool no_descriptor; /* network, tls: the process has all that it may have */
  bool trust_failed;   /* tls: the certificate is not trusted, as opposed to a handshake that broke */
  bool bad_store;      /* tls: the certificates to trust can't be read */
  bool no_proxy;       /* network: it was the proxy that could not be reached */
  bool connecting;     /* timeout: before the connection was there */
  bool left;           /* libcurl was about to send the request itself */
  bool used_before;    /* it left on a connection on which another one had left before */
  bool reads;          /* the request changes nothing, so nothing can have been applied */
  bool maybe_applied;  /* the service may have done what was asked, in this attempt or an earlier one */
  bool applied_before; /* in an earlier one */
  int attempts;        /* requests that began to leave, in the whole call */
  double elapsed;      /* seconds, of the whole call */
};

void braze_outcome_init(struct braze_outcome *outcome);
void braze_outcome_free(struct braze_outcome *outcome);

/* Forgets what an attempt left behind, before the next one; keeps what is counted over the whole call. */
void braze_outcome_clear(struct braze_outcome *outcome);

/* Sets kind and maybe_applied by the status of a final response of 300 or more, or of one that is no HTTP status at all. */
void braze_outcome_judge_status(struct braze_outcome *outcome);

/* The whole 2xx did not say what a success says: a protocol error, and the service may well have done its work. */
void braze_outcome_reject_answer(struct braze_outcome *outcome);

/* Ends an attempt without a response: kind, and maybe_applied where the request had left. */
void braze_outcome_fail(struct braze_outcome *outcome, enum braze_kind kind);

#endif

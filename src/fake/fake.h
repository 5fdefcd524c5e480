/* fake: how answers that a function makes up come to calls in place of the network. */
#ifndef BRAZE_FAKE_H
#define BRAZE_FAKE_H

#include "client.h"

/* Makes up what one request of a call ends in, with one of the functions below. False: the request was not expected. */
typedef bool (*braze_fake_exchange)(struct braze_client *client, struct braze_call *call, int tries);

/* Sets who makes up the answers of the client's calls. */
void braze_fake_set_exchange(struct braze_client *client, braze_fake_exchange exchange);

/* The request was answered: by a status, header lines that end in \n each, and a body. False: no memory. */
bool braze_fake_answer(struct braze_client *client, struct braze_call *call, int status, const char *lines, const char *body,
                       size_t length);

/* The request failed without an answer: network, tls, timeout or cancelled, `sent` before or after it had left. */
void braze_fake_fail(struct braze_call *call, enum braze_kind kind, bool sent);

/* The request was not expected: what braze_client_call and braze_client_start return then. Nothing was sent. */
#define BRAZE_FAKE_UNEXPECTED (-3)

/* Ends the n-th of the calls that are under way, from 1 and in the order in which they were started. False: there are not as many. */
bool braze_fake_finish(struct braze_client *client, int n);

/* Moves the time, and ends the client's calls whose deadline has passed meanwhile. */
void braze_fake_advance(struct braze_client *client, double seconds);

#endif

/* failure: see failure.h. */
#include "http/failure.h"

#include <string.h>

#include "base/text.h"

enum braze_kind braze_failure_kind(CURLcode code, const struct braze_outcome *outcome) {
  if (outcome->stop == BRAZE_STOP_BODY_TOO_LONG || outcome->stop == BRAZE_STOP_HEADERS_TOO_LONG) return BRAZE_PROTOCOL;
  if (outcome->stop == BRAZE_STOP_TOO_MUCH_RECEIVED) return outcome->request_sent ? BRAZE_PROTOCOL : BRAZE_NETWORK;
  if (outcome->stop == BRAZE_STOP_LATE) return BRAZE_TIMEOUT;
  if (outcome->stop == BRAZE_STOP_CANCELLED) return BRAZE_CANCELLED;
  switch (code) {
  case CURLE_OPERATION_TIMEDOUT: return BRAZE_TIMEOUT;
  case CURLE_SSL_CONNECT_ERROR:
  case CURLE_PEER_FAILED_VERIFICATION:
  case CURLE_SSL_CERTPROBLEM:
  case CURLE_SSL_CIPHER:
  case CURLE_SSL_CACERT_BADFILE:
  case CURLE_SSL_CRL_BADFILE:
  case CURLE_SSL_ISSUER_ERROR:
  case CURLE_SSL_ENGINE_NOTFOUND:
  case CURLE_SSL_ENGINE_SETFAILED:
  case CURLE_SSL_ENGINE_INITFAILED:
  case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
  case CURLE_SSL_INVALIDCERTSTATUS:
  case CURLE_USE_SSL_FAILED: return BRAZE_TLS;
  case CURLE_UNSUPPORTED_PROTOCOL: /* what arrived is not HTTP/1.x */
  case CURLE_WEIRD_SERVER_REPLY:
  case CURLE_BAD_FUNCTION_ARGUMENT: /* libcurl's store of headers says so of a line that is none */
  case CURLE_BAD_CONTENT_ENCODING: return outcome->request_sent ? BRAZE_PROTOCOL : BRAZE_NETWORK;
  case CURLE_SEND_ERROR:
  case CURLE_RECV_ERROR:
    /* With TLS 1.3 a server refuses a client only after the client has sent its request. */
    return outcome->request_sent && strstr(outcome->curl_message, "alert") ? BRAZE_TLS : BRAZE_NETWORK;
  default: return BRAZE_NETWORK;
  }
}

/* Whether the proxy could not be reached. Only libcurl knows which hosts in no_proxy it reaches without the proxy: its text names the host
   that it could not reach. */
static bool is_proxy_missing(const struct braze_settings *settings, CURLcode code, const struct braze_outcome *outcome) {
  const char *proxy = settings->proxy, *name;
  char host[256];
  size_t length;
  if (!proxy || outcome->request_sent || outcome->proxy_status > 0) return false;
  if (code == CURLE_COULDNT_RESOLVE_PROXY || strstr(outcome->curl_message, "CONNECT")) return true;
  name = strstr(proxy, "://");
  name = name ? name + 3 : proxy;
  if (*name == '[')
    length = strcspn(++name, "]");
  else
    length = strcspn(name, ":/");
  if (code != CURLE_COULDNT_CONNECT || length == 0 || length >= sizeof host) return false;
  memcpy(host, name, length);
  host[length] = '\0';
  return strstr(outcome->curl_message, host) != NULL;
}

void braze_failure_keep(const struct braze_settings *settings, CURLcode code, const char *error, struct braze_outcome *outcome) {
  outcome->curl_code = (int)code;
  braze_text_print(outcome->curl_message, sizeof outcome->curl_message, "%s", error[0] ? error : curl_easy_strerror(code));
  outcome->curl_message[strcspn(outcome->curl_message, "\r\n")] = '\0';
  outcome->bad_store = code == CURLE_SSL_CACERT_BADFILE;
  outcome->no_proxy = is_proxy_missing(settings, code, outcome);
  outcome->trust_failed = braze_failure_kind(code, outcome) == BRAZE_TLS && code != CURLE_SSL_CONNECT_ERROR;
}

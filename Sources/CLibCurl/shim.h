// Its checks of types are for a call with a constant option.
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>

// curl_easy_setopt and curl_easy_getinfo are variadic, which Swift cannot call.
static inline CURLcode heartbeat_curl_set_number(CURL *handle, CURLoption option, long value) {
  return curl_easy_setopt(handle, option, value);
}
static inline CURLcode heartbeat_curl_set_pointer(CURL *handle, CURLoption option, const void *value) {
  return curl_easy_setopt(handle, option, value);
}
// Constants of a type in older versions, macros in newer ones: two kinds of things for Swift.
static inline CURLcode heartbeat_curl_set_tls(CURL *handle, _Bool isNeeded) {
  return curl_easy_setopt(handle, CURLOPT_USE_SSL, (long)(isNeeded ? CURLUSESSL_ALL : CURLUSESSL_NONE));
}
// For what is received as for what is sent.
static inline CURLcode heartbeat_curl_set_transfer(CURL *handle, CURLoption option, curl_write_callback value) {
  return curl_easy_setopt(handle, option, value);
}
static inline CURLcode heartbeat_curl_set_progress(CURL *handle, curl_xferinfo_callback value) {
  return curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, value);
}
static inline long heartbeat_curl_status(CURL *handle) {
  long status = 0;
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
  return status;
}

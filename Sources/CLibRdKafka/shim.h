#include <malloc.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

// rd_kafka_producev is variadic, which Swift cannot call.
// The headers are taken over by librdkafka only when it returns no error.
static inline rd_kafka_resp_err_t heartbeat_produce_with_headers(
    rd_kafka_t *client, rd_kafka_topic_t *topic, const void *key, size_t key_size, const void *value,
    size_t value_size, rd_kafka_headers_t *headers, void *opaque) {
  return rd_kafka_producev(
      client, RD_KAFKA_V_RKT(topic), RD_KAFKA_V_KEY(key, key_size), RD_KAFKA_V_VALUE((void *)value, value_size),
      RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_OPAQUE(opaque), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
}

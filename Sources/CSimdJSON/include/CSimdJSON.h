// A C face of simdjson's DOM parser, for the few fields that a heart-rate message has.

#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum : uint8_t {
    CSimdJSONAbsent,
    CSimdJSONNull,
    CSimdJSONBool,
    CSimdJSONInteger,   // fits in int64_t
    CSimdJSONDouble,    // has a fraction or an exponent, or is beyond int64_t
    CSimdJSONString,
    CSimdJSONArray,
    CSimdJSONObject,
} CSimdJSONKind;

// Which of the members holds the value depends on `kind`; the others are left unset.
typedef struct {
    const char *text;   // String: UTF-8 without escapes, not ended by NUL, owned by the parser until its next parse
    size_t length;      // String: in bytes
    int64_t integer;    // Integer
    double number;      // Double; Bool: 0 or 1
    CSimdJSONKind kind;
} CSimdJSONValue;

typedef struct {
    CSimdJSONValue customer_id, timestamp, heart_rate, unit, schema_version, activity;
    CSimdJSONKind root; // the fields are only set when this is Object
} CSimdJSONMessage;

// What was wrong with a document, as far as simdjson tells: the same document may be given different
// causes on different processors ("they may vary under runtime dispatch", simdjson.h).
typedef enum : uint8_t {
    CSimdJSONValid,
    CSimdJSONStructure,
    CSimdJSONDepth,
    CSimdJSONBadString,
    CSimdJSONBadLiteral,
    CSimdJSONBadNumber,
    CSimdJSONNotUTF8,
    CSimdJSONEmpty,
    CSimdJSONOutOfMemory,
} CSimdJSONOutcome;

typedef struct CSimdJSONParser CSimdJSONParser;

// NULL when there is no memory. One parser serves one thread at a time.
CSimdJSONParser *csimdjson_create(void);
void csimdjson_destroy(CSimdJSONParser *parser);

// Checks the whole document. Of a key that is there twice the last value counts, as in JavaScript, Python and jsonb.
CSimdJSONOutcome csimdjson_parse(CSimdJSONParser *parser, const void *bytes, size_t length);

// What the last parse found, when its outcome was Valid. Always the same address, owned by the parser.
const CSimdJSONMessage *csimdjson_message(const CSimdJSONParser *parser);

#ifdef __cplusplus
}
#endif

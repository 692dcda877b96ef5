#define SIMDJSON_EXCEPTIONS 0
#include <simdjson.h>

#include <cstring>
#include <new>
#include <string_view>

#include "CSimdJSON.h"

namespace dom = simdjson::dom;

struct CSimdJSONParser {
    dom::parser parser;
    // simdjson reads up to SIMDJSON_PADDING bytes past the end, which a Kafka message cannot offer: hence the copy.
    char *padded = nullptr;
    size_t capacity = 0;
    CSimdJSONMessage message = {};

    bool reserve(size_t length) {
        if (length <= capacity) return true;
        size_t rounded = 1024;
        while (rounded < length) rounded *= 2;
        char *larger = new (std::nothrow) char[rounded + simdjson::SIMDJSON_PADDING]();
        // The document inside `parser` grows by itself when a longer one is parsed; doing it here, rounded up,
        // keeps slowly growing messages from allocating each time.
        if (!larger || parser.allocate(rounded) || parser.doc.allocate(rounded)) {
            delete[] larger;
            return false;
        }
        delete[] padded;
        padded = larger;
        capacity = rounded;
        return true;
    }
};

static void report(dom::element element, CSimdJSONValue &value) {
    switch (element.type()) {
    case dom::element_type::STRING: {
        std::string_view text = element.get_string().value_unsafe();
        value.kind = CSimdJSONString;
        value.text = text.data();
        value.length = text.size();
        break;
    }
    case dom::element_type::INT64:
        value.kind = CSimdJSONInteger;
        value.integer = element.get_int64().value_unsafe();
        break;
    case dom::element_type::UINT64:
    case dom::element_type::DOUBLE:
        value.kind = CSimdJSONDouble;
        value.number = element.get_double().value_unsafe();
        break;
    case dom::element_type::BOOL:
        value.kind = CSimdJSONBool;
        value.number = element.get_bool().value_unsafe();
        break;
    case dom::element_type::NULL_VALUE: value.kind = CSimdJSONNull; break;
    case dom::element_type::ARRAY: value.kind = CSimdJSONArray; break;
    case dom::element_type::OBJECT: value.kind = CSimdJSONObject; break;
    }
}

// With the length known to the compiler this is a few instructions, where == calls memcmp.
template <size_t size>
static bool is(std::string_view key, const char (&name)[size]) {
    return key.size() == size - 1 && std::memcmp(key.data(), name, size - 1) == 0;
}

static CSimdJSONOutcome outcome(simdjson::error_code error) {
    switch (error) {
    case simdjson::SUCCESS: return CSimdJSONValid;
    case simdjson::CAPACITY:
    case simdjson::MEMALLOC: return CSimdJSONOutOfMemory;
    case simdjson::DEPTH_ERROR: return CSimdJSONDepth;
    case simdjson::STRING_ERROR:
    case simdjson::UNESCAPED_CHARS:
    case simdjson::UNCLOSED_STRING: return CSimdJSONBadString;
    case simdjson::T_ATOM_ERROR:
    case simdjson::F_ATOM_ERROR:
    case simdjson::N_ATOM_ERROR: return CSimdJSONBadLiteral;
    case simdjson::NUMBER_ERROR: return CSimdJSONBadNumber;
    case simdjson::UTF8_ERROR: return CSimdJSONNotUTF8;
    case simdjson::EMPTY: return CSimdJSONEmpty;
    default: return CSimdJSONStructure;
    }
}

extern "C" CSimdJSONParser *csimdjson_create(void) { return new (std::nothrow) CSimdJSONParser; }

extern "C" void csimdjson_destroy(CSimdJSONParser *parser) {
    delete[] parser->padded;
    delete parser;
}

extern "C" const CSimdJSONMessage *csimdjson_message(const CSimdJSONParser *parser) { return &parser->message; }

extern "C" CSimdJSONOutcome csimdjson_parse(CSimdJSONParser *parser, const void *bytes, size_t length) {
    if (length == 0) return CSimdJSONEmpty;
    if (!parser->reserve(length)) return CSimdJSONOutOfMemory;
    std::memcpy(parser->padded, bytes, length);

    dom::element root;
    if (auto error = parser->parser.parse(parser->padded, length, false).get(root)) return outcome(error);
    CSimdJSONValue top;
    report(root, top);
    CSimdJSONMessage &message = parser->message;
    message.root = top.kind;
    if (top.kind != CSimdJSONObject) return CSimdJSONValid;

    message.customer_id.kind = message.timestamp.kind = message.heart_rate.kind = CSimdJSONAbsent;
    message.unit.kind = message.schema_version.kind = message.activity.kind = CSimdJSONAbsent;
    // A variable of its own: value_unsafe() refers into a temporary, which a range-based for would outlive.
    dom::object object = root.get_object().value_unsafe();
    for (auto field : object) {
        if (is(field.key, "customer_id")) report(field.value, message.customer_id);
        else if (is(field.key, "timestamp")) report(field.value, message.timestamp);
        else if (is(field.key, "heart_rate")) report(field.value, message.heart_rate);
        else if (is(field.key, "unit")) report(field.value, message.unit);
        else if (is(field.key, "schema_version")) report(field.value, message.schema_version);
        else if (is(field.key, "activity")) report(field.value, message.activity);
    }
    return CSimdJSONValid;
}

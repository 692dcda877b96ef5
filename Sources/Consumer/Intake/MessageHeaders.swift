import FoundationEssentials
import Kafka

/// A message's headers as JSON, `[["name", "base64"], ["name", null]]`: in their order, and the values are bytes.
func json(_ headers: [KafkaMessage.Header]) -> String {
    let pairs = headers.map { [$0.name, $0.value.map { Data($0).base64EncodedString() }] }
    // Strings and nil can always be encoded.
    let data = (try? JSONEncoder().encode(pairs)) ?? Data("[]".utf8)
    return String(decoding: data, as: UTF8.self)
}

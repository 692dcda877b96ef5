/// A text on one line, without anything that could hide a part of it: control characters, line and paragraph separators
/// and invisible formatting such as changes of direction become `\n`, `\t` or `\u{1b}`.
///
/// - Parameter limit: the most characters that are taken; `…` stands for the rest.
public func escapingControls(_ text: String, limit: Int = .max) -> String {
    // Nearly all texts are short and printable ASCII.
    if text.utf8.count <= limit, text.utf8.allSatisfy({ (32...126).contains($0) }) { return text }
    var escaped = ""
    for (position, scalar) in text.unicodeScalars.enumerated() {
        if position == limit { return escaped + "…" }
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator:
            escaped += scalar == "\n" ? "\\n" : scalar == "\t" ? "\\t" : "\\u{\(String(scalar.value, radix: 16))}"
        default: escaped.unicodeScalars.append(scalar)
        }
    }
    return escaped
}

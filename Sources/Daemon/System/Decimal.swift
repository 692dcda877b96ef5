/// The shortest text of a number that reads back as the same, as Prometheus and settings files take it: without ".0".
func decimalText(_ value: Double) -> String {
    let text = String(value)
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
}

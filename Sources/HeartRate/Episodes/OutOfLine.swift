/// What is nearly always as in the beginning.
protocol Idling: Sendable {
    init()

    /// Whether there is nothing to remember: then it may be replaced by a new one.
    var isIdle: Bool { get }
}

/// Keeps a value out of line, and only while it is not idle: most customers have nothing of most kinds. 8 bytes.
///
/// It is no property wrapper: without the optimizer each access to a wrapped property allocates.
struct OutOfLine<Value: Idling>: Sendable {
    /// At most one: a copy of an array, unlike one of a class, is a value of its own.
    private var kept: [Value] = []

    var value: Value {
        @inline(__always) get { kept.isEmpty ? Value() : kept[0] }
        set {
            if kept.isEmpty {
                if !newValue.isIdle { kept = [newValue] }
            } else if newValue.isIdle {
                kept = []
            } else {
                kept[0] = newValue
            }
        }
    }
}

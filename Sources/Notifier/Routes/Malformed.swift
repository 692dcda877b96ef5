/// What is wrong with a line of the file.
struct Malformed: Error {
    let words: String
    init(_ words: String) { self.words = words }
}

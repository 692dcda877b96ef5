/// Whose detectors a batch needs, by their places among the states.
struct Involved {
    /// The batch's customers, by their numbers.
    var readings: [Int] = []
    /// Those who have only sent what is not stored, with their numbers there.
    var unstorable: [(place: Int, number: Int)] = []
    /// Those whose silence is to be judged.
    var silent: [Int] = []
    /// Those whose readings wait for late ones that do not come any more.
    var waiting: [Int] = []
    /// Who of them has to be restored from the database.
    var unknown: [Int] = []
}

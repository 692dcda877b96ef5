/// Writes a line and its end to standard error by one write(2), so that lines of several threads do not mix.
func writeToStandardError(_ line: String) {
    TerminalProgress.makingRoom { writeLine(line, to: 2) }
}

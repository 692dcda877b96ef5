import Testing

@testable import Daemon

/// Each case is a rule of systemd.exec(5), version 252, under EnvironmentFile=.
@Suite struct EnvironmentFileTests {
    @Test(
        "values as systemd reads them",
        arguments: [
            // A value as it stands.
            ("A=b", "b"),
            ("A=b\n", "b"),
            ("A=", ""),
            ("A=\n", ""),
            ("A=b=c", "b=c"),
            // Blanks around the name and the value go, those inside stay.
            ("  A = b \t\n", "b"),
            ("A=b  c\n", "b  c"),
            ("A=b\r\n", "b"),
            ("A=   \n", ""),
            // # and ; begin a comment only at the start of a line.
            ("A=b # c", "b # c"),
            ("A=b;c", "b;c"),
            // A backslash keeps what follows, even a blank at the end; before the end of a line it joins the next one.
            (#"A=b\\c"#, #"b\c"#),
            (#"A=\"b\""#, #""b""#),
            ("A=b\\ \n", "b "),
            ("A=b\\\nc\n", "bc"),
            ("A=b \\\n  c\n", "b   c"),
            ("A=\\\nb\n", "b"),
            ("A=b\\", "b"),
            // Within single quotes everything is itself, line ends too.
            (#"A='b\c "d" $e'"#, #"b\c "d" $e"#),
            ("A='b\nc'\n", "b\nc"),
            ("A=' b '  \n", " b "),
            ("A=''", ""),
            // Within double quotes a backslash stands before " \ ` $ and line ends, and elsewhere for itself.
            (#"A="\"\\\`\$""#, #""\`$"#),
            (#"A="b\nc""#, #"b\nc"#),
            ("A=\"b\\\nc\"", "bc"),
            ("A=\"b\nc\"", "b\nc"),
            ("A=\"# b\"", "# b"),
            // Quoted pieces join, quotes after a bare character are themselves.
            (#"A="b" 'c'"#, "bc"),
            (#"A="b"c"#, "bc"),
            (#"A=b"c""#, #"b"c""#),
        ])
    func valueValue(file: String, expected: String) {
        let read = EnvironmentFile(Array(file.utf8))
        #expect(read.problems == [])
        #expect(read.assignments == [.init(name: "A", value: expected, line: 1)])
    }

    @Test("lines are counted across comments and long values")
    func values() {
        let read = EnvironmentFile(Array("# a\n\n ; b\nA='1\n2'\n\nB=x\\\ny\r\nC=3\nA=4".utf8))
        #expect(
            read.assignments == [
                .init(name: "A", value: "1\n2", line: 4), .init(name: "B", value: "xy", line: 7),
                .init(name: "C", value: "3", line: 9), .init(name: "A", value: "4", line: 10),
            ])
        #expect(read.problems == [])
    }

    @Test(
        "what is refused, and why",
        arguments: [
            ("A=1\nBATCH 5\nB=2", 2, "expected NAME=VALUE"),
            ("=5", 1, "expected NAME=VALUE"),
            ("A='b\nc", 1, "a quote is opened here and never closed"),
            ("\nA=\"b\\\"", 2, "a quote is opened here and never closed"),
            ("# b \\\nA=1\n", 2, "this line is lost, because the comment above it ends in a backslash"),
            ("A=b\0c", 1, "not UTF-8 text, or it contains a NUL"),
        ])
    func problemProblem(file: String, line: Int, text: String) {
        #expect(EnvironmentFile(Array(file.utf8)).problems == [.init(line: line, text: text)])
    }

    @Test("bytes that are not UTF-8 are a problem")
    func bytes() {
        let read = EnvironmentFile([65, 61, 0xff, 10, 66, 61, 67])
        #expect(read.problems.map(\.line) == [1])
        #expect(read.assignments.map(\.name) == ["B"])
    }

    @Test("a comment may go on in another comment")
    func comment() {
        let read = EnvironmentFile(Array("# b \\\n# c \\\n\nA=1".utf8))
        #expect(read.problems == [])
        #expect(read.assignments.map(\.line) == [4])
    }

    @Test(
        "quoted reads back the same",
        arguments: [
            "", "a", " a ", "a b", "#a", ";a", "'", "\"", "\\", "`$x`", "a\nb", "a\\\nb", "\r", "\t", "C:\\x", "ä€😀",
            "a=b",
            "'\"\\", "a\u{0}".replacing("\u{0}", with: "\u{1}"),
        ])
    func back(value: String) {
        let read = EnvironmentFile(Array("A=\(EnvironmentFile.quoted(value))\nB=1".utf8))
        #expect(read.problems == [])
        #expect(read.assignments.map(\.value) == [value, "1"])
    }
}

import Testing

@testable import PostgreSQL

@Suite("Arrays as text") struct ArrayTextTests {
    @Test("elements of every type, as the manual has it")
    func elements() {
        #expect(ArrayText().text == "{}" && ArrayText([Int]()).literal == "'{}'")
        #expect(ArrayText([Int64.min, 0, .max]).text == "{-9223372036854775808,0,9223372036854775807}")
        #expect(ArrayText([true, false]).text == "{t,f}")
        #expect(ArrayText([Int16?.none, 7]).text == "{NULL,7}")
        #expect(ArrayText([String?.none, "NULL", ""]).text == #"{NULL,"NULL",""}"#)
        #expect(ArrayText(["a,b", "{", #"""#, #"\"#, "it's"]).text == #"{"a,b","{","\"","\\","it's"}"#)
        #expect(ArrayText([3, 1]) { "n\($0)" }.text == #"{"n3","n1"}"#)
        var bytes = ArrayText()
        bytes.append(bytea: [0, 255, 16])
        bytes.append(bytea: [])
        bytes.append(utf8: Array(#"x"y"#.utf8)[...])
        #expect(bytes.text == #"{"\\x00ff10","\\x","x\"y"}"#)
    }

    @Test("a literal doubles apostrophes and nothing else")
    func literal() {
        #expect(ArrayText(["it's"]).literal == #"'{"it''s"}'"#)
        #expect(ArrayText([#"\"#]).literal == #"'{"\\"}'"#)
    }
}

@Suite("Values from text") struct PostgreSQLValueTests {
    private func read<Value: PostgreSQLValue>(_ text: String, as _: Value.Type = Value.self) -> Value? {
        Value(postgreSQLText: Array(text.utf8).span)
    }

    @Test("whole numbers to their ends, and nothing else")
    func integers() {
        #expect(read("0") == 0 && read("-0") == 0 && read("007", as: Int32.self) == 7)
        for number in [Int64.min, .min + 1, -1, 10, .max - 1, .max] { #expect(read("\(number)") == number) }
        #expect(read("-32768") == Int16.min && read("32767") == Int16.max)
        for text in ["", "-", "+1", "1.5", " 1", "1 ", "0x1", "32768", "-32769", "99999"] {
            #expect(read(text, as: Int16.self) == nil, "\(text)")
        }
        #expect(read("9223372036854775808", as: Int64.self) == nil)
    }

    @Test("booleans, bytes and texts")
    func others() {
        #expect(read("t") == true && read("f") == false && read("true", as: Bool.self) == nil)
        #expect(read(#"\x00ff1a"#) == [0, 255, 26] as [UInt8] && read(#"\x"#) == [] as [UInt8])
        for text in [#"\x0"#, #"\xzz"#, "00", "", #"\000"#] { #expect(read(text, as: [UInt8].self) == nil, "\(text)") }
        #expect(read("ä🫀") == "ä🫀" && read("") == "")
    }
}

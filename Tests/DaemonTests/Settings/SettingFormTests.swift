import Testing

@testable import Daemon

@Suite("Forms of settings") struct SettingFormTests {
    @Test("a command is a path and words")
    func command() {
        let setting = Setting("X", SettingForm<[String]>.command, default: [], sentence: ".")
        #expect(setting.parse("  /bin/a  -b\tc ")?.text == "/bin/a -b c" && setting.parse(" ")?.text == "")
        #expect(setting.parse("a") == nil && setting.parse("./a") == nil)
    }
}

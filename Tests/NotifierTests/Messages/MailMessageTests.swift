import Testing

@testable import Notifier

@Suite struct MailMessageTests {
    @Test("a date is as RFC 5322 has it")
    func dates() {
        #expect(MailMessage.date(0) == "Thu, 01 Jan 1970 00:00:00 +0000")
        #expect(MailMessage.date(1_795_705_200_000_000) == "Thu, 26 Nov 2026 15:00:00 +0000")
        #expect(MailMessage.date(951_782_399_999_999) == "Mon, 28 Feb 2000 23:59:59 +0000")
    }

    @Test(
        "what is no printable ASCII becomes encoded words, none of which divides a character or lets a line end through"
    )
    func words() {
        #expect(MailMessage.words("high tachycardia: cust_0001") == "high tachycardia: cust_0001")
        #expect(MailMessage.words("Müller") == "=?utf-8?B?TcO8bGxlcg==?=")
        #expect(MailMessage.words("=?x") == "=?utf-8?B?PT94?=")
        let evil = MailMessage.words("a\r\nBcc: everybody@example.org")
        #expect(!evil.contains("\r\nBcc") && evil.hasPrefix("=?utf-8?B?"))
        let long = MailMessage.words(String(repeating: "ä", count: 50))
        for line in long.split(separator: "\r\n ") { #expect(line.utf8.count <= 75 && line.hasSuffix("?=")) }
    }
}

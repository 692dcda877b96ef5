internal import CLibCurl

/// Sends to servers by HTTP and SMTP, and keeps its connections for the next time. Used from one thread at a time; the calls
/// block it.
///
/// Redirections are not followed. A certificate has to be valid, and be for the server's name.
@safe public final class CurlSession {
    /// What holds for each transfer.
    public struct Limits: Sendable {
        /// How long a transfer may take.
        public var timeout: Duration
        /// The file of certificates to trust; nil for the system's.
        public var certificates: String?

        /// - Parameters:
        ///   - timeout: how long a transfer may take.
        ///   - certificates: the file of certificates to trust; nil for the system's.
        public init(timeout: Duration, certificates: String? = nil) {
            self.timeout = timeout
            self.certificates = certificates
        }
    }

    /// A server's answer.
    public struct Answer: Sendable {
        /// HTTP's status.
        public let status: Int
        /// The beginning of its body, at most 1000 bytes.
        public let body: [UInt8]
    }

    /// A message to send by mail.
    public struct Letter: Sendable {
        /// To whom it comes back.
        public let sender: String
        /// Who gets it.
        public let recipient: String
        /// Header and body, its lines ended by CR and LF.
        public let text: [UInt8]

        /// - Parameters:
        ///   - sender: to whom it comes back.
        ///   - recipient: who gets it.
        ///   - text: header and body, its lines ended by CR and LF.
        public init(from sender: String, to recipient: String, text: [UInt8]) {
            self.sender = sender
            self.recipient = recipient
            self.text = text
        }
    }

    /// A server of mail, and who logs in.
    public struct MailServer: Sendable {
        /// `smtp://HOST:PORT`, or `smtps://` for TLS from the beginning.
        public let url: String
        /// Whether TLS has to be there before anything is sent.
        public let needsTLS: Bool
        /// Whom to log in as; nil for nobody.
        public let login: (user: String, password: String)?

        /// - Parameters:
        ///   - url: `smtp://HOST:PORT`, or `smtps://` for TLS from the beginning.
        ///   - needsTLS: whether TLS has to be there before anything is sent.
        ///   - login: whom to log in as; nil for nobody.
        public init(_ url: String, needsTLS: Bool, login: (user: String, password: String)?) {
            self.url = url
            self.needsTLS = needsTLS
            self.login = login
        }
    }

    /// What libcurl's callbacks use during a transfer.
    private final class Transfer {
        var upload: ArraySlice<UInt8> = []
        var body: [UInt8] = []
        let goesOn: () -> Bool

        init(_ goesOn: @escaping () -> Bool) { self.goesOn = goesOn }
    }

    /// libcurl wants this once, before there is a second thread that uses it: Swift's lazy statics see to that.
    private static let isReady = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK
    private static let mostBody = 1000

    private let handle: UnsafeMutableRawPointer
    private let limits: Limits
    private let words: UnsafeMutablePointer<CChar>

    /// A session without a connection yet.
    ///
    /// - Throws: `CurlError` when there is not enough memory.
    public init(_ limits: Limits) throws(CurlError) {
        guard Self.isReady, let handle = unsafe curl_easy_init() else { throw CurlError(CURLE_FAILED_INIT, "") }
        unsafe self.handle = handle
        self.limits = limits
        unsafe words = .allocate(capacity: Int(CURL_ERROR_SIZE))
    }

    deinit {
        unsafe curl_easy_cleanup(handle)
        unsafe words.deallocate()
    }

    /// Sends a body by POST.
    ///
    /// - Parameters:
    ///   - headers: such as `Content-Type: application/json`.
    ///   - goesOn: is asked about once a second; false ends the transfer.
    /// - Throws: `CurlError` when there was no answer; a status of any kind is one.
    public func post(
        _ body: [UInt8], to url: String, headers: [String], while goesOn: @escaping () -> Bool = { true }
    ) throws(CurlError) -> Answer {
        let transfer = Transfer(goesOn)
        begin(url, protocols: "http,https")
        set(CURLOPT_POST, 1)
        set(CURLOPT_POSTFIELDSIZE, body.count)
        // libcurl copies as many bytes as it was told.
        unsafe body.withUnsafeBytes { bytes in
            _ = unsafe heartbeat_curl_set_pointer(handle, CURLOPT_COPYPOSTFIELDS, bytes.baseAddress)
        }
        // Without "Expect": a second of waiting for servers that do not know it.
        try perform(transfer, list: headers + ["Expect:"], as: CURLOPT_HTTPHEADER)
        return Answer(status: unsafe heartbeat_curl_status(handle), body: transfer.body)
    }

    /// Sends a message by SMTP.
    ///
    /// - Parameter goesOn: is asked about once a second; false ends the transfer.
    /// - Throws: `CurlError` when the server has not taken it.
    public func mail(
        _ letter: Letter, by server: MailServer, while goesOn: @escaping () -> Bool = { true }
    ) throws(CurlError) {
        let transfer = Transfer(goesOn)
        transfer.upload = letter.text[...]
        begin(server.url, protocols: "smtp,smtps")
        set(CURLOPT_UPLOAD, 1)
        _ = unsafe heartbeat_curl_set_tls(handle, server.needsTLS)
        set(CURLOPT_MAIL_FROM, "<\(letter.sender)>")
        if let login = server.login {
            set(CURLOPT_USERNAME, login.user)
            set(CURLOPT_PASSWORD, login.password)
        }
        try perform(transfer, list: ["<\(letter.recipient)>"], as: CURLOPT_MAIL_RCPT)
    }

    /// The status of the last transfer: HTTP's or SMTP's; 0 when there was no answer.
    public var lastStatus: Int { unsafe heartbeat_curl_status(handle) }

    // MARK: - One transfer

    /// Forgets the options of the last transfer, not its connection.
    private func begin(_ url: String, protocols: String) {
        unsafe curl_easy_reset(handle)
        unsafe words.pointee = 0
        _ = unsafe heartbeat_curl_set_pointer(handle, CURLOPT_ERRORBUFFER, words)
        set(CURLOPT_URL, url)
        set(CURLOPT_PROTOCOLS_STR, protocols)
        // Signals are the daemon's own.
        set(CURLOPT_NOSIGNAL, 1)
        set(CURLOPT_TIMEOUT_MS, max(1, Int(limits.timeout / .milliseconds(1))))
        set(CURLOPT_USERAGENT, "heartbeat")
        if let certificates = limits.certificates { set(CURLOPT_CAINFO, certificates) }
    }

    private func perform(_ transfer: Transfer, list texts: [String], as option: CURLoption) throws(CurlError) {
        var list: UnsafeMutablePointer<curl_slist>?
        for text in texts { unsafe list = curl_slist_append(list, text) }
        defer { unsafe curl_slist_free_all(list) }
        _ = unsafe heartbeat_curl_set_pointer(handle, option, list)
        // Alive until the end of the call that uses it.
        let context = unsafe Unmanaged.passUnretained(transfer).toOpaque()
        unsafe attach(context)
        let code = withExtendedLifetime(transfer) { unsafe curl_easy_perform(handle) }
        guard code == CURLE_OK else {
            let words = unsafe String(cString: words)
            throw CurlError(code, words.split(whereSeparator: \.isNewline).joined(separator: " "))
        }
    }

    private func attach(_ context: UnsafeMutableRawPointer) {
        for option in [CURLOPT_WRITEDATA, CURLOPT_READDATA, CURLOPT_XFERINFODATA] {
            _ = unsafe heartbeat_curl_set_pointer(handle, option, context)
        }
        _ = unsafe heartbeat_curl_set_transfer(handle, CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
            guard let context = unsafe context, let bytes = unsafe bytes else { return 0 }
            let transfer = unsafe Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
            let room = CurlSession.mostBody - transfer.body.count
            let received = unsafe UnsafeRawBufferPointer(start: bytes, count: min(size * count, room))
            unsafe transfer.body.append(contentsOf: received)
            return size * count
        }
        _ = unsafe heartbeat_curl_set_transfer(handle, CURLOPT_READFUNCTION) { bytes, size, count, context in
            guard let context = unsafe context, let bytes = unsafe bytes else { return 0 }
            let transfer = unsafe Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
            let piece = transfer.upload.prefix(size * count)
            unsafe UnsafeMutableRawBufferPointer(start: bytes, count: size * count).copyBytes(from: piece)
            transfer.upload = transfer.upload.dropFirst(piece.count)
            return piece.count
        }
        set(CURLOPT_NOPROGRESS, 0)
        _ = unsafe heartbeat_curl_set_progress(handle) { context, _, _, _, _ in
            guard let context = unsafe context else { return 0 }
            return unsafe Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue().goesOn() ? 0 : 1
        }
    }

    private func set(_ option: CURLoption, _ number: Int) {
        _ = unsafe heartbeat_curl_set_number(handle, option, number)
    }

    /// libcurl copies the text.
    private func set(_ option: CURLoption, _ text: String) {
        _ = unsafe text.withCString { unsafe heartbeat_curl_set_pointer(handle, option, $0) }
    }
}

internal import CLibCurl

/// Why libcurl got no answer.
public struct CurlError: Error, Equatable, CustomStringConvertible {
    /// libcurl's own words, on one line.
    public let cause: String
    /// Whether the caller has ended it.
    public let isAborted: Bool
    /// Whether the address or an option is no good: the same request fails again, wherever the server is.
    public let isMistake: Bool

    /// libcurl's own words.
    public var description: String { cause }

    init(_ code: CURLcode, _ words: String) {
        cause = words.isEmpty ? unsafe String(cString: curl_easy_strerror(code)) : words
        isAborted = code == CURLE_ABORTED_BY_CALLBACK
        isMistake = code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL
    }
}

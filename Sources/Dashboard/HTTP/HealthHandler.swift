internal import HTTPTypes
internal import NIOCore
internal import NIOHTTPTypes

/// Answers /healthz at once, on the event loop: whoever asks for it waits neither for a thread nor for other requests, and
/// there is no time between request and answer in which the connection could be closed for another one.
final class HealthHandler: ChannelDuplexHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let requestGuard: RequestGuard
    /// Requests on this connection that others answer; their answers come first.
    private var others = 0
    /// The answer to the request that is being read.
    private var answer: HTTPResponse?

    init(_ requestGuard: RequestGuard) { self.requestGuard = requestGuard }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head):
            if others == 0 { answer = requestGuard.health(head) }
            guard answer == nil else { return }
            others += 1
        case .body:
            guard answer == nil else { return }
        case .end:
            guard let answer else { break }
            self.answer = nil
            context.write(wrapOutboundOut(.head(answer)), promise: nil)
            context.write(wrapOutboundOut(.body(ByteBuffer(string: RequestGuard.healthy))), promise: nil)
            return context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) { others -= 1 }
        context.write(data, promise: promise)
    }
}

import Hummingbird
import HummingbirdCore
internal import Logging
public import NIOCore
internal import NIOHTTP1
internal import NIOHTTPTypes
internal import NIOHTTPTypesHTTP1

/// Adds handlers to the pipeline of a connection, which has requests and answers there.
public typealias AddHandlers = @Sendable (ChannelPipeline.SynchronousOperations) throws -> Void

/// HTTP/1 for each connection: what NIO and Hummingbird have, with `ConnectionHandler` between them.
struct HTTPServer: HTTPChannelHandler {
    typealias Value = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>

    let responder: Responder
    let connections: Connections
    /// Adds a service's own handlers, after those that make requests of bytes.
    let addHandlers: AddHandlers?

    /// A request whose header does not come within this time, or a connection without a request, is let go.
    private static let patience = Duration.seconds(15)

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            var encoder = HTTPResponseEncoder.Configuration()
            // ConnectionHandler does: the encoder knows neither the request's version nor its method.
            encoder.automaticallySetFramingHeaders = false
            var limits = NIOHTTPDecoderLimitConfiguration()
            limits.maxHeaderFieldSize = 8192
            limits.maxHeaderListSize = 16_384
            limits.maxHeaderFieldCount = 100
            let pipeline = channel.pipeline.syncOperations
            try pipeline.configureHTTPServerPipeline(
                withPipeliningAssistance: false, withErrorHandling: false, withOutboundHeaderValidation: false,
                withEncoderConfiguration: encoder, withDecoderLimitConfiguration: limits)
            try pipeline.addHandler(ConnectionHandler(connections))
            try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: false))
            try pipeline.addHandler(HTTPConnectionStateHandler(idleTimeout: Self.patience, logger: logger))
            try addHandlers?(pipeline)
            return try Value(
                wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
        }
    }

    func handle(value: Value, logger: Logger) async { await handleHTTP(asyncChannel: value, logger: logger) }
}

/// Keeps the server listening when a connection cannot be accepted, as when there is no descriptor left: it closes
/// another one and tries again a little later.
final class AcceptErrors: ChannelInboundHandler {
    typealias InboundIn = any Channel

    private static let pause = TimeAmount.milliseconds(50)
    private let connections: Connections

    init(_ connections: Connections) { self.connections = connections }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        connections.makeRoom()
        let channel = context.channel
        // The connection that waits would be reported again at once.
        channel.setOption(.autoRead, value: false).whenComplete { _ in
            _ = channel.eventLoop.scheduleTask(in: Self.pause) { channel.setOption(.autoRead, value: true) }
        }
    }
}

import Bytes
import ClamdProtocol
import EventLoop
import Glibc
import Platform

/// One client's connection. Its task reads commands; inside IDSESSION each scan is a task of its own.
///
/// `@unchecked Sendable`: confined to the reactor's thread.
final class Session: @unchecked Sendable {
    /// Why a connection ends before the client wants it.
    enum End: Error {
        /// Nothing can be said any more.
        case gone
        /// Say this and close.
        case close([UInt8])
    }

    let number: UInt32
    let client: Stream
    let lane: Lane
    let shared: AgentShared
    let settings: ClamdSettings
    var machine: ServerSession
    /// Commands of an IDSESSION that are not answered yet.
    private var unanswered = 0
    /// Somebody waits for `unanswered` to shrink.
    private var room: Completion<Void>?
    private var isFlushing = false
    /// The client sends no more.
    private var hasEnded = false
    /// By then the client must have sent its command, or its stream.
    private var deadline = Deadline.never
    /// How long a client may take to read a reply.
    private static let replyTime = 60
    /// After so long a silence a bare command without a line end is complete.
    private static let quiet = Duration.milliseconds(300)

    init(_ client: Stream, _ lane: Lane, _ shared: AgentShared) {
        self.client = client
        self.lane = lane
        self.shared = shared
        number = shared.nextConnection()
        settings = shared.settings
        lane.adopt(settings)
        var limits = ServerSession.Limits()
        limits.stream = settings.streamLimit
        machine = ServerSession(limits: limits)
        client.takesDescriptors = client.peer.isLocal
        // Replies are flushed by whoever writes them.
        client.outputLimit = .max
    }

    /// Serves until the client leaves, an error ends it or the agent stops.
    func run() async {
        do throws(End) {
            try await serve()
        } catch {
            if case .close(let text) = error {
                log(.debug, "closing with: \(String(decoding: text.dropLast(), as: UTF8.self))")
                await reply(text)
            }
        }
        await drain()
        await client.close(deadline: .seconds(5))
    }

    private func serve() async throws(End) {
        deadline = .seconds(settings.commandTimeout)
        var isQuiet = false
        var stream: StreamCollector?
        while true {
            let input = client.input
            let (event, consumed) = machine.next(input, isQuiet: isQuiet, hasEnded: hasEnded)
            isQuiet = false
            if case .streamData(let range) = event, range.count > 0 {
                let bytes = UnsafeRawBufferPointer(input.slice(range.lowerBound, range.upperBound).buffer)
                try collect(bytes, &stream)
            }
            client.consume(consumed)
            switch event {
            case .needsInput:
                // A stream may take longer the longer it is, so that nobody holds a connection by a byte a minute.
                let limit =
                    machine.isInStream ? deadline.advanced(by: .seconds(Int64((stream?.size ?? 0) >> 14))) : deadline
                isQuiet = try await fill(limit)
            case .again, .streamData: break
            case .streamBegan:
                stream = StreamCollector(directory: settings.spoolDirectory)
                deadline = .seconds(settings.readTimeout)
            case .streamEnded(let form):
                guard let complete = stream else { throw .gone }
                stream = nil
                let target = try finish(complete)
                try await answer(holdsObject: true) { await $0.scanStream(target, form) }
                deadline = .seconds(settings.commandTimeout)
            case .descriptor(let form, let low, let high):
                let descriptors = client.takeDescriptors(between: low, and: high)
                guard let file = descriptors?.first, descriptors?.count == 1 else {
                    throw .close(form.bytes(ReplyText.noDescriptor))
                }
                try await answer(holdsObject: true) { await $0.scanDescriptor(file, form) }
                deadline = .seconds(settings.commandTimeout)
            case .command(let command, let form):
                try await answer(holdsObject: false) { await $0.obey(command, form) }
                deadline = .seconds(settings.commandTimeout)
            case .streamTooLong(let form): throw .close(form.bytes(ReplyText.streamTooLong))
            case .invalid(let form, let text): throw .close(form.bytes(text))
            case .end: return
            }
        }
    }

    // MARK: - Input

    /// Waits for more input.
    ///
    /// - Returns: whether none came for so long that a bare command is complete.
    private func fill(_ deadline: Deadline) async throws(End) -> Bool {
        let mayBeWhole = machine.isIdle && !machine.isInSession && !client.input.isEmpty
        let soon = mayBeWhole ? min(deadline, .after(Session.quiet)) : deadline
        // Nothing is lost when an agent ends while a client has not asked for anything.
        let isIdle = machine.isIdle && client.input.isEmpty && unanswered == 0
        do throws(StreamError) {
            hasEnded = !(try await client.fill(deadline: soon, interruptible: isIdle))
            return false
        } catch {
            switch error {
            case .timedOut where soon < deadline: return true
            case .timedOut where machine.isIdle && unanswered > 0:
                // A client that waits for answers is not idle.
                self.deadline = .seconds(settings.commandTimeout)
                return false
            case .timedOut: throw .close(Array("\(ReplyText.timedOut)\n".utf8))
            default: throw .gone
            }
        }
    }

    private func collect(_ bytes: UnsafeRawBufferPointer, _ stream: inout StreamCollector?) throws(End) {
        do throws(SystemError) { try stream?.append(bytes) } catch { throw spoolFailed(error) }
    }

    private func finish(_ stream: consuming StreamCollector) throws(End) -> ScanTarget {
        do throws(SystemError) { return try stream.finish(name: "stream") } catch { throw spoolFailed(error) }
    }

    private func spoolFailed(_ error: SystemError) -> End {
        log(.error, "a stream cannot be kept: \(error)")
        shared.counters.count("error")
        return .close(Array("stream: Cannot be kept to be scanned: \(error.reason). ERROR\n".utf8))
    }

    // MARK: - Answers

    /// Carries a command out: at once, or inside IDSESSION as a task of its own when there is room for another one.
    private func answer(
        holdsObject: Bool, _ work: @escaping @Sendable (Session) async -> Void
    ) async throws(End) {
        guard machine.isInSession else {
            await work(self)
            return
        }
        while unanswered >= settings.maximumSession {
            let completion = Completion<Void>(lane.reactor)
            room = completion
            do throws(StreamError) { try await completion.value(deadline: .never) } catch { throw .gone }
        }
        if holdsObject {
            do throws(StreamError) { try await lane.objects.enter(deadline: .never) } catch { throw .gone }
        }
        guard !client.isClosed else {
            if holdsObject { lane.objects.leave() }
            throw .gone
        }
        unanswered += 1
        lane.reactor.spawn("command") { [self] in
            await work(self)
            if holdsObject { lane.objects.leave() }
            unanswered -= 1
            room?.fulfil(())
            room = nil
        }
    }

    /// Waits until every command is answered.
    private func drain() async {
        while unanswered > 0 {
            let completion = Completion<Void>(lane.reactor)
            room = completion
            do throws(StreamError) { try await completion.value(deadline: .never) } catch { return }
        }
    }

    /// Sends bytes; the first of several tasks sends for all. A client that does not read its replies is cut off.
    func reply(_ bytes: [UInt8]) async {
        guard !client.isClosed else { return }
        client.write(bytes)
        guard !isFlushing else { return }
        isFlushing = true
        defer { isFlushing = false }
        do throws(StreamError) {
            repeat {
                try await client.flush(deadline: .seconds(Session.replyTime))
            } while client.pendingOutput > 0
        } catch {
            client.abort()
        }
    }

    /// Whether nobody is there any more who could read a reply.
    var isGone: Bool {
        if client.isClosed { return true }
        var entry = pollfd(fd: client.descriptor, events: 0, revents: 0)
        return poll(&entry, 1, 0) > 0 && entry.revents & Int16(POLLHUP | POLLERR) != 0
    }

    func log(_ level: ClamdEvents.Level, _ text: @autoclosure () -> String) {
        shared.events.text(level, number, text())
    }
}
